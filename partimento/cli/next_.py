"""`partimento next`: which note comes next, and how certain that is."""
# ruff: noqa: T201

from typing import Annotated

import typer

from partimento.cli import options

BAR_CHARACTERS = 40  # of a probability of 1, in the terminal


def run(
    primer: options.Primer,
    model: options.Model = "melody-rnn",
    top: Annotated[int, typer.Option(help="Show the so many likeliest.")] = 5,
    melody: Annotated[
        str, typer.Option(help="Part to listen to: its number, `skyline` or `auto`.")
    ] = "auto",
    qpm: options.NotationTempo = None,
    meter: options.NotationMeter = None,
    json: options.AsJson = False,
) -> None:
    """Say which note comes next, with probabilities; `rest` is silence for four bars or the end."""
    from partimento.cli.listening import can_print, read_given, shown
    from partimento.generation.next import check_top
    from partimento.models.load import load

    check_top(top)
    given = read_given(primer, qpm=qpm, meter=meter)
    player = load(model, verb="next")
    following = player.next(given.score, melody=melody)
    if json:
        from json import dumps

        print(dumps({"model": player.name, "voices": [following.as_dict(top)]}, indent=2))
        return
    for remark in player.hear(given.score, melody).remarks:
        print(f"note: {remark}")
    block = "█" if can_print("█") else "#"
    for choice in following.choices(top):
        bar = block * round(choice.probability * BAR_CHARACTERS)
        print(f"{choice.name:>5} {choice.probability:6.1%} {bar}".rstrip())
    print(f"by {shown(player.name)} ({player.hash[:16]})")
