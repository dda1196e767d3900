"""Make docs/hear-it-learn.md, its picture and its MIDI file from a finished run.

    partimento train melody-rnn --data irish-cre:tune --out runs/irish --minutes 60
    python tools/hear_it_learn.py runs/irish

Every figure on the page is taken from the run folder, or measured here on its samples.
"""

import argparse
import json
import textwrap
from pathlib import Path
from shlex import quote
from typing import Any

from partimento.errors import MusicError
from partimento.evaluation.statistics import measure
from partimento.formats import write
from partimento.models.lessons import lesson_for
from partimento.models.listening import Learning, primer_end_of
from partimento.rendering.files import write_picture
from partimento.rendering.learning import Roll, learning_svg
from partimento.training.samples import Sample

ROOT = Path(__file__).parent.parent
PAGE, PICTURE, MUSIC = "hear-it-learn.md", "images/hear-it-learn.png", "hear-it-learn.mid"
OPTIONS = {  # where run.json holds what an option of `train` asks for
    "representation": ("steps_per_quarter", "lowest", "highest"),
    "settings": (
        "steps",
        "minutes",
        "seed",
        "threads",
        "batch_size",
        "learning_rate",
        "evaluate_every",
        "patience",
    ),
    "": ("hidden_size", "dropout"),
}
COLUMNS = {  # heading: statistic, how it is written
    "notes a bar": ("notes_per_bar", "{:.1f}"),
    "range, semitones": ("pitch_range", "{:.0f}"),
    "leaps beyond a fifth": ("leaps", "{:.0%}"),
    "notes in a key": ("in_key", "{:.0%}"),
    "bars of an earlier rhythm": ("repeated_rhythms", "{:.0%}"),
}


def main() -> None:
    """Draw the picture, write the music and the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path, help="a finished run")
    parser.add_argument("--docs", type=Path, default=ROOT / "docs")
    asked = parser.parse_args()
    learning = Learning.of(asked.run)
    config = json.loads((asked.run / "checkpoint" / "config.json").read_text(encoding="utf-8"))
    lesson = json.loads((asked.run / "run.json").read_text(encoding="utf-8"))
    rolls = [
        Roll(s.step, learning.caption(s), s.score, primer_end_of(s.score), s.is_best)
        for s in learning.samples
    ]
    baselines = list(learning.baselines.items())
    svg = learning_svg(learning.title, learning.held_out, learning.training, baselines, rolls)
    write_picture(svg, asked.docs / PICTURE)
    write(learning.score(), asked.docs / MUSIC)
    page = page_of(learning, config, command_of(lesson))
    (asked.docs / PAGE).write_text(page, encoding="utf-8", newline="\n")
    print(f"wrote {PAGE}, {PICTURE} and {MUSIC} in {asked.docs}")


def command_of(lesson: dict[str, Any]) -> str:
    """Write the command line that asks for a lesson, leaving out what its preset says already."""
    settings = lesson["settings"]
    usual = lesson_for(
        "melody-rnn",
        lesson["config"],
        (),
        name="usual",
        steps=settings["steps"],
        minutes=settings["minutes"],
    ).facts()
    words = ["partimento train melody-rnn"]
    words += [f"--data {quote(name)}" for name in lesson["data"]]
    words += [] if lesson["config"] == "tunes" else [f"--config {lesson['config']}"]
    for part, names in OPTIONS.items():
        here, there = (facts[part] if part else facts for facts in (lesson, usual))
        for name in names:
            if here[name] is not None and (
                here[name] != there[name] or name in ("steps", "minutes")
            ):
                words.append(f"--{name.replace('_', '-')} {here[name]}")
    return " ".join([*words, f"--out runs/{quote(lesson['name'])}"])


def page_of(learning: Learning, config: dict[str, Any], command: str) -> str:
    """Put the page together."""
    training, figures = config["training"], config["figures"]
    report = training["data_report"]["splits"]
    verdict = training["verdict"]
    advice = "\n".join(f"- {line}" for line in verdict["advice"]) or "- nothing that stands out"
    return f"""\
