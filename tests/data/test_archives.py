"""Archives: read in memory, within limits, whatever they claim."""

import io
import struct
import tarfile
import zipfile
import zlib

import pytest

from partimento.data import archives
from partimento.data.found import Found, Other, Skipped, WalkLimits
from partimento.data.walking import walk

MIDI = b"MThd what follows does not matter here"


def zipped(members, compression=zipfile.ZIP_DEFLATED):
    """Bytes of a zip."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return file.getvalue()


def tarred(members, mode="w"):
    """Bytes of a tar."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode=mode) as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return file.getvalue()


def items(tmp_path, data, name="music.zip", **limits):
    """Walk an archive with these bytes, and see that nothing else came into being."""
    path = tmp_path / name
    path.write_bytes(data)
    found = list(walk(path, WalkLimits(**limits)))
    assert [entry.name for entry in tmp_path.iterdir()] == [name]
    return found


def reasons(found):
    return [item.reason for item in found if isinstance(item, Skipped)]


def music(found):
    return [item.name for item in found if isinstance(item, Found)]


@pytest.mark.parametrize(
    ("name", "mode"),
    [("m.tar", "w"), ("m.tar.gz", "w:gz"), ("m.tbz2", "w:bz2"), ("m.tar.xz", "w:xz")],
)
def test_music_in_a_tar_is_found(tmp_path, name, mode):
    data = tarred({"a/one.mid": MIDI, "two.mid": MIDI, "words.txt": b"words"}, mode)
    found = items(tmp_path, data, name)
    assert found == [
        Found(f"{name}/a/one.mid", MIDI),
        Found(f"{name}/two.mid", MIDI),
        Other(f"{name}/words.txt"),
    ]


def test_music_in_a_zip_is_found_in_order_of_name(tmp_path):
    found = items(tmp_path, zipped({"b/two.mid": MIDI, "a.mid": MIDI, "b/tune": MIDI}))
    assert music(found) == ["music.zip/a.mid", "music.zip/b/tune", "music.zip/b/two.mid"]


def test_names_that_point_outside_are_only_names(tmp_path):
    inside = tmp_path / "here"
    inside.mkdir()
    data = zipped({"../../evil.mid": MIDI, "/etc/evil.mid": MIDI, "new\nline.mid": MIDI})
    assert len(music(items(inside, data))) == 3
    assert [entry.name for entry in tmp_path.iterdir()] == ["here"]
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE):
            info = tarfile.TarInfo("evil.mid")
            info.type, info.linkname = kind, "/etc/passwd"
            archive.addfile(info)
    (inside / "music.zip").unlink()
    assert items(inside, file.getvalue(), "m.tar") == []


def test_an_archive_in_an_archive_is_read_and_no_deeper(tmp_path):
    inner = zipped({"deep.mid": MIDI})
    middle = zipped({"inner.zip": inner, "mid.mid": MIDI})
    outer = zipped({"middle.zip": middle, "inner.tar": tarred({"t.mid": MIDI})})
    found = items(tmp_path, outer)
    assert music(found) == ["music.zip/inner.tar/t.mid", "music.zip/middle.zip/mid.mid"]
    assert reasons(found) == ["archive too deep"]
    assert len(music(items(tmp_path, outer, max_archive_depth=3))) == 3


def test_one_member_too_large_is_skipped_and_the_rest_is_read(tmp_path):
    data = zipped({"a.mid": MIDI, "big.mid": bytes(3 * 2**20), "z.mid": MIDI})
    found = items(tmp_path, data, max_file_bytes=2**20)
    assert music(found) == ["music.zip/a.mid", "music.zip/z.mid"]
    assert reasons(found) == ["too large"]


def test_a_bomb_stops_at_the_limit(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "FREE_BYTES", 2**20)
    data = zipped({f"{number:03}.mid": bytes(2**20 - 1) for number in range(50)})
    assert len(data) < 100_000
    found = items(tmp_path, data, max_archive_ratio=100)
    assert len(music(found)) < 10
    assert reasons(found)[-1] == "archive too large"


