"""`partimento inspect`: what is in a music file, in words or as JSON."""
# ruff: noqa: T201

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from partimento.formats.midi import MidiReading
    from partimento.music.score import Part, Score

SHOWN = 8  # of tempos, meters, keys, texts, repairs; --json has all


def run(
    files: Annotated[list[Path], typer.Argument(help="MIDI, MusicXML or ABC files.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
    salvage: Annotated[
        bool, typer.Option("--salvage", help="Mend damaged files as players do, and say where.")
    ] = False,
) -> None:
    """Say what is in music files: parts, length, meters, keys, tempos, and how they were made."""
    from partimento.errors import EXIT_PARTLY, EXIT_REFUSED

    documents: list[dict[str, Any]] = []
    for path in files:
        if reading := _read(path, salvage):
            document = facts(str(path), reading)
            if not as_json:
                print(("\n" if documents else "") + described(document, reading.score))
            documents.append(document)
        del reading  # of a large file; the facts are small
    if as_json and documents:
        json.dump(documents if len(files) > 1 else documents[0], sys.stdout, indent=2)
        print()
    if len(documents) < len(files):
        raise typer.Exit(EXIT_PARTLY if documents else EXIT_REFUSED)


def _read(path: Path, salvage: bool) -> "MidiReading | None":
    """Read a file, or say on one line why not."""
    from partimento.errors import PartimentoError
    from partimento.formats import read_report
    from partimento.formats.midi.texts import printable

    try:
        return read_report(path, salvage=salvage)
    except PartimentoError as error:
        message = str(error)
    except OSError as error:
        message = f"{printable(path)}: {error.strerror or error}"
    print(f"partimento: {' '.join(message.split())}", file=sys.stderr)
    return None


def facts(file: str, reading: "MidiReading") -> dict[str, Any]:
    """Everything `inspect` says of a file, in plain values."""
    from partimento.music.provenance import read_stamps
    from partimento.music.timing import BarMap, TempoMap

    score = reading.score
    return {
        "file": file,
        "kind": reading.kind,
        "format": reading.format,
        "tracks": reading.num_tracks,
        "ticks_per_quarter": score.ticks_per_quarter,
        "title": score.title,
        "notes": score.num_notes,
        "end_tick": score.end_tick,
        "quarters": score.duration_qn,
        "bars": BarMap.of(score).count(score.end_tick),
        "seconds": round(float(TempoMap.of(score).seconds(score.end_tick)), 6),
        "parts": [
            {
                "name": part.name,
                "program": part.program,
                "is_drum": part.is_drum,
                "notes": len(part.notes),
            }
            for part in score.parts
        ],
        "meters": [
            {"tick": m.tick, "meter": str(m), **_fields(m, "numerator", "denominator")}
            for m in score.meters
        ],
        "keys": [
            {"tick": k.tick, "key": str(k), **_fields(k, "fifths", "is_minor")} for k in score.keys
        ],
        "tempos": [
            {"tick": t.tick, "qpm": round(t.qpm, 6), **_fields(t, "microseconds_per_quarter")}
            for t in score.tempos
        ],
        "markers": [text._asdict() for text in score.markers],
        "remarks": [text._asdict() for text in score.remarks],
        "made_with": [made for made in read_stamps(score) if _is_plain(made)],
        "repairs": [repair._asdict() for repair in reading.repairs],
        "notices": reading.notices,
    }


def _is_plain(made: dict[str, Any]) -> bool:
    """Whether a stranger's JSON can be written again: not nested without end, no NaN in it."""
    try:
        json.dumps([[[[made]]]], indent=2, allow_nan=False)
    except (RecursionError, ValueError):
        return False
    return True


def _fields(event: Any, *names: str) -> dict[str, Any]:
    return {name: getattr(event, name) for name in names}


def described(document: dict[str, Any], score: "Score") -> str:
    """Put the facts of one file into words."""
    from partimento.formats.midi.texts import printable
    from partimento.music.provenance import MARK

    kind = document["kind"]
    if kind == "MIDI":
        kind = f"MIDI format {document['format']}, {_count(document['tracks'], 'track')}"
    lines = [
        printable(document["file"]),
        f"  format    {kind}, {document['ticks_per_quarter']:,} ticks a quarter",
    ]
    if document["title"]:
        lines.append(f"  title     {printable(document['title'])}")
    lines.append(
        f"  length    {_count(document['bars'], 'bar')}, {document['quarters']:,g} quarters, "
        f"{_clock(document['seconds'])}, ends at tick {document['end_tick']:,}"
    )
    meters = [(m["tick"], m["meter"]) for m in document["meters"]]
    lines.append(f"  meter     {_course(meters, '4/4 (none written)')}")
    keys = [(k["tick"], k["key"]) for k in document["keys"]]
    lines.append(f"  key       {_course(keys, 'none written')}")
    tempos = [(t["tick"], f"{t['qpm']:.6g} quarters a minute") for t in document["tempos"]]
    lines.append(f"  tempo     {_course(tempos, '120 quarters a minute (none written)')}")
    lines.append(f"  notes     {document['notes']:,} in {_count(len(document['parts']), 'part')}")
    lines += [_part_line(number, part) for number, part in enumerate(score.parts, start=1)]
    for name in ("markers", "remarks"):
        texts = [t for t in document[name] if name == "markers" or not MARK.match(t["text"])]
        lines += _few(name, [f"tick {t['tick']}: {printable(t['text'])}" for t in texts])
    for made in document["made_with"]:
        lines.append("  made with")
        lines += [f"    {printable(key)}: {printable(json.dumps(made[key]))}" for key in made]
    lines += _few("mended", [f"byte {r['offset']}: {r['message']}" for r in document["repairs"]])
    lines += _few("notice", [f"{what}: {count:,}" for what, count in document["notices"].items()])
    return "\n".join(lines)


def _part_line(number: int, part: "Part") -> str:
    from partimento.formats.midi.texts import printable

    name = f" {printable(part.name)}:" if part.name else ""
    said = ["drums" if part.is_drum else f"program {part.program}"]
    said.append(_count(len(part.notes), "note"))
    if len(part.notes):
        said.append(f"pitches {part.notes.pitch.min()}-{part.notes.pitch.max()}")
    if part.controls:
        said.append(_count(len(part.controls), "control"))
    if part.lyrics:
        said.append(_count(len(part.lyrics), "syllable"))
    return f"    {number:>3}{name} {', '.join(said)}"


def _course(changes: list[tuple[int, str]], without: str) -> str:
    """Say what holds, and where it changes."""
    if not changes:
        return without
    said = [
        words if tick == 0 else f"{words} from tick {tick:,}" for tick, words in changes[:SHOWN]
    ]
    if len(changes) > SHOWN:
        said.append(f"… ({len(changes) - SHOWN:,} more)")
    return ", ".join(said)


def _few(name: str, words: list[str]) -> list[str]:
    lines = [f"  {name:9} {line}" for line in words[:SHOWN]]
    if len(words) > SHOWN:
        lines.append(f"  {name:9} … and {len(words) - SHOWN:,} more: see --json")
    return lines


def _clock(seconds: float) -> str:
    minutes, rest = divmod(seconds, 60)
    return f"{int(minutes)} min {rest:.1f} s" if minutes else f"{rest:.1f} s"


def _count(number: int, thing: str) -> str:
    return f"{number:,} {thing}{'' if number == 1 else 's'}"
