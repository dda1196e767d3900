"""Drawing tokens: temperature, top-k, top-p, and one random generator a sequence.

`Sampling` holds the settings. `draw` turns logits and one uniform number a sequence into tokens.
All of it is float64, and every row is computed by itself, so a sequence is the same alone and in
a batch.
"""

import math
import numbers
import operator
from dataclasses import dataclass
from typing import Any

import numpy as np

from partimento.errors import GenerationError, ParameterError

MAX_SEED = 2**63 - 1


@dataclass(frozen=True)
class Sampling:
    """How tokens are drawn from the network's probabilities.

    Attributes
    ----------
    temperature : float
        Divides the logits. 1 is what the network learned, below is safer, above is bolder; 0
        always takes the likeliest.
    top_k : int
        Only the so many likeliest tokens may be drawn; 0 keeps all.
    top_p : float
        Only the fewest tokens whose probabilities sum to so much; 1 keeps all.
    """

    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 1.0

    def __post_init__(self) -> None:
        temperature = real("temperature", self.temperature)
        if not 0 <= temperature <= 100:
            raise ParameterError(
                f"temperature must be 0 to 100, got {temperature:g}; 1 is what the model learned, "
                "0 takes the likeliest"
            )
        top_p = real("top_p", self.top_p)
        if not 0 < top_p <= 1:
            raise ParameterError(f"top_p must be in (0, 1], got {top_p:g}; 1 keeps every token")
        top_k = whole("top_k", self.top_k)
        if top_k < 0:
            raise ParameterError(f"top_k must be 0 or more, got {top_k}; 0 keeps every token")
        object.__setattr__(self, "temperature", temperature)
        object.__setattr__(self, "top_p", top_p)
        object.__setattr__(self, "top_k", top_k)


def draw(logits: np.ndarray, uniforms: np.ndarray, sampling: Sampling) -> np.ndarray:
    """Draw one token a sequence, by the inverse of the cumulative distribution.

    Parameters
    ----------
    logits
        Shape (batch, vocab), any float type; ``-inf`` marks a token that is forbidden. Each row
        needs one that is not.
    uniforms
        Shape (batch,), in [0, 1): one number of each sequence's own generator.

    Returns
    -------
    tokens : int64 array, shape (batch,)

    Raises
    ------
    GenerationError
        If a row has no finite logit or holds NaN.
    """
    # Vocabulary first: NumPy then goes through the whole batch at once, token by token.
    columns = np.array(logits.T, dtype=np.float64, order="C")  # vocab batch
    largest = columns.max(axis=0)
    if not np.isfinite(largest).all():
        raise GenerationError(
            "the network gave no usable probabilities (NaN or infinite): its checkpoint is damaged"
        )
    if sampling.temperature == 0:
        return columns.argmax(axis=0)
    columns -= largest
    with np.errstate(over="ignore", under="ignore"):  # a tiny temperature means 0 or -inf here
        columns /= sampling.temperature
        if sampling.top_k:
            columns = keep_top_k(columns.T, sampling.top_k).T
        if sampling.top_p < 1:
            columns = keep_top_p(columns.T, sampling.top_p).T
        mass = np.add.accumulate(np.exp(columns), axis=0)  # vocab batch
    total = mass[-1]
    # Below the total, however it rounds: a token of probability 0 adds no mass and is never drawn.
    reached = np.minimum(uniforms * total, np.nextafter(total, 0))
    return (mass > reached).argmax(axis=0)


def keep_top_k(logits: np.ndarray, top_k: int) -> np.ndarray:
    """Forbid all but the `top_k` likeliest tokens; equals of the last one kept stay too.

    Parameters
    ----------
    logits
        Shape (batch, vocab); ``-inf`` marks a token that is forbidden already.

    Returns
    -------
    logits
        A copy, with the others at ``-inf``.

    References
    ----------
    Fan, Lewis and Dauphin, "Hierarchical Neural Story Generation", ACL 2018, section 5.2.
    """
    if top_k >= logits.shape[-1]:
        return logits.copy()
    threshold = np.partition(logits, -top_k, axis=-1)[:, -top_k, None]  # batch 1
    return np.where(logits < threshold, -np.inf, logits)


def keep_top_p(logits: np.ndarray, top_p: float) -> np.ndarray:
    """Forbid the tail: keep the fewest tokens whose probabilities sum to `top_p`.

    Parameters
    ----------
    logits
        Shape (batch, vocab), unnormalised; ``-inf`` marks a token that is forbidden already.
    top_p
        In (0, 1]. At 1 nothing is forbidden.

    Returns
    -------
    logits
        A copy, with the tail at ``-inf``. The likeliest token always stays.

    References
    ----------
    Holtzman et al., "The Curious Case of Neural Text Degeneration", ICLR 2020.
    """
    if not 0 < top_p <= 1:
        raise ParameterError(f"top_p must be in (0, 1], got {top_p}; 1 keeps every token")
    if top_p == 1:  # the sum below rounds to 1 early, and would cut the rarest tokens
        return logits.copy()
    order = np.argsort(-logits, axis=-1, kind="stable")
    probabilities = np.take_along_axis(softmax(logits), order, axis=-1)
    # Mass that stands before each token: 0 for the first, which is why it is never cut.
    mass_before = probabilities.cumsum(axis=-1) - probabilities
    is_tail = np.empty_like(order, dtype=bool)
    np.put_along_axis(is_tail, order, mass_before >= top_p, axis=-1)
    return np.where(is_tail, -np.inf, logits)


def softmax(logits: np.ndarray) -> np.ndarray:
    """Probabilities of logits along the last axis, in float64."""
    return np.exp(log_softmax(logits))


def log_softmax(logits: np.ndarray) -> np.ndarray:
    """Logarithms of the probabilities along the last axis, in float64 (nats when negated)."""
    logits = np.asarray(logits, dtype=np.float64)
    shifted = logits - logits.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))


def generator_of(seed: int, attempt: int = 0) -> np.random.Generator:
    """Random numbers of one sequence.

    Sequence number ``i`` of a batch asked for with seed ``s`` has the seed ``s + i``, so each can
    be made again alone. `attempt` counts the tries after a sequence that came out silent.
    """
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(attempt,)))


def check_seed(seed: Any) -> int:
    """Refuse what is no seed."""
    number = whole("seed", seed)
    if not 0 <= number <= MAX_SEED:
        raise ParameterError(f"seed must be 0 to {MAX_SEED}, got {number}")
    return number


def whole(name: str, value: Any) -> int:
    """Take a parameter as a whole number, or say which one is none."""
    try:
        if isinstance(value, bool | np.bool_):
            raise TypeError
        return operator.index(value)
    except TypeError:
        raise ParameterError(f"{name} must be a whole number, got {str(value)[:40]!r}") from None


def real(name: str, value: Any) -> float:
    """Take a parameter as a finite number, or say which one is none."""
    is_number = isinstance(value, numbers.Real) and not isinstance(value, bool)
    if not is_number or not math.isfinite(value):
        raise ParameterError(f"{name} must be a finite number, got {str(value)[:40]!r}")
    return float(value)
