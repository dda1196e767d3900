"""Rendering to a file: `render` chooses sound or picture by the file's extension."""

from pathlib import Path

from partimento.errors import ParameterError
from partimento.formats import write
from partimento.formats.musicxml import musicxml_page
from partimento.formats.whole import whole_file
from partimento.music.score import Score
from partimento.rendering.audio import SAMPLE_RATE
from partimento.rendering.audio_file import FORMATS as SOUNDS
from partimento.rendering.audio_file import check_audio_format, render_to_file
from partimento.rendering.engraving import check_engraver, engrave, pages_to_pdf
from partimento.rendering.notebook import to_html
from partimento.rendering.piano_roll import piano_roll_svg
from partimento.rendering.picture import svg_to_png

SCORES = (".pdf", ".musicxml", ".mxl")  # always notation; .png and .svg where asked for
MUSIC = (".mid",)
FORMATS = (*SOUNDS, ".png", ".svg", ".html", *SCORES, *MUSIC)


def render(
    score: Score,
    path: Path | str,
    *,
    first_bar: int = 1,
    primer_end: int | None = None,
    colour: str = "part",
    theme: str = "light",
    as_score: bool = False,
    sample_rate: int = SAMPLE_RATE,
    sound_font: Path | None = None,
) -> str:
    """Render a score to a file, and say in a few words what is in it.

    Parameters
    ----------
    score
    path
        ``.wav``, ``.flac``, ``.mp3`` and ``.ogg`` are sound, ``.svg`` and
        ``.png`` a piano roll, ``.html`` a page of both, ``.pdf``, ``.musicxml`` and ``.mxl``
        notation, ``.mid`` the notes themselves. A file of that name is replaced; it appears whole,
        or not at all.
    first_bar, primer_end, colour, theme
        Of the piano roll: see `piano_roll_svg`.
    as_score
        Draw notation as ``.svg`` and ``.png`` too. A score of several pages becomes several
        files: ``x-1.png``, ``x-2.png`` …
    sample_rate, sound_font
        Of the sound: see `render_audio`.

    Raises
    ------
    ParameterError
        If the extension is another.
    """
    path = Path(path)
    kind = check_extension(path, as_score=as_score)
    if kind in SOUNDS:
        made = render_to_file(score, path, sample_rate=sample_rate, sound_font=sound_font)
        return (
            f"{made.seconds:.1f} s of sound at {sample_rate:,} Hz, {made.lufs:.1f} LUFS, "
            f"true peak {made.peak_db:.1f} dB"
        )
    if kind in SCORES or (as_score and kind in (".png", ".svg")):
        return render_score(score, path, first_bar=first_bar)
    if kind in MUSIC:
        write(score, path)
        return f"{_notes(score)} as MIDI"
    if kind == ".html":
        page = f'<!doctype html>\n<meta charset="utf-8">\n{to_html(score)}\n'
        _write_whole(path, page.encode())
        return "piano roll and player"
    svg = piano_roll_svg(
        score, first_bar=first_bar, primer_end=primer_end, colour=colour, theme=theme
    )
    write_picture(svg, path)
    return f"piano roll of {_notes(score)}"


def render_score(score: Score, path: Path, *, first_bar: int = 1) -> str:
    """Write notation, and say in a few words what is in it, and in which files."""
    kind = path.suffix.lower()
    if kind in (".musicxml", ".mxl"):
        write(score, path)
        return "notation as MusicXML" + _rounded(musicxml_page(score).moved)
    made = engrave(score, first_bar=first_bar)
    count = len(made.pages)
    words = f"engraved score, {count} page{'' if count == 1 else 's'}{_rounded(made.moved)}"
    if kind == ".pdf":
        _write_whole(path, pages_to_pdf(made.pages))
        return words
    if count == 1:
        write_picture(made.pages[0], path)
        return words
    for number, page in enumerate(made.pages, start=1):
        write_picture(page, path.with_stem(f"{path.stem}-{number}"))
    first, last = (path.with_stem(f"{path.stem}-{number}").name for number in (1, count))
    return f"{words}: {first} to {last}"


def _notes(score: Score) -> str:
    return f"{score.num_notes:,} note{'' if score.num_notes == 1 else 's'}"


def _rounded(count: int) -> str:
    if not count:
        return ""
    return f"; {count:,} note{'' if count == 1 else 's'} off the grid shown at the nearest value"


def write_picture(svg: str, path: Path) -> None:
    """Write a picture as SVG, or as PNG where the file's extension says so."""
    is_png = path.suffix.lower() == ".png"
    _write_whole(path, svg_to_png(svg) if is_png else svg.encode())


def check_extension(path: Path, *, as_score: bool = False) -> str:
    """Give the extension in small letters, or say which there are, or what must be installed."""
    kind = path.suffix.lower()
    if kind not in FORMATS:
        raise ParameterError(
            f"{str(path)!r} has {'the extension ' + repr(kind) if kind else 'no extension'}: music "
            f"can be rendered to {', '.join(FORMATS)}"
        )
    if kind in SOUNDS:
        check_audio_format(path)
    if kind == ".pdf" or (as_score and kind in (".png", ".svg")):
        check_engraver(with_pdf=kind == ".pdf")
    return kind


def _write_whole(path: Path, data: bytes) -> None:
    with whole_file(path) as beside:
        beside.write_bytes(data)
