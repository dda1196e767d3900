import io
import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from partimento.checkpoints import CheckpointLimits
from partimento.checkpoints.arrays import check_arrays, read_arrays, write_arrays
from partimento.errors import CheckpointError

LIMITS = CheckpointLimits()

arrays = st.sampled_from(["<f8", "<f4", "<f2", "<i8", "<u4", "<i2", "|i1", "|u1", "|b1"]).flatmap(
    lambda kind: npst.arrays(
        np.dtype(kind), npst.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=5)
    )
)


def archive_of(members, packing=zipfile.ZIP_DEFLATED):
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", packing) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return written.getvalue()


def member(descr="'<f4'", order="False", shape="(1,)", data=bytes(4), version=1):
    words = f"{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}, }}\n".encode()
    length = len(words).to_bytes(2 if version == 1 else 4, "little")
    return b"\x93NUMPY" + bytes([version, 0]) + length + words + data


def refusal(content, **limits):
    limits = CheckpointLimits(**limits)
    with pytest.raises(CheckpointError) as checking:
        check_arrays(content, "t.npz", limits)
    with pytest.raises(CheckpointError):
        read_arrays(content, "t.npz", limits)
    assert str(checking.value).isprintable()
    return str(checking.value)


@given(st.dictionaries(st.text("abc", min_size=1), arrays, max_size=4))
def test_what_is_written_reads_back_equal_here_and_in_numpy(values):
    content = write_arrays(values)
    check_arrays(content, "t", LIMITS)
    found = read_arrays(content, "t", LIMITS)
    theirs = dict(np.load(io.BytesIO(content), allow_pickle=False))
    assert found.keys() == values.keys() == theirs.keys()
    for name, expected in values.items():
        assert found[name].dtype == theirs[name].dtype == expected.dtype
        np.testing.assert_array_equal(found[name], expected)
        np.testing.assert_array_equal(theirs[name], expected)


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_files_of_numpy_are_read(save):
    written = io.BytesIO()
    save(written, a=np.arange(6).reshape(2, 3), b=np.float32(1.5))
    found = read_arrays(written.getvalue(), "t", LIMITS)
    assert found["a"].tolist() == [[0, 1, 2], [3, 4, 5]]
    assert found["b"] == 1.5


def test_the_same_arrays_give_the_same_bytes():
    assert write_arrays({"a": np.arange(9)}) == write_arrays({"a": np.arange(9)})


@pytest.mark.parametrize(
    "content, words",
    [
        (b"not a member", "no .npy array"),
        (member(version=3), "no .npy array"),
        (member(descr="'|O'", data=b""), "no plain array"),
        (member(descr="[('a', '<f4')]"), "no plain array"),
        (member(descr="'<U4'", data=bytes(16)), "no plain array"),
        (member(order="True"), "no plain array"),
        (member(shape="(-1,)"), "no plain array"),
        (member(shape="(2 2)", data=bytes(16)), "no readable"),
        (member(shape="(1, 1, 1, 1, 1, 1, 1, 1, 1)"), "9 axes"),
        (member(shape="(99999999999999999999, 9999999999999)"), "needs"),
        (member(shape="(2,)"), "needs 8 bytes and has 4"),
        (member(data=bytes(9)), "needs 4 bytes and has 9"),
        (member(shape="(__import__('os').system('true'),)"), "no plain array"),
        (b"\x93NUMPY\x01\x00\xff\xff" + bytes(70_000), "has a header of 65,535 bytes"),
        (b"\x93NUMPY\x01\x00\xff", "no readable"),
    ],
)
@pytest.mark.parametrize("packing", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_member_that_is_no_plain_array_is_refused(content, words, packing):
    assert words in refusal(archive_of({"a.npy": content}, packing))


def test_a_bomb_is_refused_by_its_size_and_not_unpacked():
    content = write_arrays({"a": np.zeros(3_000_000, np.uint8)})
    assert len(content) < 10_000
    assert "limits arrays_bytes" in refusal(content, arrays_bytes=1_000_000)


def test_a_member_larger_than_it_says_is_cut_there():
    content = archive_of({"a.npy": member(shape="(5000,)", data=bytes(20_000))})
    size = len(member(shape="(5000,)", data=bytes(20_000))).to_bytes(4, "little")
    lying = content.replace(size, (200).to_bytes(4, "little"))
    assert lying != content
    refusal(lying)


@pytest.mark.parametrize("packing", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_packings_are_refused(packing):
    assert "packed in a way" in refusal(archive_of({"a.npy": member()}, packing))


def test_encrypted_members_are_refused():
    content = bytearray(archive_of({"a.npy": member()}, zipfile.ZIP_STORED))
    content[6] |= 1
    content[content.index(b"PK\x01\x02") + 8] |= 1
    assert "no readable .npz" in refusal(bytes(content))


def test_very_many_members_are_refused():
    assert "limits" in refusal(archive_of({f"{n}.npy": member() for n in range(20)}), tensors=10)


def test_a_changed_byte_in_an_array_is_found_when_it_is_read():
    array = member(shape="(5000,)", data=bytes(20_000))
    content = bytearray(archive_of({"a.npy": array}, zipfile.ZIP_STORED))
    content[content.index(array) + len(array) - 1] ^= 1
    check_arrays(bytes(content), "t", LIMITS)  # sizes and headers are sound
    with pytest.raises(CheckpointError, match="no readable"):
        read_arrays(bytes(content), "t", LIMITS)
