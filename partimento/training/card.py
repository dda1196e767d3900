"""The model card: what a checkpoint's README says, from the numbers of its own training run."""

from shlex import quote
from typing import Any

from partimento.training.plots import curve

BASELINES = ("uniform_", "counts_", "five_gram_")  # figures that have a table of their own


def write_card(config: dict[str, Any], log: list[dict[str, Any]]) -> str:
    """Write a checkpoint's README.md in Markdown.

    Parameters
    ----------
    config
        Content of `config.json`.
    log
        Lines of the run's log, in order of step.
    """
    about, data, figures = _head(config), about_data(config), _figures(config)
    learned = about_learning(config)
    parts = [about, data, figures, *learned, about_training(config, log), _use(config)]
    return "\n\n".join(parts) + "\n"


def _head(config: dict[str, Any]) -> str:
    representation, network = config["representation"], config["network"]
    reads = ["the event before"]
    if representation.get("key_aware"):
        reads = ["the sounding pitch", "where the line moves", "the keys it may be in"]
    if representation["with_position"]:
        reads.append("the place in the bar, the beat and a cycle of 16 bars")
    if bits := representation.get("counter_bits"):
        reads.append(f"the place in the bar as {bits} binary digits")
    if ago := representation["lookback_bars"]:
        reads.append(f"what stood here {_listed(ago)} bars ago")
    if ago := representation.get("match_bars"):
        reads.append(f"how many events in a row were those of {_listed(ago)} bars before")
    if representation["countdown_bars"]:
        reads.append("how many bars are left (when asked to write a given number of bars)")
    more = ""
    if ago := representation.get("repeat_bars"):
        more += f' It may also say "the same as {_listed(ago)} bars ago".'
    if representation.get("from_first_note"):
        more += (
            " Pitches are read and written as intervals from the first note, so all keys are one."
        )
    if length := network.get("attention_length"):
        more += f" Its first layer attends to its own last {length} outputs."
    layers = network["num_layers"]
    return (
        f"# {config['name']}\n\n"
        f"A {config['family']} made with {config['made_with']} (preset "
        f"`{config['training']['config']}`): an LSTM of {layers} layer{'s' * (layers != 1)} of "
        f"{network['hidden_size']} that predicts a melody event by event, "
        f"{representation['steps_per_quarter']} to a quarter note, in pitches "
        f"{representation['lowest']}-{representation['highest']}. It reads {_listed(reads)}.{more} "
        f"{config['figures']['parameters']:,} weights."
    )


def about_data(config: dict[str, Any]) -> str:
    """Say what the model was trained on."""
    report = config["training"]["data_report"]
    lines = ["## Data", "", "Trained on: " + _listed(f"`{n}`" for n in config["training"]["data"])]
    lines += _licences(report.get("sources", []))
    if splits := report.get("splits"):
        things = "pieces" if "pieces" in next(iter(splits.values())) else "melodies"
        lines += ["", f"| split | {things} | notes |", "|---|---|---|"]
        lines += [
            f"| {name} | {share[things]:,} | {share['notes']:,} |" for name, share in splits.items()
        ]
        how = "Split by piece"
        if report.get("split_by") == "published":
            how += ", as the sets are published"
        lines += ["", f"{how}. Training looked at train and valid alone."]
    if parent := config["training"].get("parent"):
        lines += [
            "",
            f"Fine-tuned from {parent['name']} (hash `{parent['hash']}`), which was trained on "
            f"{_listed(f'`{name}`' for name in parent['data']) or 'what its card says'}. What it "
            "knew is in this model too, and so are the licences.",
            *_licences(parent["sources"]),
        ]
    return "\n".join(lines)


def _licences(sources: list[dict[str, Any]]) -> list[str]:
    """Lay out the sets that have a licence as lines of a table."""
    licensed = [source for source in sources if "licence" in source]
    if not licensed:
        return []
    return [
        "",
        "| set | licence | credit | SHA-256 of its archive |",
        "|---|---|---|---|",
        *(
            f"| {s['name']} | {s['licence']} | {s.get('cite', '')} | `{s.get('sha256', '')}` |"
            for s in licensed
        ),
    ]


