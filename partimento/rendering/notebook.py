"""How a notebook shows a score: its piano roll, with a player under it.

`to_html` is what `Score._repr_html_` gives. Nothing is fetched: picture and sound are in the page.
"""

import base64

from partimento.music.score import Score
from partimento.music.timing import TempoMap
from partimento.rendering.audio import TAIL_SECONDS, render_audio
from partimento.rendering.piano_roll import piano_roll_svg
from partimento.rendering.svg import escape
from partimento.rendering.wav import wav_bytes

SAMPLE_RATE = 22_050  # half of the usual: a minute of sound is 2.6 MB of notebook
LONGEST_PLAYED = 120.0  # [s] of a longer piece, the beginning
MOST_DRAWN = 5_000  # notes; a page of more would be slow to scroll


def to_html(score: Score) -> str:
    """Show and play a score in a web page.

    Of a piece longer than two minutes the first two are played, and of one of more than 5,000 notes
    the picture is left out; the page says so.
    """
    if not score.num_notes:
        return f"<p>{escape(score)}</p>"
    notes = []
    time = TempoMap.of(score)
    heard, drawn = score, score
    if float(time.seconds(score.end_tick)) > LONGEST_PLAYED:
        heard = score.slice(0, int(time.ticks(LONGEST_PLAYED - TAIL_SECONDS)), unit="ticks")
        notes.append("The player has the first two minutes.")
    picture = ""
    if drawn.num_notes <= MOST_DRAWN:
        svg = piano_roll_svg(drawn)
        picture = scaled(svg)
    else:
        notes.append(f"A picture of {score.num_notes:,} notes is left out.")
    player = ""
    if heard.num_notes:
        sound = render_audio(heard, sample_rate=SAMPLE_RATE).mean(axis=1, keepdims=True)
        data = base64.b64encode(wav_bytes(sound, sample_rate=SAMPLE_RATE)).decode("ascii")
        player = f'<audio controls preload="metadata" src="data:audio/wav;base64,{data}"></audio>'
    return "\n".join(["<div>", picture, player, *(f"<p>{note}</p>" for note in notes), "</div>"])


def scaled(svg: str) -> str:
    """Let a picture be as wide as the page, up to its own width."""
    wide = '<svg style="width:100%;height:auto" '
    return f'<div style="max-width:1230px">{svg.replace("<svg ", wide, 1)}</div>'
