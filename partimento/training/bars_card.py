"""The card of a VAE of bars, and what is said of its space in words."""

from shlex import quote
from typing import Any

from partimento.training.card import about_data, about_learning, about_training, number_text

COLLAPSED = 1.0  # nats of KL divergence, below which z says nothing


def posterior_words(figures: dict[str, Any], latent_size: int) -> str:
    """Say whether `z` is used: posterior collapse is the usual way for a VAE to fail."""
    kl, active = figures["valid_kl_nats_per_sequence"], figures["active_units"]
    if kl < COLLAPSED or active == 0:
        return (
            f"posterior collapse: z says {kl:.2f} nats of a window, so all points sound alike; "
            "lower --beta, or give it --free-nats"
        )
    return f"z says {kl:.0f} nats of a window, in {active} of its {latent_size} dimensions"


def write_bars_card(config: dict[str, Any], log: list[dict[str, Any]]) -> str:
    """Write a checkpoint's README.md in Markdown; see `training.card.write_card`."""
    network, representation = config["network"], config["representation"]
    kinds = {"drums": "drum patterns", "quartet": "four parts"}
    what = kinds.get(representation["kind"], "melodies")
    head = (
        f"# {config['name']}\n\n"
        f"A variational autoencoder of {representation['bars']} bars of {what}, made with "
        f"{config['made_with']} (preset `{config['training']['config']}`), for any meter whose bar "
        f"has at most {representation['positions']} steps, {representation['steps_per_quarter']} "
        f"to a quarter note. Every point of a space of {network['latent_size']} dimensions is a "
        f"window of music. A nat of KL divergence costs {network['beta']:g} nats of "
        f"reconstruction ({network['free_nats']:g} nats a sequence are free): a low price "
        "reconstructs and interpolates better, a high one samples better. "
        f"{config['figures']['parameters']:,} weights; matrices are kept as 8-bit numbers, with a "
        "scale a row."
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
        "Reconstruction is by one random z of each window's Gaussian, teacher-forced; the negative "
        "ELBO is an upper bound of the negative log-likelihood. Held-out loss while it learned is "
        "at the price named above. `partimento benchmark vae` has the accuracies."
    )
    return "\n".join(["## Figures", "", "| figure | value |", "|---|---|", *rows, "", about])


def _use(config: dict[str, Any]) -> str:
    name = quote(config["name"])
    verbs = f"partimento sample --model {name} --count 8\n"
    if config["representation"]["kind"] == "melody":
        verbs += f"partimento vary row-your-boat --model {name} --amount 0.3 --count 4\n"
    return (
        "## Use\n\n"
        f"```\n{verbs}```\n\n"
        "(`--model` takes a shipped model by its name, any other by its folder.) It knows windows "
        "of its own length and the kind of music named above; longer music is taken window by "
        "window."
    )