def _figures(config: dict[str, Any]) -> str:
    figures = config["figures"]
    lines = ["## Figures", "", "| figure | value |", "|---|---|"]
    lines += [
        f"| {name.replace('_', ' ')} | {number_text(value)} |"
        for name, value in figures.items()
        if not name.startswith(BASELINES)
    ]
    lines += _baselines(figures)
    data = " ".join(f"--data {quote(name)}" for name in config["training"]["data"])
    if config["training"]["data_report"].get("rules", {}).get("melody", "strict") != "strict":
        data += " --melody skyline"
    nats = "Nats are of whole pieces, in their own key, with no countdown told."
    how, split = "To measure again (or with `--split test`):", "valid"
    if folds := figures.get("folds"):
        nats += (
            f" The valid figures are of {folds} runs that each held some of the train and valid "
            "pieces out; the model itself has learned from all of these."
        )
        how, split = "On the test pieces, which it has not met:", "test"
    lines += [
        "",
        nats,
        "",
        how,
        "",
        "```",
        f"partimento evaluate {quote(config['name'])} {data} --split {split}",
        "```",
    ]
    return "\n".join(lines)


def _baselines(figures: dict[str, Any]) -> list[str]:
    """Set the network beside baselines that know less, on the same pieces."""
    rows = [
        (words, figures[f"{name}_nats_per_step"], figures.get(f"{name}_nats_per_note"))
        for name, words in (
            ("uniform", "every event equally likely"),
            ("counts", "each as likely as it is frequent in train"),
            ("five_gram", "a 5-gram: counts in train of what followed the same four events"),
            ("valid", "this network"),
        )
        if f"{name}_nats_per_step" in figures
    ]
    if len(rows) < 2:
        return []
    lines = ["", "| on the valid pieces | nats a step | nats a note |", "|---|---|---|"]
    return lines + [
        f"| {words} | {step:.4g} | {'' if note is None else f'{note:.4g}'} |"
        for words, step, note in rows
    ]


def about_learning(config: dict[str, Any]) -> list[str]:
    """Say in words how the run went, where it was judged."""
    verdict = config["training"].get("verdict")
    if not verdict:
        return []
    lines = ["## What it learned", "", " ".join(verdict["words"])]
    if verdict["advice"]:
        lines += ["", "What may help:", "", *(f"- {line}" for line in verdict["advice"])]
    return ["\n".join(lines)]


def about_training(config: dict[str, Any], log: list[dict[str, Any]]) -> str:
    """Say how it was trained."""
    training, settings = config["training"], config["training"]["settings"]
    lines = [
        "## Training",
        "",
        f"{training['steps']:,} steps of {settings['batch_size']} examples in "
        f"{training['seconds'] / 60:.3g} minutes on {_threads(settings['threads'])}, PyTorch "
        f"{training['torch']}, seed {settings['seed']}; best at step "
        f"{config['figures']['best_step']:,}. AdamW at {settings['learning_rate']:g}, dropout "
        f"{config['network']['dropout']:g}{_augmentation(settings)}.",
    ]
    if len(log) > 3:  # the first look is at random weights, and would flatten the rest
        lines += ["", "```", curve(log[1:]), "```"]
    return "\n".join(lines)


def _use(config: dict[str, Any]) -> str:
    return (
        "## Use\n\n"
        "```\n"
        f"partimento continue row-your-boat --model {quote(config['name'])} --bars 8\n"
        "```\n\n"
        "(`--model` takes a shipped model by its name, any other by its folder.) "
        "What it cannot do: chords, dynamics, note lengths off its grid. It has met the music "
        "named above and knows no other style; `partimento train` teaches a network yours."
    )


def number_text(value: Any) -> str:
    """Write a figure."""
    return f"{value:.4g}" if isinstance(value, float) else f"{value:,}"


def _augmentation(settings: dict[str, Any]) -> str:
    """How training music was varied."""
    words = ""
    if semitones := settings["transpose"]:
        words += f", each piece moved to a random key, by up to {semitones} semitones"
    if share := settings.get("crop"):
        words += f", {share:.0%} of the examples begun in the middle, as if nothing had been before"
    return words


def _threads(count: int) -> str:
    return "one thread" if count == 1 else f"{count} threads"


def _listed(words: Any) -> str:
    words = [str(word) for word in words]
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
