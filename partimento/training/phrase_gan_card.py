"""The card of a GAN of phrases."""

from shlex import quote
from typing import Any

from partimento.training.card import about_data, about_learning, number_text
from partimento.training.plots import curve


def write_phrase_gan_card(config: dict[str, Any], log: list[dict[str, Any]]) -> str:
    """Write a checkpoint's README.md in Markdown; see `training.card.write_card`."""
    representation = config["representation"]
    head = (
        f"# {config['name']}\n\n"
        f"A generative adversarial network that writes {representation['bars']} bars of "
        f"{representation['meter']} for {representation['names'].replace(',', ', ')}, made with "
        f"{config['made_with']} (preset `{config['training']['config']}`), "
        f"{representation['steps_per_quarter']} steps to a quarter note. It writes from nothing, "
        "or around a part that is given. A GAN has no likelihood. "
        f"{config['figures']['parameters']:,} weights, kept in 8 bits."
    )
    parts = [
        head,
        about_data(config),
        _figures(config),
        *about_learning(config),
        _training(config, log),
        _use(config),
    ]
    return "\n\n".join(parts) + "\n"


def _figures(config: dict[str, Any]) -> str:
    figures = config["figures"]
    names = [name.removeprefix("written_") for name in figures if name.startswith("written_")]
    rows = [
        f"| {name.replace('_', ' ')} | {number_text(figures[f'written_{name}'])} | "
        f"{number_text(figures[f'training_{name}'])} |"
        for name in names
    ]
    others = [
        f"| {name.replace('_', ' ')} | {number_text(value)} |"
        for name, value in figures.items()
        if not name.startswith(("written_", "training_"))
    ]
    return "\n".join(
        [
            "## Figures",
            "",
            "| metric | its phrases | training phrases |",
            "|---|---|---|",
            *rows,
            "",
            "| figure | value |",
            "|---|---|",
            *others,
            "",
            "`score`: how far its statistics are from those of the training phrases, as a multiple "
            "of how far held-out phrases are, the mean over the metrics. "
            "`partimento benchmark gan` has them one by one.",
        ]
    )


def _training(config: dict[str, Any], log: list[dict[str, Any]]) -> str:
    training, settings = config["training"], config["training"]["settings"]
    lines = [
        "## Training",
        "",
        f"{training['steps']:,} moves of the generator, {settings['critic_moves']} of the critic "
        f"for each, {settings['batch_size']} phrases a move, in {training['seconds'] / 60:.3g} "
        f"minutes on {settings['threads']} thread{'s' * (settings['threads'] != 1)}, PyTorch "
        f"{training['torch']}, seed {settings['seed']}; best at move "
        f"{config['figures']['best_step']:,}. Loss: {settings['loss']}; Adam at "
        f"{settings['generator_rate']:g} and {settings['critic_rate']:g}.",
    ]
    if len(log) > 3:
        lines += ["", "```", curve(log[1:], "score"), "```"]
    return "\n".join(lines)


def _use(config: dict[str, Any]) -> str:
    name = quote(config["name"])
    return (
        "## Use\n\n"
        f"```\npartimento sample --model {name} --count 8\n"
        f"partimento accompany row-your-boat --model {name} --fit\n```\n\n"
        "(`--model` takes a shipped model by its name, any other by its folder.)"
    )
