"""`Notes`: the notes of one part, a table in NumPy columns.

Rows are sorted by onset, then pitch, then duration, so that two tables with the same music are
equal whatever order the notes came in. Times are integer ticks; `Score` knows how many make a
quarter. A table never changes: transforms make new ones.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from partimento.errors import MusicError, PitchRangeError

LOWEST_PITCH, HIGHEST_PITCH = 0, 127
DEFAULT_VELOCITY = 80
MAX_TICK = 2**31 - 1


class Note(NamedTuple):
    """One row of a `Notes` table."""

    onset: int
    duration: int
    pitch: int
    velocity: int


@dataclass(frozen=True, eq=False)
class Notes:
    """Notes of one part, sorted by onset, pitch, duration and velocity.

    Attributes
    ----------
    onset, duration : int64 array, shape (note,)
        Ticks. Durations are at least 1.
    pitch : int64 array, shape (note,)
        MIDI note numbers, 0-127.
    velocity : int64 array, shape (note,)
        1-127; 80 where none is given.

    Examples
    --------
    >>> notes = Notes(onset=[480, 0], duration=[240, 480], pitch=[62, 60])
    >>> notes.pitch.tolist(), notes.offset.tolist()
    ([60, 62], [480, 720])
    """

    onset: Any = ()
    duration: Any = ()
    pitch: Any = ()
    velocity: Any = None

    def __post_init__(self) -> None:
        columns = [_column(name, getattr(self, name)) for name in ("onset", "duration", "pitch")]
        count = len(columns[0])
        velocity = np.full(count, DEFAULT_VELOCITY) if self.velocity is None else self.velocity
        columns.append(_column("velocity", velocity))
        if any(len(column) != count for column in columns):
            lengths = ", ".join(str(len(column)) for column in columns)
            raise MusicError(
                f"note columns differ in length ({lengths}): onset, duration, pitch and velocity "
                "must have one entry a note"
            )
        _check(*columns)
        onset, duration, pitch, velocity = columns
        order = sorted_order(onset << 7 | pitch, duration, velocity)
        for name, column in zip(("onset", "duration", "pitch", "velocity"), columns, strict=True):
            ordered = column[order]
            ordered.flags.writeable = False
            object.__setattr__(self, name, ordered)

    @classmethod
    def of_table(cls, table: np.ndarray) -> "Notes":
        """Wrap an int64 array, shape (4, note), that is known to be valid and in order.

        Its rows are onset, duration, pitch and velocity. Nothing is checked or copied.
        """
        notes = object.__new__(cls)
        table.flags.writeable = False  # and with it the views that follow
        onset, duration, pitch, velocity = table
        notes.__dict__.update(onset=onset, duration=duration, pitch=pitch, velocity=velocity)
        return notes

    @property
    def offset(self) -> np.ndarray:
        """Tick at which each note ends, shape (note,)."""
        return self.onset + self.duration

    @property
    def end(self) -> int:
        """Tick at which the last note ends; 0 without notes."""
        return int(self.offset.max()) if len(self) else 0

    def where(self, is_kept: np.ndarray) -> "Notes":
        """Keep the rows a boolean array (or index) selects."""
        return Notes(
            self.onset[is_kept], self.duration[is_kept], self.pitch[is_kept], self.velocity[is_kept]
        )

    def __len__(self) -> int:
        return len(self.onset)

    def __iter__(self) -> Iterator[Note]:
        rows = zip(
            self.onset.tolist(),
            self.duration.tolist(),
            self.pitch.tolist(),
            self.velocity.tolist(),
            strict=True,
        )
        return (Note(*row) for row in rows)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Notes):
            return NotImplemented
        return self.as_bytes() == other.as_bytes()

    def __hash__(self) -> int:
        return hash(self.as_bytes())

    def __repr__(self) -> str:
        if not len(self):
            return "Notes(none)"
        return (
            f"Notes({len(self)} notes, ticks {int(self.onset[0])}-{self.end}, "
            f"pitches {int(self.pitch.min())}-{int(self.pitch.max())})"
        )

    def as_bytes(self) -> bytes:
        """All columns, one after the other, as little-endian 64-bit integers."""
        columns = (self.onset, self.duration, self.pitch, self.velocity)
        return b"".join(column.astype("<i8").tobytes() for column in columns)


def sorted_order(key: np.ndarray, duration: np.ndarray, velocity: np.ndarray) -> np.ndarray:
    """Rows in the order of a key that holds onset and pitch, then of duration and velocity."""
    order = np.argsort(key)
    ordered = key[order]
    is_again = ordered[1:] == ordered[:-1]
    if is_again.any():  # one pitch twice at one onset: rare
        is_tied = np.zeros(len(order), dtype=bool)
        is_tied[1:] = is_again
        is_tied[:-1] |= is_again
        tied = order[is_tied]
        order[is_tied] = tied[np.lexsort((velocity[tied], duration[tied], key[tied]))]
    return order


def _column(name: str, values: Any) -> np.ndarray:
    """Return a fresh int64 vector, or say why the values cannot be one."""
    array = np.asarray(values)
    if array.ndim != 1:
        raise MusicError(f"note column {name} must be one-dimensional, got shape {array.shape}")
    if array.size == 0:
        return np.zeros(0, dtype=np.int64)
    if array.dtype.kind not in "iu":
        raise MusicError(f"note column {name} must hold integers, got {array.dtype}")
    return array.astype(np.int64)


def _check(
    onset: np.ndarray, duration: np.ndarray, pitch: np.ndarray, velocity: np.ndarray
) -> None:
    """Refuse the first row that is not a note."""
    if (out := (onset < 0) | (onset > MAX_TICK)).any():
        row = int(out.argmax())
        raise MusicError(f"note {row} starts at tick {onset[row]}: ticks run from 0 to {MAX_TICK}")
    if (out := (duration < 1) | (onset + duration > MAX_TICK)).any():
        row = int(out.argmax())
        raise MusicError(
            f"note {row} at tick {onset[row]} lasts {duration[row]} ticks: a note lasts at least 1 "
            f"and ends by tick {MAX_TICK}"
        )
    if (out := (pitch < LOWEST_PITCH) | (pitch > HIGHEST_PITCH)).any():
        row = int(out.argmax())
        raise PitchRangeError(
            f"pitch {pitch[row]} at tick {onset[row]} is outside {LOWEST_PITCH}-{HIGHEST_PITCH}"
        )
    if (out := (velocity < 1) | (velocity > 127)).any():
        row = int(out.argmax())
        raise MusicError(f"velocity {velocity[row]} at tick {onset[row]} is outside 1-127")
