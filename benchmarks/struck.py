"""How well `struck_by_beat` guesses where repeated pitches begin, on hymns where that is known.

    python benchmarks/struck.py --data ../shared/data

Prints, with the soprano leading and with nobody leading, how many of the notes that repeat the
pitch before them are found, and how many of those found are there.
"""

import argparse
from pathlib import Path
from zipfile import ZipFile

from partimento.errors import PartimentoError
from partimento.formats.midi import read_midi
from partimento.generation.hearing_voices import hear_voices
from partimento.music.four_voices import FourVoices, changes, struck_by_beat
from partimento.representations.satb import SatbRepresentation


def main() -> None:
    """Read the hymns, guess, count."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    hymns = read(parser.parse_args().data / "open-hymnal" / "midi.zip")
    for leads in (True, False):
        there = found = right = 0
        for voices in hymns:
            lead = voices.is_struck[:, 0] if leads else None
            guess = struck_by_beat(voices.pitch, 4, voices.first, lead)
            guess, truth = (table & ~changes(voices.pitch) for table in (guess, voices.is_struck))
            there, found = there + int(truth.sum()), found + int(guess.sum())
            right += int((truth & guess).sum())
        who = "the soprano" if leads else "nobody"
        print(
            f"{len(hymns)} hymns, {who} leading: {right} of {there} found ({right / there:.1%}), "
            f"{right} of {found} guessed are there ({right / found:.1%})"
        )


def read(path: Path) -> list[FourVoices]:
    """Read the hymns that have four voices."""
    representation = SatbRepresentation(lowest=24, highest=96)
    hymns = []
    with ZipFile(path) as archive:
        for name in sorted(archive.namelist()):
            try:
                heard = hear_voices(read_midi(archive.read(name)), representation, fit=True)
            except PartimentoError:
                continue
            if heard.is_given.all():
                hymns.append(heard.voices)
    return hymns


if __name__ == "__main__":
    main()
