"""How a notebook shows a score: its piano roll, a player under it, and the engraved notation.

`to_html` is what `Score._repr_html_` gives. Nothing is fetched: pictures and sound are in the page.
Notation needs the extra ``partimento[score]``; without it a line says so.
"""

import base64

from partimento.errors import EnvironmentFault
from partimento.music.score import Score
from partimento.music.timing import TempoMap
from partimento.rendering.audio import TAIL_SECONDS, render_audio
from partimento.rendering.engraving import engrave
from partimento.rendering.piano_roll import piano_roll_svg
from partimento.rendering.svg import escape
from partimento.rendering.wav import wav_bytes

SAMPLE_RATE = 22_050  # half of the usual: a minute of sound is 2.6 MB of notebook
LONGEST_PLAYED = 120.0  # [s] of a longer piece, the beginning
MOST_DRAWN = 5_000  # notes; a page of more would be slow to scroll
MOST_PAGES = 2  # of notation


def to_html(score: Score) -> str:
    """Show and play a score in a web page.

    Of a piece longer than two minutes the first two are played, of notation the first two pages are
    shown, and of more than 5,000 notes the pictures are left out; the page says so.
    """
    if not score.num_notes:
        return f"<p>{escape(score)}</p>"
    notes = []
    time = TempoMap.of(score)
    heard = score
    if float(time.seconds(score.end_tick)) > LONGEST_PLAYED:
        heard = score.slice(0, int(time.ticks(LONGEST_PLAYED - TAIL_SECONDS)), unit="ticks")
        notes.append("The player has the first two minutes.")
    picture = notation = ""
    if score.num_notes <= MOST_DRAWN:
        picture = scaled(piano_roll_svg(score))
        notation, remark = _notation(score)
        notes += [remark] * bool(remark)
    else:
        notes.append(f"Pictures of {score.num_notes:,} notes are left out.")
    player = ""
    if heard.num_notes:
        sound = render_audio(heard, sample_rate=SAMPLE_RATE).mean(axis=1, keepdims=True)
        data = base64.b64encode(wav_bytes(sound, sample_rate=SAMPLE_RATE)).decode("ascii")
        player = f'<audio controls preload="metadata" src="data:audio/wav;base64,{data}"></audio>'
    words = [f"<p>{note}</p>" for note in notes]
    return "\n".join(["<div>", picture, player, notation, *words, "</div>"])


def _notation(score: Score) -> tuple[str, str]:
    """Engraved pages, and what is to be said of them.

    Pages are pictures of their own: the rules of one would else hold in the whole notebook.
    """
    try:
        pages = engrave(score).pages
    except EnvironmentFault:
        return "", "Notation is shown with the extra: <code>pip install 'partimento[score]'</code>"
    shown = [
        '<img style="width:100%;max-width:840px;background:white" alt="notation" '
        f'src="data:image/svg+xml;base64,{base64.b64encode(page.encode()).decode("ascii")}">'
        for page in pages[:MOST_PAGES]
    ]
    remark = f"The score has {len(pages)} pages: the first {MOST_PAGES} are shown."
    return f"<div>{''.join(shown)}</div>", remark if len(pages) > MOST_PAGES else ""


def scaled(svg: str) -> str:
    """Let a picture be as wide as the page, up to its own width."""
    wide = '<svg style="width:100%;height:auto" '
    return f'<div style="max-width:1230px">{svg.replace("<svg ", wide, 1)}</div>'
