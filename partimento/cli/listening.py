"""What the verbs that make or judge music share: reading the music given, saying what was made.

Not a verb: `continue`, `sample`, `next` and `likelihood` use it.
"""
# ruff: noqa: T201

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from partimento.errors import ParameterError

if TYPE_CHECKING:
    from partimento.music.score import Score

SHOWN_CHARACTERS = 600  # of new notes, before it gets too long to read
EXTENSIONS = (".mid", ".midi", ".kar", ".smf", ".rmi", ".musicxml", ".mxl", ".xml", ".abc")


class Given(NamedTuple):
    """Music from the command line: the score, what to call it, and its file if it has one."""

    score: "Score"
    name: str
    path: Path | None


def read_given(text: str, *, qpm: float | None = None, meter: str | None = None) -> Given:
    """Read an argument: a file, the name of an example, or notation.

    `qpm` and `meter` are for notation; music that has its own keeps it.
    """
    from partimento.music.examples import EXAMPLES

    path = Path(text) if len(text) < 4096 and "\0" not in text else None
    if path is not None and _is_music_file(path):
        _refuse_setting("a file", qpm, meter)
        from partimento.formats import read, tune_named

        return Given(read(path), path.stem, tune_named(path)[0])
    if text in EXAMPLES:
        _refuse_setting("an example", qpm, meter)
        return Given(EXAMPLES[text](), text, None)
    if ":" not in text or text.lower().endswith(EXTENSIONS):
        raise ParameterError(
            f"{text[:60]!r} is no file, no example ({', '.join(EXAMPLES)}) and no notation, which "
            'looks like "c4:q d4:e. r:s"'
        )
    from partimento.music.notation import parse_text

    score = parse_text(
        text, qpm=120 if qpm is None else qpm, meter="4/4" if meter is None else meter
    )
    return Given(score, "tune", None)


def out_paths(out: Path | None, usual: str, count: int, primer: Path | None = None) -> list[Path]:
    """Name the files to write: OUT, or OUT-1, OUT-2 … for several; never the primer itself."""
    from partimento.formats import MIDI_SUFFIXES
    from partimento.generation.continuation import check_count

    check_count(count)
    base = out or Path(usual)
    _refuse_what_is_no_file(base)
    if not base.suffix:
        base = base.with_name(base.name + ".mid")
    if base.suffix.lower() not in MIDI_SUFFIXES:
        raise ParameterError(
            f"-o {shown(base)}: music is written as {', '.join(MIDI_SUFFIXES)}; "
            "`partimento render` makes sound and pictures of it"
        )
    if not base.parent.is_dir():
        raise ParameterError(f"-o {shown(base)}: there is no folder {shown(base.parent)}")
    paths = [base]
    if count > 1:
        paths = [base.with_stem(f"{base.stem}-{number}") for number in range(1, count + 1)]
    for path in paths:
        _refuse_what_is_no_file(path)
        if primer is not None and path.exists() and path.samefile(primer):
            raise ParameterError(f"-o {shown(path)} is the primer itself: name another file")
    return paths


def report(
    scores: Sequence["Score"],
    paths: Sequence[Path],
    *,
    primer: "Score | None" = None,
    heard: Sequence[str] = (),
    as_json: bool = False,
) -> None:
    """Write melodies to their files, and say what was made."""
    deliver(
        scores,
        paths,
        heard=heard,
        as_json=as_json,
        size=lambda score: _size(score, primer),
        facts=lambda score: _facts(score, primer),
        notes=lambda score: _new_notes(score, primer),
    )


def deliver(
    scores: Sequence["Score"],
    paths: Sequence[Path],
    *,
    heard: Sequence[str],
    as_json: bool,
    size: Callable[["Score"], str],
    facts: Callable[["Score"], dict[str, Any]],
    notes: Callable[["Score"], str] = lambda score: "",
) -> None:
    """Write what was made to its files; say by which model, and how to make another.

    Parameters
    ----------
    heard
        Remarks on what the model heard of the music given.
    size, facts, notes
        What to say of a result: how large it is, in JSON, and its notes (nothing: no line).
    """
    from partimento.formats import write
    from partimento.music.provenance import read_stamps

    for score, path in zip(scores, paths, strict=True):
        write(score, path)
    stamps = [read_stamps(score)[-1] for score in scores]
    made = stamps[0]
    if as_json:
        pieces = [
            {"file": str(path), "seed": stamp["seed"], **facts(score)}
            for score, path, stamp in zip(scores, paths, stamps, strict=True)
        ]
        about = {name: made[name] for name in ("model", "hash", "verb", "settings", "version")}
        print(json.dumps({**about, "heard": list(heard), "pieces": pieces}, indent=2))
        return
    for remark in heard:
        print(f"note: {remark}")
    for score, path, stamp in zip(scores, paths, stamps, strict=True):
        print(f"wrote {shown(path)}: {size(score)}, seed {stamp['seed']}")
        if text := notes(score):
            print(f"  {text}")
    settings = ", ".join(
        f"{name} {value}" for name, value in made["settings"].items() if name != "primer"
    )
    print(f"made by {shown(made['model'])} ({made['hash']}): {settings}")
    print(
        f"more of it: the same with --seed {stamps[-1]['seed'] + 1}; the same again: the same seed"
    )


