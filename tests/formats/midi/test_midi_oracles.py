"""Real files, read by us, by symusic and by mido: the same music.

Known differences, none of them in the files tried here: symusic drops a note that nothing ends,
we let it sound to the end of its track; symusic leaves notes of no length at 0 ticks, we make them
1 tick long. `benchmarks/midi_oracle.py` compares all files of the sets.
"""

import io
import zipfile

import pytest

from partimento.formats.midi import read_midi, write_midi
from partimento.music.score import PITCH_BEND

SETS = (
    "chopin-first-editions",
    "groove",
    "irish-cre",
    "leadsheets",
    "mutopia",
    "nottingham",
    "open-hymnal",
    "openscore-lieder",
    "openscore-quartets",
    "polish-scores",
    "pop909",
)


def some(shared_data, name, count):
    """Every nth file of a set, as bytes, of at most 40 kB."""
    with zipfile.ZipFile(shared_data / name / "midi.zip") as files:
        names = [i.filename for i in files.infolist() if 0 < i.file_size < 40_000]
        return [files.read(name) for name in names[:: max(1, len(names) // count)][:count]]


def one_a_tick(events):
    """Keep the last of several events at a tick, in order."""
    return [event for _, event in sorted({event[0]: event for event in events}.items())]


@pytest.mark.data
@pytest.mark.parametrize("name", SETS)
def test_we_read_what_symusic_reads(shared_data, name):
    symusic = pytest.importorskip("symusic")
    for data in some(shared_data, name, 12):
        ours, theirs = read_midi(data), symusic.Score.from_midi(data)
        parts = [part for part in ours.parts if len(part.notes)]
        tracks = [track for track in theirs.tracks if len(track.notes)]
        assert [(p.program, p.is_drum) for p in parts] == [(t.program, t.is_drum) for t in tracks]
        for part, track in zip(parts, tracks, strict=True):
            assert sorted(map(tuple, part.notes)) == sorted(
                (n.start, max(1, n.duration), n.pitch, n.velocity) for n in track.notes
            )
            controls = [c for c in part.controls if c.number != PITCH_BEND]
            assert controls == sorted(
                ((c.time, c.number, c.value) for c in track.controls), key=lambda c: c[0]
            )
        assert list(ours.tempos) == one_a_tick((t.time, t.mspq) for t in theirs.tempos)
        assert list(ours.meters) == one_a_tick(
            (m.time, m.numerator, m.denominator) for m in theirs.time_signatures
        )
        assert list(ours.keys) == one_a_tick(
            (k.time, k.key, bool(k.tonality)) for k in theirs.key_signatures
        )


@pytest.mark.data
@pytest.mark.parametrize("name", SETS)
def test_we_read_what_mido_reads_and_mido_reads_what_we_write(shared_data, name):
    pytest.importorskip("mido")
    for data in some(shared_data, name, 3):
        score = read_midi(data)
        assert facts(score) == by_mido(data)
        assert facts(score) == by_mido(write_midi(score))


def facts(score):
    """All notes, and the end."""
    return sorted(tuple(note) for part in score.parts for note in part.notes), score.end_tick


def by_mido(data):
    """Say the same, from mido's messages."""
    import mido

    notes, end = [], 0
    for track in mido.MidiFile(file=io.BytesIO(data)).tracks:
        now, sounding = 0, {}
        for message in track:
            now += message.time
            if message.type not in ("note_on", "note_off"):
                continue
            waiting = sounding.setdefault((message.channel, message.note), [])
            if message.type == "note_on" and message.velocity:
                waiting.append((now, message.velocity))
            elif waiting:
                onset, velocity = waiting.pop(0)
                notes.append((onset, max(1, now - onset), message.note, velocity))
        end = max(end, now)
    return sorted(notes), end
