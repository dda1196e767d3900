"""Which cells of four voices are hidden from a network that fills in: to learn, and to be judged.

`random_mask` draws those of training, `task_mask` the frozen ones of `TASKS`. True is hidden. What
a network is asked to write in one go (a voice, a bar) is a region of the piece; of it a part may be
known already, any part, since it is written little by little.

References
----------
Uria, Murray and Larochelle, "A Deep and Tractable Density Estimator", ICML 2014 (any number of
cells hidden, every number as often: section 3).
"""

import hashlib
from collections.abc import Sequence

import numpy as np

from partimento.errors import ParameterError
from partimento.music.four_voices import VOICES
from partimento.representations.satb import QUARTERS_IN_CYCLE, SatbRepresentation

NUM_VOICES = len(VOICES)

TASKS = ("one voice", "harmonize", "one bar", "half")
TASK_SEED = 2017

# Training: shares of the regions, and of what is hidden in them.
ANYWHERE, SOME_VOICES, SOME_BARS = 0.35, 0.4, 0.25
ALL_HIDDEN, COARSE_KNOWN = 0.3, 0.25  # the rest hides blocks at random
BLOCKS = (1, 1, 2, 4, 4, 8)  # steps that are hidden together
MOST_BARS = 4


def random_mask(
    steps: int, representation: SatbRepresentation, generator: np.random.Generator
) -> np.ndarray:
    """Draw which cells are hidden in an example; bool, shape (step, voice), at least one True."""
    is_region = _region(steps, representation, generator)
    way = generator.random()
    if way < ALL_HIDDEN:
        return is_region
    if way < ALL_HIDDEN + COARSE_KNOWN:
        hidden = _coarse_to_fine(steps, generator)
    else:
        block = int(generator.choice(BLOCKS))
        order = generator.random((-(-steps // block), NUM_VOICES))
        hidden = np.repeat(order < generator.random(), block, axis=0)[:steps]
    found = is_region & hidden
    return found if found.any() else is_region


def _region(
    steps: int, representation: SatbRepresentation, generator: np.random.Generator
) -> np.ndarray:
    """All of the piece, some voices, or some bars of some voices."""
    way = generator.random()
    is_region = np.ones((steps, NUM_VOICES), dtype=bool)
    if way >= ANYWHERE:
        most = NUM_VOICES if way >= ANYWHERE + SOME_VOICES else NUM_VOICES - 1
        count = int(generator.integers(1, most + 1))
        is_region[:, generator.permutation(NUM_VOICES)[count:]] = False
    if way >= ANYWHERE + SOME_VOICES:
        length = int(generator.integers(1, MOST_BARS + 1)) * representation.cycle
        beat = representation.steps_per_quarter
        start = int(generator.integers(0, max(1, steps - length // 2) // beat + 1)) * beat
        start = min(start, max(0, steps - beat))
        is_region[:start], is_region[start + length :] = False, False
    return is_region


def _coarse_to_fine(steps: int, generator: np.random.Generator) -> np.ndarray:
    """Hide what is fine: of every level all finer ones, and of that level itself some cells."""
    level = int(generator.choice([4, 2, 1]))
    step = np.arange(steps)[:, None]
    of_level = generator.random((steps, NUM_VOICES)) < generator.random()
    is_known = (step % (2 * level) == 0) & (level < QUARTERS_IN_CYCLE)
    is_level = (step % level == 0) & ~is_known
    hidden: np.ndarray = ~is_known & (~is_level | of_level)
    return hidden


def task_mask(
    task: str, number: int, steps: int, representation: SatbRepresentation, seed: int = TASK_SEED
) -> np.ndarray:
    """Which cells of a piece a task hides; always the same.

    Parameters
    ----------
    task
        ``"one voice"``: soprano, alto, tenor, bass in turn from piece to piece; ``"harmonize"``:
        all voices but the soprano; ``"one bar"``: four quarters of all voices, from a place of the
        cycle that is 0; ``"half"``: half of all cells.
    number
        Of the piece in its split, from 0.

    Returns
    -------
    is_hidden : bool array, shape (step, voice)
    """
    generator = np.random.Generator(np.random.PCG64([seed, TASKS.index(task), number]))
    hidden = np.zeros((steps, NUM_VOICES), dtype=bool)
    if task == "one voice":
        hidden[:, number % NUM_VOICES] = True
    elif task == "harmonize":
        hidden[:, 1:] = True
    elif task == "one bar":
        bars = max(1, steps // representation.cycle)
        start = int(generator.random() * bars) * representation.cycle
        hidden[start : start + representation.cycle] = True
    else:
        order = generator.random((steps, NUM_VOICES)).ravel().argsort(kind="stable")
        hidden.ravel()[order[: hidden.size // 2]] = True
    return hidden


def digest_of_masks(masks: Sequence[np.ndarray]) -> str:
    """SHA-256 over masks, in order: to see that they are those of a published figure."""
    hasher = hashlib.sha256()
    for mask in masks:
        hasher.update(str(mask.shape).encode() + np.packbits(mask).tobytes())
    return hasher.hexdigest()


def check_task(task: str) -> str:
    """Refuse a task that is none."""
    if task not in TASKS:
        raise ParameterError(f"there is no task {task!r}: there are {', '.join(TASKS)}")
    return task
