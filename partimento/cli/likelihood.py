"""`partimento likelihood`: how surprised a model is by music, note by note."""
# ruff: noqa: T201

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from partimento.cli import latent, options
from partimento.cli.voices import Fit, Voices, refuse_foreign
from partimento.errors import ParameterError

if TYPE_CHECKING:
    from partimento.music.score import Score

MOST_SHOWN = 10  # notes


def run(
    context: typer.Context,
    file: Annotated[str, typer.Argument(help="A MIDI file, notation, or the name of an example.")],
    model: options.Model = "melody-rnn",
    melody: Annotated[
        str, typer.Option(help="Part to listen to: its number, `skyline` or `auto`.")
    ] = "auto",
    voices: Voices = "auto",
    fit: Fit = False,
    samples: Annotated[
        int, typer.Option(help="VAEs: points of each window that the estimate is made from.")
    ] = 64,
    qpm: options.NotationTempo = None,
    meter: options.NotationMeter = None,
    json: options.AsJson = False,
) -> None:
    """Measure how surprised a model is by music, in nats: more is less expected."""
    from partimento.cli.listening import read_given
    from partimento.models.load import load

    given = read_given(file, qpm=qpm, meter=meter)
    player = load(model, verb="likelihood")
    if latent.is_latent(player):
        latent.refuse_options(context, player, "voices", "fit")
        _of_windows(player, given.score, melody, samples, json)
        return
    if latent.was_given(context, "samples"):
        raise ParameterError(f"--samples is for VAEs: the likelihood of {player.name} is exact")
    if refuse_foreign(context, player):
        _of_voices(player, given.score, json, voices=voices, fit=fit)
        return
    measured = player.likelihood(given.score, melody=melody)
    _tell(
        player,
        measured,
        [
            f"{measured.nats:.1f} nats: {measured.nats_per_note:.3f} a note, "
            f"{measured.nats_per_step:.4f} a grid step, {len(measured.note_nats)} notes"
        ],
        as_json=json,
    )


def _of_windows(player: Any, score: "Score", melody: str, samples: int, as_json: bool) -> None:
    """Print an estimate, and beside it the bound."""
    from partimento.cli.listening import shown

    measured = player.likelihood(score, melody=melody, samples=samples)
    if as_json:
        from json import dumps

        print(dumps({"model": player.name, **measured.as_dict()}, indent=2))
        return
    for remark in measured.remarks:
        print(f"note: {remark}")
    print(
        f"about {measured.nats:.1f} nats, estimated from {measured.samples} points a window: "
        f"{measured.nats_per_note:.3f} a note, {measured.nats_per_step:.4f} a grid step, "
        f"{measured.notes} notes"
    )
    print(f"the bound (negative ELBO): {measured.bound:.1f} nats at most")
    print(f"by {shown(player.name)} ({player.hash[:16]})")


def _of_voices(player: Any, score: "Score", as_json: bool, **options: Any) -> None:
    """Print how surprised a model is by four voices."""
    from partimento.music.four_voices import VOICES

    measured = player.likelihood(score, **options)
    each = zip(VOICES, measured.cell_nats.mean(axis=0), strict=True)
    _tell(
        player,
        measured,
        [
            f"{measured.nats:.1f} nats: {measured.nats_per_cell:.4f} a cell (one voice at one "
            f"step), {measured.nats_per_note:.3f} a note, {len(measured.note_nats)} notes",
            ", ".join(f"{voice} {nats:.4f}" for voice, nats in each),
        ],
        as_json=as_json,
        singer=lambda note: f"{VOICES[measured.voice[note]]:<7}  ",
    )


def _tell(
    player: Any,
    measured: Any,
    sums: Sequence[str],
    *,
    as_json: bool,
    singer: Callable[[int], str] = lambda note: "",
) -> None:
    """Print what was measured: sums, then the notes that surprised most, and who sings them."""
    from partimento.cli.listening import shown
    from partimento.music.pitches import pitch_name

    if as_json:
        from json import dumps

        print(dumps({"model": player.name, **measured.as_dict()}, indent=2))
        return
    for line in [*(f"note: {remark}" for remark in measured.remarks), *sums]:
        print(line)
    print("the most surprising:")
    for note in sorted(measured.note_nats.argsort()[::-1][:MOST_SHOWN].tolist()):
        print(
            f"  quarter {measured.onset_qn[note]:7.2f}  {singer(note)}"
            f"{pitch_name(int(measured.pitch[note]), with_signs=True):>4}  "
            f"{measured.note_nats[note]:5.2f} nats"
        )
    print(f"by {shown(player.name)} ({player.hash[:16]})")
