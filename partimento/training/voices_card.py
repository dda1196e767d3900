"""The card of a network of four voices: `training.card`, for cells in place of events."""

from shlex import quote
from typing import Any

from partimento.training.card import about_data, about_learning, about_training, number_text


def write_voices_card(config: dict[str, Any], log: list[dict[str, Any]], about: str) -> str:
    """Write a checkpoint's README.md in Markdown.

    Parameters
    ----------
    config
        Content of `config.json`.
    log
        Lines of the run's log, in order of step.
    about
        What the network is and reads.
    """
    head = (
        f"# {config['name']}\n\n"
        f"A {config['family']} made with {config['made_with']} (preset "
        f"`{config['training']['config']}`): {about} "
        f"{config['figures']['parameters']:,} weights."
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
    nats = "Nats are of whole pieces, in their own key; a cell is one voice at one step."
    return "\n".join(["## Figures", "", "| figure | value |", "|---|---|", *rows, "", nats])


def _use(config: dict[str, Any]) -> str:
    name = quote(config["name"])
    return (
        "## Use\n\n"
        "```\n"
        f"partimento harmonize row-your-boat --fit --model {name}\n"
        "```\n\n"
        "(`--model` takes a shipped model by its name, any other by its folder.) What it cannot "
        "do: more than four voices, dynamics, note lengths off its grid; whether a voice that "
        "keeps its pitch holds or repeats it is guessed from the leading voice. It has met the "
        "music named above and knows no other style; `partimento train` teaches a network yours."
    )