def length_of(score: "Score") -> tuple[int, float]:
    """Give bars and seconds of a result."""
    from partimento.music.timing import BarMap, TempoMap

    return BarMap.of(score).count(score.end_tick), float(TempoMap.of(score).seconds(score.end_tick))


def shown(text: object) -> str:
    """Write a text that may come from a file, with what cannot be printed escaped."""
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode()
        for letter in str(text)
    )


def can_print(signs: str) -> bool:
    """Whether standard output's encoding has these signs."""
    try:
        signs.encode(sys.stdout.encoding or "ascii")
    except UnicodeError:
        return False
    return True


def _is_music_file(path: Path) -> bool:
    """Whether there is such a file; ``tunes.abc#12`` is a tune of one."""
    from partimento.formats import tune_named

    return _is_file(path) or _is_file(tune_named(path)[0])


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # notation can be longer than any file name
        return False


def _refuse_what_is_no_file(path: Path) -> None:
    if path.is_dir():
        raise ParameterError(f"-o {shown(path)} is a folder: name a file, as in -o more.mid")
    if path.exists() and not path.is_file():
        raise ParameterError(f"-o {shown(path)} is a device, not a file: name a file")


def _refuse_setting(what: str, qpm: float | None, meter: str | None) -> None:
    for name, value in (("qpm", qpm), ("meter", meter)):
        if value is not None:
            raise ParameterError(f"--{name} is for notation: {what} has a {name} of its own")


def _start_tick(score: "Score", primer: "Score | None") -> int:
    """Tick of a result at which its primer ends; results may have finer ticks."""
    if primer is None:
        return 0
    return primer.end_tick * score.ticks_per_quarter // primer.ticks_per_quarter


def _size(score: "Score", primer: "Score | None") -> str:
    bars, seconds = length_of(score)
    length = f"{_count(bars, 'bar')}, {seconds:.1f} s"
    if primer is None:
        return f"{length}, {_count(score.num_notes, 'note')}"
    new = score.num_notes - primer.num_notes
    return f"{length}, {_count(primer.num_notes, 'note')} and {_count(new, 'new note')}"


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"


def _new_music(score: "Score", primer: "Score | None") -> "Score":
    """Only what was made: the part that has grown, from the primer's end on."""
    grown = 0
    if primer is not None:
        pairs = zip(score.parts, primer.parts, strict=True)
        grown = next(i for i, (new, old) in enumerate(pairs) if len(new.notes) > len(old.notes))
    melody = score.with_parts([score.parts[grown]])
    return melody.slice(_start_tick(score, primer), unit="ticks")


def _new_notes(score: "Score", primer: "Score | None") -> str:
    from partimento.music.notation import format_text

    text = format_text(_new_music(score, primer), with_bars=True)
    return (
        text if len(text) <= SHOWN_CHARACTERS else text[:SHOWN_CHARACTERS].rsplit(" ", 1)[0] + " …"
    )


def _facts(score: "Score", primer: "Score | None") -> dict[str, Any]:
    from partimento.music.pitches import pitch_name

    bars, seconds = length_of(score)
    start, division = _start_tick(score, primer), score.ticks_per_quarter
    return {
        "bars": bars,
        "seconds": seconds,
        "new_from_qn": start / division,
        "notes": [
            {
                "onset_qn": (note.onset + start) / division,
                "duration_qn": note.duration / division,
                "pitch": note.pitch,
                "name": pitch_name(note.pitch, with_signs=True),
            }
            for note in _new_music(score, primer).parts[0].notes
        ],
    }
