"""Hold our MIDI reader against symusic (all files of the sets) and mido (some of them).

    python benchmarks/midi_oracle.py [--data ../shared/data] [--mido-every 20] [SET...]

For each set: how many files were refused, and in how many notes, programs, tempos, meters, keys,
controls or the tick of the end differ. Every kind of difference is shown once, with its file.
"""

import argparse
import io
import sys
import zipfile
from collections import Counter
from pathlib import Path

import mido
import symusic

from partimento.errors import PartimentoError
from partimento.formats.midi import read_midi_report
from partimento.music.score import PITCH_BEND

HANGING = "files with notes that nothing ends"


def main():
    """Print a line a set."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sets", nargs="*")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--mido-every", type=int, default=20)
    wishes = parser.parse_args()
    total = Counter()
    for archive in sorted(wishes.data.glob("*/midi.zip")):
        if wishes.sets and archive.parent.name not in wishes.sets:
            continue
        counts = Counter()
        with zipfile.ZipFile(archive) as files:
            names = [name for name in files.namelist() if name.endswith(".mid")]
            for number, name in enumerate(names):
                check(name, files.read(name), number % wishes.mido_every == 0, counts)
        total += counts
        print(f"{archive.parent.name:22} {said(counts)}", flush=True)
    print(f"{'all':22} {said(total)}")
    return any(what not in ("files", "by mido", f"{HANGING} (symusic)") for what in total)


def check(name, data, with_mido, counts):
    """Compare one file."""
    counts["files"] += 1
    try:
        reading = read_midi_report(data, source=name)
    except PartimentoError as error:
        return differ(counts, "refused", name, error, "")
    score = reading.score
    # symusic drops a note that nothing ends; we let it sound to the end of its track.
    notes = HANGING if "missing note ends" in reading.notices else "notes"
    theirs = symusic.Score.from_midi(data)
    ours = facts(score)
    for what, value in symusic_facts(theirs).items():
        if ours[what] != value:
            kind = notes if what == "notes" else what
            differ(counts, f"{kind} (symusic)", name, ours[what], value)
    if with_mido:
        counts["by mido"] += 1
        for what, value in mido_facts(data).items():
            if ours[what] != value:
                differ(counts, f"{what} (mido)", name, ours[what], value)
    return None


def differ(counts, what, name, ours, theirs):
    """Count a difference and show the first of its kind."""
    counts[what] += 1
    if counts[what] == 1:
        print(f"  {what} in {name}:\n    ours   {str(ours)[:300]}\n    theirs {str(theirs)[:300]}")


def facts(score):
    """Gather what both libraries can say of a file."""
    parts = [part for part in score.parts if len(part.notes)]
    return {
        "notes": [sorted(map(tuple, part.notes)) for part in parts],
        "programs": [(part.program, part.is_drum) for part in parts],
        "tempos": [tuple(tempo) for tempo in score.tempos],
        "meters": [tuple(meter) for meter in score.meters],
        "keys": [(key.tick, key.fifths, int(key.is_minor)) for key in score.keys],
        "controls": [
            sorted(tuple(c) for c in part.controls if c.number != PITCH_BEND) for part in parts
        ],
        "all notes": sorted(row for part in parts for row in map(tuple, part.notes)),
        "end": score.end_tick,
    }


def symusic_facts(score):
    """Gather the same from symusic."""
    tracks = [track for track in score.tracks if len(track.notes)]
    return {
        "notes": [
            sorted((n.start, max(1, n.duration), n.pitch, n.velocity) for n in track.notes)
            for track in tracks
        ],
        "programs": [(track.program, track.is_drum) for track in tracks],
        "tempos": one_a_tick((t.time, t.mspq) for t in score.tempos),
        "meters": one_a_tick((m.time, m.numerator, m.denominator) for m in score.time_signatures),
        "keys": one_a_tick((k.time, k.key, k.tonality) for k in score.key_signatures),
        "controls": [
            sorted((c.time, c.number, c.value) for c in track.controls) for track in tracks
        ],
    }


def one_a_tick(events):
    """Keep the last of several events at a tick, in order."""
    return [event for _, event in sorted({event[0]: event for event in events}.items())]


def mido_facts(data):
    """Gather all notes, by first in, first out, and the end from mido."""
    notes, end = [], 0
    for track in mido.MidiFile(file=io.BytesIO(data)).tracks:
        now, sounding = 0, {}
        for message in track:
            now += message.time
            if message.type not in ("note_on", "note_off"):
                continue
            started = sounding.setdefault((message.channel, message.note), [])
            if message.type == "note_on" and message.velocity:
                started.append((now, message.velocity))
            elif started:
                onset, velocity = started.pop(0)
                notes.append((onset, max(1, now - onset), message.note, velocity))
        for (_, pitch), started in sounding.items():
            notes += [(onset, max(1, now - onset), pitch, velocity) for onset, velocity in started]
        end = max(end, now)
    return {"all notes": sorted(notes), "end": max([end, *(n[0] + n[1] for n in notes)])}


def said(counts):
    """Write counts on one line."""
    return ", ".join(f"{count:,} {what}" for what, count in counts.items())


if __name__ == "__main__":
    sys.exit(main())
