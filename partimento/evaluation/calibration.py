"""Calibration: whether a model that says 70 % is right 70 % of the time.

`reliability` sorts predictions into bins by the confidence they were made with and counts how often
each bin was right; `Reliability.expected_error` is the one number for all of it. `fit_temperature`
finds the temperature that makes a model neither too sure nor too timid, on music held out for it.

References
----------
Guo, Pleiss, Sun and Weinberger, "On Calibration of Modern Neural Networks", ICML 2017 (the expected
calibration error, equation 3, and temperature scaling, section 4.2); Wilson, "Probable Inference,
the Law of Succession, and Statistical Inference", JASA 22, 1927 (the interval).
"""

import math
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import numpy as np

from partimento.errors import ParameterError

BINS = 10
Z_95 = 1.959964  # of a normal distribution, both tails together 5 %
COLDEST, HOTTEST, FINE_ENOUGH = 0.2, 5.0, 1e-4


class Bin(NamedTuple):
    """Predictions of about one confidence.

    Attributes
    ----------
    low, high
        Confidence from, and to (the last bin includes 1).
    predictions
        How many; without any, the other numbers are NaN.
    confidence
        Mean of what was said.
    right
        Share that was right.
    right_low, right_high
        Wilson's 95 % interval of that share, if predictions were independent.
    """

    low: float
    high: float
    predictions: int
    confidence: float
    right: float
    right_low: float
    right_high: float


@dataclass(frozen=True)
class Reliability:
    """A reliability table.

    Attributes
    ----------
    bins : tuple of Bin
    count : int
        All predictions.
    expected_error : float
        Expected calibration error: how far confidence and share right are apart in a bin, in the
        mean over predictions.
    largest_error : float
        The same in the worst bin.
    """

    bins: tuple[Bin, ...]
    count: int
    expected_error: float
    largest_error: float

    def text(self) -> str:
        """Write the table."""
        lines = [f"{'said':>12} {'count':>8} {'mean said':>10} {'right':>7}  95 %"]
        for row in self.bins:
            said = f"{row.low:.0%} to {row.high:.0%}"
            if row.predictions:
                lines.append(
                    f"{said:>12} {row.predictions:8,} {row.confidence:10.1%} {row.right:7.1%}  "
                    f"{row.right_low:.1%} to {row.right_high:.1%}"
                )
            else:
                lines.append(f"{said:>12} {0:8}")
        lines.append(f"expected calibration error {self.expected_error:.4f} ({self.count:,})")
        return "\n".join(lines)

    def as_dict(self) -> dict[str, Any]:
        """Give the table as plain values for JSON; empty bins hold their edges and count alone."""
        rows = [
            {name: value for name, value in row._asdict().items() if value == value}
            for row in self.bins
        ]
        return {**asdict(self), "bins": rows}


def reliability(confidence: np.ndarray, is_right: np.ndarray, bins: int = BINS) -> Reliability:
    """Make the table of predictions and whether they came true.

    Parameters
    ----------
    confidence
        The probability each prediction was made with, 0 to 1; shape (prediction,).
    is_right
        Whether it came true; same shape.
    bins
        Equally wide.

    Examples
    --------
    >>> table = reliability(np.array([0.75, 0.75, 0.75, 0.75]), np.array([1, 1, 1, 0]))
    >>> table.expected_error, table.bins[7].right
    (0.0, 0.75)
    """
    confidence = np.asarray(confidence, dtype=np.float64)
    is_right = np.asarray(is_right, dtype=bool)
    if confidence.ndim != 1 or confidence.shape != is_right.shape or not len(confidence):
        raise ParameterError(
            "confidence and is_right must be lists of one length, at least one prediction, got "
            f"shapes {confidence.shape} and {is_right.shape}"
        )
    if not (confidence.min() >= 0 and confidence.max() <= 1 + 1e-6):  # NaN does not pass either
        raise ParameterError("confidence must be a probability, 0 to 1")
    if bins < 1:
        raise ParameterError(f"bins must be 1 or more, got {bins}")
    place = np.minimum((confidence * bins).astype(np.int64), bins - 1)
    count = np.bincount(place, minlength=bins)
    said = np.bincount(place, weights=confidence, minlength=bins)
    right = np.bincount(place, weights=is_right, minlength=bins)
    rows = tuple(
        _bin(number / bins, (number + 1) / bins, *row)
        for number, row in enumerate(
            zip(count.tolist(), said.tolist(), right.tolist(), strict=True)
        )
    )
    gaps = np.abs(said - right)  # times the count of each bin
    filled = count > 0
    return Reliability(
        rows,
        len(confidence),
        float(gaps.sum() / len(confidence)),
        float((gaps[filled] / count[filled]).max()),
    )


def fit_temperature(logits: np.ndarray, targets: np.ndarray) -> float:
    """Find the temperature that makes true classes likeliest.

    Parameters
    ----------
    logits
        Shape (prediction, class); ``-inf`` marks what cannot be.
    targets
        The true class of each.

    Returns
    -------
    temperature
        Logits are divided by it: above 1 makes a model less sure. Between 0.2 and 5.
    """
    logits = np.asarray(logits, dtype=np.float64)
    targets = np.asarray(targets, dtype=np.int64)
    if logits.ndim != 2 or targets.shape != logits.shape[:1] or not len(targets):
        raise ParameterError(
            "logits must be a table of predictions by classes with one target each, got shapes "
            f"{logits.shape} and {targets.shape}"
        )
    true = logits[np.arange(len(targets)), targets]
    if np.isneginf(true).any():
        raise ParameterError("a true class has probability 0: no temperature makes it likely")

    def nll(log_temperature: float) -> float:
        scaled = logits * math.exp(-log_temperature)
        highest = scaled.max(axis=1)
        total = np.exp(scaled - highest[:, None]).sum(axis=1)
        return float((highest + np.log(total) - true * math.exp(-log_temperature)).mean())

    return math.exp(_lowest_place(nll, math.log(COLDEST), math.log(HOTTEST)))


def _bin(low: float, high: float, count: int, said: float, right: float) -> Bin:
    if not count:
        return Bin(low, high, 0, *[math.nan] * 4)
    share = right / count
    middle = (share + Z_95**2 / (2 * count)) / (1 + Z_95**2 / count)
    spread = Z_95 * math.sqrt(share * (1 - share) / count + Z_95**2 / (4 * count**2))
    spread /= 1 + Z_95**2 / count
    return Bin(low, high, count, said / count, share, middle - spread, middle + spread)


def _lowest_place(function: Any, low: float, high: float) -> float:
    """Golden section: where a function with one valley is lowest."""
    ratio = (math.sqrt(5) - 1) / 2
    left, right = high - ratio * (high - low), low + ratio * (high - low)
    at_left, at_right = function(left), function(right)
    while high - low > FINE_ENOUGH:
        if at_left < at_right:
            high, right, at_right = right, left, at_left
            left = high - ratio * (high - low)
            at_left = function(left)
        else:
            low, left, at_left = left, right, at_right
            right = low + ratio * (high - low)
            at_right = function(right)
    return (low + high) / 2