def test_what_is_skipped_in_a_packed_tar_is_counted_too(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "FREE_BYTES", 2**20)
    data = tarred({"a.mid": MIDI, "skipped.bin": bytes(2**26), "b.mid": MIDI}, "w:gz")
    found = items(tmp_path, data, "m.tgz", max_archive_ratio=100)
    assert music(found) == ["m.tgz/a.mid"]
    assert reasons(found) == ["archive too large"]


def test_too_many_entries_are_refused(tmp_path):
    found = items(tmp_path, zipped({f"{n}.mid": MIDI for n in range(20)}), max_archive_members=10)
    assert reasons(found) == ["archive too large"]


def test_a_zip_that_claims_a_directory_of_gigabytes_allocates_nothing(tmp_path):
    path = tmp_path / "music.zip"
    with path.open("wb") as file:
        file.truncate(3 * 2**30)
        file.seek(0, 2)
        size = 3 * 2**30
        file.write(struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 1, 1, size, 0, 0))
    found = list(walk(path))
    assert reasons(found) == ["archive too large"]


def test_a_tar_header_that_claims_gigabytes_allocates_nothing(tmp_path):
    info = tarfile.TarInfo("pax")
    info.type, info.size = tarfile.XHDTYPE, 5 * 2**30
    data = info.tobuf(tarfile.USTAR_FORMAT) + bytes(10_000)
    found = items(tmp_path, data, "m.tar")
    assert music(found) == []
    assert reasons(found) == ["archive too large"]


def test_damage_costs_only_what_is_damaged(tmp_path):
    data = bytearray(zipped({"a.mid": MIDI, "b.mid": MIDI * 9, "c.mid": MIDI}, zipfile.ZIP_STORED))
    data[data.index(MIDI * 9) + 5] ^= 1
    found = items(tmp_path, bytes(data))
    assert music(found) == ["music.zip/a.mid", "music.zip/c.mid"]
    assert reasons(found) == ["cannot be unpacked"]


def test_a_tar_with_a_damaged_header_gives_what_stands_before_it(tmp_path):
    data = bytearray(tarred({"a.mid": MIDI, "b.mid": MIDI}))
    data[1024 + 100] ^= 255
    found = items(tmp_path, bytes(data), "m.tar")
    assert music(found) == ["m.tar/a.mid"]
    assert reasons(found) == ["archive damaged"]


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.zip", b""),
        ("b.zip", b"PK\3\4 not really"),
        ("c.zip", zipped({"a.mid": MIDI})[:-10]),
        ("d.tar.gz", tarred({"a.mid": MIDI * 500}, "w:gz")[:60]),
        ("e.tar.xz", b"\xfd7zXZ\0 not really"),
        ("f.tbz2", b"BZh9 not really"),
        ("g.tar", b"words" * 200),
    ],
    ids=lambda value: value if isinstance(value, str) else "",  # a gzip holds the time it was made
)
def test_a_broken_archive_is_said(tmp_path, name, data):
    assert reasons(items(tmp_path, data, name)) == ["archive damaged"]


def test_an_encrypted_member_is_said(tmp_path):
    data = bytearray(zipped({"a.mid": MIDI}))
    for start in (b"PK\3\4", b"PK\1\2"):
        at = data.index(start) + (6 if start == b"PK\3\4" else 8)
        data[at] |= 1
    assert reasons(items(tmp_path, bytes(data))) == ["cannot be unpacked"]


def test_any_damage_at_all_raises_nothing(tmp_path):
    whole = {
        "m.zip": zipped({"a.mid": MIDI, "b.zip": zipped({"c.mid": MIDI})}),
        "m.tar": tarred({"a.mid": MIDI, "b.mid": MIDI * 30}),
        "m.tgz": tarred({"a.mid": MIDI, "b.mid": MIDI * 30}, "w:gz"),
    }
    for name, data in whole.items():
        path = tmp_path / name
        for number in range(300):
            seed = zlib.crc32(f"{name}{number}".encode())
            damaged = bytearray(data)
            for step in range(1 + number % 4):
                damaged[(seed >> step) % len(data)] = (seed >> (3 * step)) & 255
            path.write_bytes(damaged if number % 3 else damaged[: seed % len(data)])
            list(walk(path))
