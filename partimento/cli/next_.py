"""`partimento next`: which note comes next, in each voice, and how certain that is."""
# ruff: noqa: T201

from typing import TYPE_CHECKING, Annotated, Any

import typer

from partimento.cli import options
from partimento.cli.voices import Fit, Voices, refuse_foreign

if TYPE_CHECKING:
    from partimento.music.score import Score

BAR_CHARACTERS = 40  # of a probability of 1, in the terminal


def run(
    context: typer.Context,
    primer: options.Primer,
    model: options.Model = "melody-rnn",
    top: Annotated[int, typer.Option(help="Show the so many likeliest.")] = 5,
    melody: Annotated[
        str, typer.Option(help="Part to listen to: its number, `skyline` or `auto`.")
    ] = "auto",
    voices: Voices = "auto",
    fit: Fit = False,
    seed: Annotated[
        int, typer.Option(help="Of voices that are imagined where the primer lacks them.")
    ] = 0,
    qpm: options.NotationTempo = None,
    meter: options.NotationMeter = None,
    json: options.AsJson = False,
) -> None:
    """Say which note comes next, with probabilities; `rest` is silence for four bars or the end.

    Of a model of four voices, it is the next moment at which some voice moves: the bass first,
    then the chord and the likeliest of all four together.
    """
    from partimento.cli.listening import read_given, shown
    from partimento.generation.next import check_top
    from partimento.models.load import load

    check_top(top)
    given = read_given(primer, qpm=qpm, meter=meter)
    player = load(model, verb="next")
    if refuse_foreign(context, player):
        _next_voices(player, given.score, top, json, voices=voices, fit=fit, seed=seed)
        return
    following = player.next(given.score, melody=melody)
    if json:
        from json import dumps

        print(dumps({"model": player.name, "voices": [following.as_dict(top)]}, indent=2))
        return
    for remark in player.hear(given.score, melody).remarks:
        print(f"note: {remark}")
    for choice in following.choices(top):
        print(f"{choice.name:>5} {_share(choice.probability)}")
    print(f"by {shown(player.name)} ({player.hash[:16]})")


def _next_voices(player: Any, score: "Score", top: int, as_json: bool, **options: Any) -> None:
    """Print what may come next in four voices."""
    from partimento.cli.listening import shown

    following = player.next(score, **options)
    if as_json:
        from json import dumps

        print(dumps({"model": player.name, **following.as_dict(top)}, indent=2))
        return
    options.pop("seed")
    for remark in player.hear(score, **options).remarks:
        print(f"note: {remark}")
    for voice in ("bass", "tenor", "alto", "soprano"):
        print(f"{voice}:")
        for choice in following.voice(voice, top):
            held = "  (held)" if choice.is_held else ""
            print(f"  {choice.name:>5} {_share(choice.probability)}{held}")
    print("chord:")
    for name, probability in following.chords(top):
        print(f"  {name:>8} {_share(probability)}")
    print("all four together, bass first:")
    for frame in following.together(top):
        names = " ".join(f"{name:>5}" for name in reversed(frame.names))
        print(f"  {names}  {frame.chord:<8} {_share(frame.probability)}")
    print(
        f"nothing moves within four bars: {following.rest:.1%}; frames too unlikely to follow up: "
        f"{following.left_out:.1%}"
    )
    print(f"by {shown(player.name)} ({player.hash[:16]})")


def _share(probability: float) -> str:
    """Write a probability, with a bar as long as it is large."""
    from partimento.cli.listening import can_print

    block = "█" if can_print("█") else "#"
    return f"{probability:6.1%} {block * round(probability * BAR_CHARACTERS)}".rstrip()
