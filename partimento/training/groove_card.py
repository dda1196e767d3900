"""The card of a groove model."""

from shlex import quote
from typing import Any

from partimento.training.card import about_data, about_learning, about_training, number_text


def write_groove_card(config: dict[str, Any], log: list[dict[str, Any]], window_bars: int) -> str:
    """Write a checkpoint's README.md in Markdown; see `training.card.write_card`."""
    steps = config["representation"]["steps_per_quarter"]
    head = (
        f"# {config['name']}\n\n"
        f"How drums are played: velocity and micro-timing of nine drums, {steps} steps to a "
        "quarter note, and the strokes themselves where only a rhythm is given. Made with "
        f"{config['made_with']} (preset `{config['training']['config']}`), for pieces of any "
        f"length and meter; it learned from windows of {window_bars} bars, nearly all in 4/4. "
        f"{config['figures']['parameters']:,} weights, kept as float16."
    )
    parts = [
        head,
        about_data(config),
        _figures(config),
        *about_learning(config),
        about_training(config, log),
        _use(config),
    ]
    return "\n\n".join(parts) + "\n"


def _figures(config: dict[str, Any]) -> str:
    rows = [
        f"| {name.replace('_', ' ')} | {number_text(value)} |"
        for name, value in config["figures"].items()
    ]
    about = (
        "Nats of the classes that were played (32 of velocity, 32 of offset), exact and not a "
        "bound: every stroke knows those before it. A cell is a drum's stroke, velocity or offset "
        "at one step. `partimento benchmark vae` has these beside baselines, and errors in "
        "milliseconds."
    )
    return "\n".join(["## Figures", "", "| figure | value |", "|---|---|", *rows, "", about])


def _use(config: dict[str, Any]) -> str:
    name = quote(config["name"])
    return (
        "## Use\n\n"
        "```\n"
        f"partimento humanize beat.mid --model {name}\n"
        f"partimento drums row-your-boat --model {name}\n"
        "```\n\n"
        "(`--model` takes a shipped model by its name, any other by its folder.)"
    )