# Hear it learn

A network begins with random weights and is nudged by its loss until it predicts what comes next.
This page lets you watch and hear that happen. Every row below is the same network, asked to go on
from the same two bars (pale) with the same dice: only its weights differ.

![Loss curve and piano rolls]({PICTURE})

**[Listen to all of it]({MUSIC})** (MIDI, {clock(learning)}; each sample begins with the primer, a
bar of rest stands between).

{table(learning)}

The figures are those of six new bars each: enough to see the way, too few to judge a model by
(`partimento evaluate` takes hundreds).

## What to listen for

- **Random weights**: every event is about as likely as any other. Notes of a sixteenth jump all
  over the keyboard; almost nothing is held.
- **It counts first.** The quickest way down is to learn how often each event comes: most sixteenths
  hold a note, some pitches are common. The jumble gets slower and narrower.
- **Then it looks back.** It learns what follows what: steps instead of leaps, notes on the beat,
  the notes of a key. A 5-gram, which counts what followed the same four events, knows that much.
- **Then it remembers.** Only what reaches further than four events, such as a rhythm that comes
  back or a phrase that answers another, can take it below the 5-gram.

## What the run says of itself

The end of `partimento train`, in its own words:

{quoted(" ".join(verdict["words"]))}

What may help, it says:

{advice}

## Make your own

Every run keeps its samples, a few hundred bytes each, so this works while it trains, too:

```
{command}
partimento listen runs/{config["name"]} -o learning.wav --picture learning.png
```

That is the run of this page:
{report["train"]["melodies"]:,} melodies ({report["train"]["notes"]:,} notes) to learn from,
{report["valid"]["melodies"]:,} held out, {figures["parameters"]:,} weights, {training["steps"]:,}
steps on {threads(training["settings"]["threads"])}.

`--listen-primer "c4:q d4:q e4:h"` has it go on from notes of yours; without it, the primer is the
opening of a held-out melody, which the network never trains on.

Listening changes nothing: the weights are the same to the bit whether or not samples are kept, a
run that is stopped and resumed keeps those it has, and a sample that fails costs that sample alone.

```
python tools/hear_it_learn.py runs/{config["name"]}    # makes this page again
```
"""


def quoted(words: str) -> str:
    """Set a paragraph as a quotation of short lines."""
    return textwrap.fill(words, 98, initial_indent="> ", subsequent_indent="> ")


def table(learning: Learning) -> str:
    """One row a sample: its surprise, and what its new bars are like."""
    heads = ["step", "held out, nats a step", *COLUMNS]
    lines = [f"| {' | '.join(heads)} |", "|" + "---|" * len(heads)]
    for sample in learning.samples:
        look = learning.look_near(sample)
        step = f"{sample.step:,}{' (best)' if sample.is_best else ''}"
        nats = "" if look is None else f"{look[1]:.3f}"
        if look is not None and look[0] != sample.step:
            nats += f" (at {look[0]:,})"
        lines.append(f"| {' | '.join([step, nats, *cells(sample)])} |")
    return "\n".join(lines)


def cells(sample: Sample) -> list[str]:
    """Statistics of the new bars of a sample."""
    new = sample.score.slice(primer_end_of(sample.score), unit="ticks")
    try:
        found = measure(new)
    except MusicError:  # fewer notes than can be described
        return [""] * len(COLUMNS)
    return [form.format(getattr(found, name)) for name, form in COLUMNS.values()]


def clock(learning: Learning) -> str:
    """Minutes and seconds of the whole file."""
    score = learning.score()
    minutes, seconds = divmod(round(score.duration_qn * 60 / score.qpm), 60)
    return f"{minutes} min {seconds} s"


def threads(count: int) -> str:
    """Write a number of threads."""
    return "one thread" if count == 1 else f"{count} threads"


if __name__ == "__main__":
    main()
