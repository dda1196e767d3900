"""What a run has learned, in words: `judge` reads its log and its figures, nothing else.

It says how far the network came, where that is beside baselines on the same held-out pieces,
whether it overfits, whether it was still getting better when it stopped, and which settings may
help. Each sentence rests on numbers that it names.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

FEWEST_LOOKS = 4  # after the first step: fewer say nothing of a trend
CLEAR_RISE = 0.01  # of held-out loss above its lowest: less is the noise between looks
CLEAR_GAIN = 0.01  # over the last quarter of a run
WIDE_GAP = 0.15  # of training loss below held-out loss, though dropout makes training harder
CLEAR_LEAD = 0.01  # below a baseline
FEW_EPOCHS = 3
MANY_WEIGHTS = 3  # a note


@dataclass(frozen=True)
class Verdict:
    """What can be said of a finished run.

    Attributes
    ----------
    overfits_from : int or None
        Step of the lowest held-out loss, where it rose after it while training loss fell.
    is_unsteady : bool
        Held-out loss rose, and training loss with it.
    was_improving : bool
        The last quarter of the run still lowered held-out loss clearly.
    beats_five_gram : bool or None
        `None` where there is no 5-gram to compare with.
    words : tuple of str
        Sentences for people.
    advice : tuple of str
        What may help, the likeliest first.
    """

    overfits_from: int | None
    is_unsteady: bool
    was_improving: bool
    beats_five_gram: bool | None
    words: tuple[str, ...]
    advice: tuple[str, ...]

    def facts(self) -> dict[str, Any]:
        """All of it as plain values, for the checkpoint."""
        return {name: list(v) if type(v) is tuple else v for name, v in asdict(self).items()}


def judge(
    log: Sequence[Mapping[str, Any]],
    figures: Mapping[str, Any],
    settings: Mapping[str, Any],
    *,
    reason: str = "done",
    epochs: float | None = None,
    training_notes: int | None = None,
    unit: str = "step",
) -> Verdict:
    """Say what a run has learned.

    Parameters
    ----------
    log
        Lines of the run's log, in order of step: ``step``, ``loss`` and
        ``held_out_nats_per_step``.
    figures
        Those of the checkpoint: nats of the network and of the baselines, ``parameters``.
    settings
        As asked for: ``steps``, ``minutes``, ``dropout``, ``hidden_size``, ``patience``; what is
        missing is not spoken of.
    reason
        ``"early"`` where patience ended the run.
    epochs
        Times each training piece was shown.
    training_notes
        Notes of the training pieces, each counted once.
    unit
        What a step of the figures is called.
    """
    looks = [line for line in log if line["step"] > 0]
    trend = _Trend.of(looks)
    beats, place = _place(figures)
    words = [*_came_from(log, figures, unit), *place, *_trend_words(trend, reason)]
    advice = _advice(trend, figures, settings, epochs, training_notes, reason, beats)
    return Verdict(
        trend.overfits_from if trend else None,
        trend.is_unsteady if trend else False,
        trend.was_improving if trend else False,
        beats,
        tuple(words),
        tuple(advice),
    )


@dataclass(frozen=True)
class _Trend:
    """How held-out loss went; each loss in nats a step."""

    best_step: int
    best: float
    last_step: int
    last: float  # of the last three looks, the lowest
    loss_at_best: float | None
    loss_at_last: float | None
    gain: float  # share that the last quarter took off
    lowest_of_train: float | None

    @classmethod
    def of(cls, looks: Sequence[Mapping[str, Any]]) -> "_Trend | None":
        if len(looks) < FEWEST_LOOKS:
            return None
        held_out = [float(look["held_out_nats_per_step"]) for look in looks]
        losses = [look.get("loss") for look in looks]
        steps = [int(look["step"]) for look in looks]
        at = held_out.index(min(held_out))
        after = held_out[at + 1 :]
        before = [v for step, v in zip(steps, held_out, strict=True) if step <= 0.75 * steps[-1]]
        return cls(
            steps[at],
            held_out[at],
            steps[-1],
            min(after[-3:]) if after else held_out[at],
            losses[at],
            losses[-1],
            1 - held_out[at] / min(before) if before else 0.0,
            min((loss for loss in losses if loss is not None), default=None),
        )

    @property
    def rises(self) -> bool:
        return self.last > (1 + CLEAR_RISE) * self.best

    @property
    def is_unsteady(self) -> bool:
        return self.rises and not self._loss_fell

    @property
    def overfits_from(self) -> int | None:
        return self.best_step if self.rises and self._loss_fell else None

    @property
    def was_improving(self) -> bool:
        return not self.rises and self.gain > CLEAR_GAIN

    @property
    def gap(self) -> float | None:
        """How far training loss stands below held-out loss at the end, as a share of it."""
        return None if self.loss_at_last is None else 1 - self.loss_at_last / self.best

    @property
    def _loss_fell(self) -> bool:
        if self.loss_at_best is None or self.loss_at_last is None:
            return False
        return self.loss_at_last < self.loss_at_best


def _came_from(
    log: Sequence[Mapping[str, Any]], figures: Mapping[str, Any], unit: str
) -> list[str]:
    nats, notes = figures["valid_nats_per_step"], figures["valid_nats_per_note"]
    came = f"held-out loss is {nats:.4f} nats a {unit} ({notes:.3f} a note)"
    first = log[0] if log and log[0]["step"] == 0 else None
    if first is None:
        return [f"{came[0].upper()}{came[1:]}."]
    began = first["held_out_nats_per_step"]
    if figures.get("best_step") == 0:
        return [f"It learned nothing that helps with new music: {came}, as before it began."]
    return [f"It learned: {came}; it began at {began:.4f}."]


def _place(figures: Mapping[str, Any]) -> tuple[bool | None, list[str]]:
    """Whether it beats the 5-gram, and where it stands among the baselines."""
    names = {
        "uniform": "all events alike",
        "counts": "how frequent each is",
        "five_gram": "a 5-gram (counts of what followed the same four events)",
    }
    known = [
        (f"{figures[f'{key}_nats_per_step']:.4f} by {words}", figures[f"{key}_nats_per_step"])
        for key, words in names.items()
        if f"{key}_nats_per_step" in figures
    ]
    if not known:
        return None, []
    said = f"On the same pieces: {', '.join(words for words, _ in known)}."
    if "five_gram_nats_per_step" not in figures:
        return None, [said]
    lead = 1 - figures["valid_nats_per_step"] / figures["five_gram_nats_per_step"]
    if lead > CLEAR_LEAD:
        return True, [said, f"The network needs {lead:.0%} fewer nats than the 5-gram."]
    if lead < -CLEAR_LEAD:
        more = f"The 5-gram is still ahead: the network needs {-lead:.0%} more nats"
        return False, [said, f"{more}. It has not learned more than the commonest turns."]
    return False, [said, "The network is level with the 5-gram: it knows the commonest turns."]


def _trend_words(trend: _Trend | None, reason: str) -> list[str]:
    if trend is None:
        return ["Too few looks at the held-out pieces to say whether it overfits."]
    if trend.overfits_from is not None:
        return [
            f"It overfits from step {trend.best_step:,} on: held-out loss rose from "
            f"{trend.best:.4f} to {trend.last:.4f} while training loss fell from "
            f"{trend.loss_at_best:.4f} to {trend.loss_at_last:.4f}. The weights of step "
            f"{trend.best_step:,} are those kept."
        ]
    if trend.is_unsteady:
        return [
            f"It became unsteady after step {trend.best_step:,}: held-out loss rose from "
            f"{trend.best:.4f} to {trend.last:.4f}, and training loss did not fall."
        ]
    said = ["It does not overfit: held-out loss did not rise while it trained."]
    if trend.was_improving:
        said.append(
            "It was still getting better: the last quarter of the run took "
            f"{trend.gain:.1%} off held-out loss."
        )
    else:
        took = f"{trend.gain:.1%}" if trend.gain > 0 else "nothing"
        said.append(f"It had nearly stopped getting better: the last quarter took {took} off.")
    if reason == "early":
        said.append("Patience ended the run.")
    return said


def _advice(
    trend: _Trend | None,
    figures: Mapping[str, Any],
    settings: Mapping[str, Any],
    epochs: float | None,
    notes: int | None,
    reason: str,
    beats: bool | None,
) -> list[str]:
    longer = _longer(settings)
    if trend is None:
        return [f"train longer ({longer}), or look more often (--evaluate-every)"]
    if trend.is_unsteady:
        return [_lower_rate(settings)]
    advice = []
    if trend.overfits_from is not None:
        advice += [_more_music(figures, notes), *_more_dropout(settings)]
        advice += _smaller(settings, figures, notes)
        if trend.best_step < 0.7 * trend.last_step:
            advice.append(
                "a lower --patience: nothing came of the steps after the "
                f"{trend.best_step:,}th but time spent"
            )
        return advice
    is_wide = trend.gap is not None and trend.gap > WIDE_GAP
    if trend.was_improving or (epochs is not None and epochs < FEW_EPOCHS):
        shown = f": each piece was shown {epochs:.2g} times" if epochs is not None else ""
        advice.append(f"train longer ({longer}){shown}")
        if reason == "early":
            advice.append("a higher --patience")
    if is_wide:
        advice += [_more_music(figures, notes), *_more_dropout(settings)]
    elif not trend.was_improving and "hidden_size" in settings:
        advice.append(
            f"a wider network (--hidden-size {2 * settings['hidden_size']}): training loss is not "
            "far below held-out loss, so it is not held back by too little music"
        )
    if beats is False and not advice:
        advice.append(_lower_rate(settings))
    return advice


def _longer(settings: Mapping[str, Any]) -> str:
    for name in ("minutes", "steps"):
        if settings.get(name) is not None:
            return f"--{name} {2 * settings[name]:g}, in another --out"
    return "more --minutes, in another --out"


def _lower_rate(settings: Mapping[str, Any]) -> str:
    if rate := settings.get("learning_rate"):
        return f"a lower learning rate (--learning-rate {rate / 2:g})"
    return "a lower --learning-rate"


def _more_music(figures: Mapping[str, Any], notes: int | None) -> str:
    if notes and "parameters" in figures:
        return f"more music: {figures['parameters']:,} weights learned from {notes:,} notes"
    return "more music"


def _more_dropout(settings: Mapping[str, Any]) -> list[str]:
    dropout = settings.get("dropout")
    if dropout is None or dropout >= 0.5:
        return []
    return [f"more dropout (--dropout {min(0.5, dropout + 0.2):g})"]


def _smaller(
    settings: Mapping[str, Any], figures: Mapping[str, Any], notes: int | None
) -> list[str]:
    size = settings.get("hidden_size")
    is_large = not notes or figures.get("parameters", 0) > MANY_WEIGHTS * notes
    if size is None or size < 64 or not is_large:
        return []
    return [f"a smaller network (--hidden-size {size // 2})"]
