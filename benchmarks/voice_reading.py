"""How well voices are read, on hymns of four parts where the truth is known.

    python benchmarks/voice_reading.py --data ../shared/data

First the four parts are put on two staves, and on one, and taken apart again
(`partimento.music.voice_reading`): how many hymns are read, and how many of their cells are right.
Then `struck_by_beat` guesses where notes that repeat a pitch begin, with the soprano leading and
with nobody leading: how many of these notes are found, and how many of those found are there.
"""

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from zipfile import ZipFile

import numpy as np

from partimento.errors import PartimentoError
from partimento.formats.midi import read_midi, write_midi
from partimento.generation.hearing_voices import HeardVoices, hear_voices
from partimento.music.four_voices import changes, struck_by_beat
from partimento.music.notes import Notes
from partimento.music.score import Part, Score
from partimento.representations.satb import SatbRepresentation

WIDE = SatbRepresentation(lowest=24, highest=96)
STAVES = {"two staves": ((0, 1), (2, 3)), "one staff": ((0, 1, 2, 3),)}


def main() -> None:
    """Read the hymns in each way, and count."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    hymns = read(parser.parse_args().data / "open-hymnal" / "midi.zip")
    for name, staves in STAVES.items():
        right = [apart for heard in hymns if (apart := taken_apart(heard, staves)) is not None]
        shares = ", ".join(f"{share:.1%}" for share in np.mean(right, axis=0))
        print(f"{name}: {len(right)} of {len(hymns)} hymns read; cells right: {shares}")
    for leads in (True, False):
        there = found = right_ones = 0
        for heard in hymns:
            voices = heard.voices
            lead = voices.is_struck[:, 0] if leads else None
            guess = struck_by_beat(voices.pitch, 4, voices.first, lead)
            guess, truth = (table & ~changes(voices.pitch) for table in (guess, voices.is_struck))
            there, found = there + int(truth.sum()), found + int(guess.sum())
            right_ones += int((truth & guess).sum())
        print(
            f"{'the soprano' if leads else 'nobody'} leading: {right_ones} of {there} repeated "
            f"notes found ({right_ones / there:.1%}), {right_ones} of {found} found are there "
            f"({right_ones / found:.1%})"
        )


def read(path: Path) -> list[HeardVoices]:
    """Read the hymns in which each voice is a part."""
    hymns = []
    with ZipFile(path) as archive:
        for name in sorted(archive.namelist()):
            heard = heard_or_none(read_midi(archive.read(name)))
            if heard is not None and len(set(heard.parts)) == len(heard.score.parts) == 4:
                hymns.append(heard)
    return hymns


def heard_or_none(score: Score) -> HeardVoices | None:
    """Hear four voices, if there are."""
    try:
        heard = hear_voices(score, WIDE, fit=True)
    except PartimentoError:
        return None
    return heard if heard.is_given.all() else None


def taken_apart(truth: HeardVoices, staves: Sequence[Sequence[int]]) -> np.ndarray | None:
    """Share of cells of each voice that are right when the parts share staves."""
    parts = truth.score.parts
    joined = [staff([parts[truth.parts[voice] or 0] for voice in voices]) for voices in staves]
    score = replace(truth.score, parts=tuple(joined))
    heard = heard_or_none(read_midi(write_midi(score)))  # as a file would hold it
    if heard is None or len(heard) != len(truth):
        return None
    pitch = heard.voices.pitch - heard.shift
    return np.asarray((pitch == truth.voices.pitch - truth.shift).mean(axis=0))


def staff(parts: Sequence[Part]) -> Part:
    """Put parts on one staff; notes in unison are one."""
    lasts: dict[tuple[int, int], int] = {}
    for part in parts:
        for onset, duration, pitch, _ in part.notes:
            lasts[onset, pitch] = max(lasts.get((onset, pitch), 0), duration)
    onsets, pitches = zip(*lasts, strict=True)
    return Part(Notes(onsets, list(lasts.values()), pitches))


if __name__ == "__main__":
    main()
