"""`MelodyRepresentation`: one melody as one event a grid step, the way MusicRNN reads it.

| token | means |
|---|---|
| 0 `HOLD` | nothing starts or ends: a note sounds on, or silence goes on |
| 1 `REST` | the sounding note ends |
| 2 + (pitch - lowest) | a note of this pitch starts (and ends the one before) |

`encode` and `decode` are exact on melodies whose onsets and offsets lie on the grid. What does not
survive: velocity, times between grid steps (moved to the nearest), overlaps (a note ends when the
next starts) and the silence after the last note beyond what `steps` asks for.

Networks may read more than the token before: `features` lays out, for every step to be predicted,
the place in the bar, what happened one or more bars ago, and how many bars are left. All of it is
known before the step is drawn, so likelihoods stay exact.

References
----------
Magenta's `melody_encoder_decoder` (events), and "lookback" RNN: Waite, "Generating Long-Term
Structure in Songs and Stories", 2016.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from partimento.errors import ParameterError, VocabularyError
from partimento.music.grid import Grid, check_steps_per_quarter
from partimento.music.notes import DEFAULT_VELOCITY, Notes
from partimento.music.timing import steps_to_ticks, ticks_to_steps
from partimento.representations import melody_columns
from partimento.representations.melody_columns import FIRST_PITCH, HOLD, REST, token_at

__all__ = ["FIRST_PITCH", "HOLD", "REST", "MelodyRepresentation"]

MAX_POSITION = 95  # steps into or left in a bar; longer bars share the last value
MAX_BEAT = 23
BARS_IN_CYCLE = 16


@dataclass(frozen=True)
class MelodyRepresentation:
    """Melodies of a span of pitches on a grid.

    Attributes
    ----------
    steps_per_quarter : int
        4 is a sixteenth grid; 12 also holds triplets.
    lowest, highest : int
        Pitches that have a token, both included. The default 36 are those of `basic_rnn`.
    with_position : bool
        Features say where in the bar, the beat and a cycle of 16 bars a step stands.
    lookback_bars : tuple of int
        Features hold the token that stood at this place so many bars ago.
    countdown_bars : int
        A feature says how many bars are left, up to so many; 0 leaves it out.
    match_bars, match_limit : tuple of int, int
        Features count the last events in a row that repeated what was so many bars before them,
        up to the limit.
    counter_bits : int
        Features are the binary digits of the place in a group of bars, as Magenta counts.
    repeat_bars : tuple of int
        Besides the events there is a class "the same as so many bars ago" for each: a network may
        say a repeat in that way, too.
    key_aware : bool
        In place of the token before, features hold the sounding pitch, whether it starts, where
        the line moves, and the keys it may be in: the inputs of Magenta's `attention_rnn`.
    from_first_note : bool
        Networks read and predict pitches as intervals from the first note of the piece, so that
        what they learn in one key holds in all.
    """

    steps_per_quarter: int = 4
    lowest: int = 48
    highest: int = 83
    with_position: bool = False
    lookback_bars: tuple[int, ...] = ()
    countdown_bars: int = 0
    match_bars: tuple[int, ...] = ()
    match_limit: int = 1
    counter_bits: int = 0
    repeat_bars: tuple[int, ...] = ()
    key_aware: bool = False
    from_first_note: bool = False

    def __post_init__(self) -> None:
        check_steps_per_quarter(self.steps_per_quarter)
        if not 0 <= self.lowest <= self.highest <= 127:
            raise ParameterError(
                f"lowest and highest must be 0-127 in this order, got {self.lowest}-{self.highest}"
            )
        for name in ("lookback_bars", "match_bars", "repeat_bars"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
            if any(not 1 <= bars <= 64 for bars in getattr(self, name)):
                raise ParameterError(f"{name} must be 1-64, got {getattr(self, name)}")
        for name, most in (("countdown_bars", 256), ("counter_bits", 12)):
            if not 0 <= getattr(self, name) <= most:
                raise ParameterError(f"{name} must be 0-{most}, got {getattr(self, name)}")
        if not 1 <= self.match_limit <= 256:
            raise ParameterError(f"match_limit must be 1-256, got {self.match_limit}")
        if self.key_aware and self.from_first_note:
            raise ParameterError("key_aware inputs are absolute pitches: leave from_first_note out")

    @property
    def vocab_size(self) -> int:
        """Tokens: hold, rest and one a pitch."""
        return FIRST_PITCH + self.highest - self.lowest + 1

    @property
    def pitch_values(self) -> int:
        """Different pitches, or intervals from the first note, that networks tell apart."""
        span = self.highest - self.lowest
        return 2 * span + 1 if self.from_first_note else span + 1

    @property
    def feature_sizes(self) -> tuple[int, ...]:
        """Values each feature can take, in the order `features` lays them out.

        The last value stands for "nothing": before the beginning, off. A size of 0 marks a column
        that is no input, but tells the network how to read its own output: see `repeat_columns`
        and `reference_column`.
        """
        token = FIRST_PITCH + self.pitch_values + 1  # one more: before the beginning
        place = (MAX_POSITION + 1, MAX_POSITION + 1, MAX_BEAT + 1, BARS_IN_CYCLE)
        key_aware = (self.pitch_values + 1, 2, 2, 3, 2, *(2,) * 24)
        return (
            *(key_aware if self.key_aware else (token,)),
            *(place if self.with_position else ()),
            *(token for _ in self.lookback_bars),
            *((self.countdown_bars + 2,) if self.countdown_bars else ()),
            *(self.match_limit + 1 for _ in self.match_bars),
            *(2 for _ in range(self.counter_bits)),
            *(0 for _ in self._unread_repeats),
            *((0,) if self.from_first_note else ()),
        )

    @property
    def only_copies(self) -> bool:
        """Whether every feature is a token of another step, or the same for all tokens."""
        return not (self.match_bars or self.key_aware or self.from_first_note)

    @property
    def repeat_columns(self) -> tuple[int, ...]:
        """Columns that hold the token which each class of `repeat_bars` stands for."""
        lookbacks = (29 if self.key_aware else 1) + 4 * self.with_position
        unread = len(self.feature_sizes) - self.from_first_note - len(self._unread_repeats)
        columns = {bars: lookbacks + index for index, bars in enumerate(self.lookback_bars)}
        columns |= {bars: unread + index for index, bars in enumerate(self._unread_repeats)}
        return tuple(columns[bars] for bars in self.repeat_bars)

    @property
    def reference_column(self) -> int | None:
        """Column of the first note, as steps above `lowest`; None where pitches are absolute."""
        return len(self.feature_sizes) - 1 if self.from_first_note else None

    @property
    def _unread_repeats(self) -> tuple[int, ...]:
        """Bars of the repeats that no lookback reads."""
        return tuple(bars for bars in self.repeat_bars if bars not in self.lookback_bars)

    def encode(
        self, notes: Notes, ticks_per_quarter: int = 480, steps: int | None = None
    ) -> np.ndarray:
        """Write a melody as tokens.

        Parameters
        ----------
        notes
            One voice. Where notes overlap, each ends when the next starts.
        ticks_per_quarter
            Division of `notes`.
        steps
            Length of the result; `None` ends it where the last note ends. Longer is filled with
            silence, shorter is refused.

        Returns
        -------
        tokens : int64 array, shape (time,)

        Raises
        ------
        VocabularyError
            If a pitch has no token, or two notes fall on one step.
        """
        onset = ticks_to_steps(notes.onset, ticks_per_quarter, self.steps_per_quarter)
        offset = ticks_to_steps(notes.offset, ticks_per_quarter, self.steps_per_quarter)
        self._check(notes, onset)
        offset = np.maximum(offset, onset + 1)
        offset[:-1] = np.minimum(offset[:-1], onset[1:])
        last = int(offset[-1]) if len(notes) else 0
        length = last if steps is None else steps
        if length < last:
            raise VocabularyError(
                f"the melody is {last} steps long and does not fit in {length}: slice it first"
            )
        tokens = np.full(length + 1, HOLD, dtype=np.int64)
        tokens[offset] = REST  # overwritten where the next note starts at once
        tokens[onset] = notes.pitch - self.lowest + FIRST_PITCH
        return tokens[:length]

    def decode(
        self, tokens: np.ndarray, ticks_per_quarter: int = 480, velocity: int = DEFAULT_VELOCITY
    ) -> Notes:
        """Read tokens as a melody; any tokens 0 to ``vocab_size - 1`` in any order are music.

        A `REST` while nothing sounds says nothing; the last note ends with the last token.
        """
        return self.decode_many(np.asarray(tokens)[None], ticks_per_quarter, velocity)[0]

    def decode_many(
        self, tokens: np.ndarray, ticks_per_quarter: int = 480, velocity: int = DEFAULT_VELOCITY
    ) -> list[Notes]:
        """Read rows of tokens, (melody, time), as melodies: see `decode`."""
        tokens = np.asarray(tokens, dtype=np.int64)
        if ((tokens < 0) | (tokens >= self.vocab_size)).any():
            raise VocabularyError(f"tokens must be 0 to {self.vocab_size - 1}")
        rows, length = tokens.shape
        ended = np.full((rows, length + 1), REST)  # after the last step, nothing sounds
        ended[:, :length] = tokens
        flat = ended.reshape(-1)
        events = np.flatnonzero(flat != HOLD)
        is_onset = flat[events] >= FIRST_PITCH
        onset = events[is_onset]
        end = events[np.flatnonzero(is_onset) + 1]
        row, step = np.divmod(onset, length + 1)
        grid = ticks_per_quarter, self.steps_per_quarter
        onset_tick = steps_to_ticks(step, *grid)
        end_tick = steps_to_ticks(step + end - onset, *grid)
        table = np.stack(
            [
                onset_tick,
                np.maximum(end_tick - onset_tick, 1),
                flat[onset] - FIRST_PITCH + self.lowest,
                np.full(len(onset), velocity),
            ]
        )
        edges = np.searchsorted(row, np.arange(rows + 1)).tolist()
        return [Notes.of_table(table[:, first:last]) for first, last in pairwise(edges)]

    def features(
        self,
        tokens: np.ndarray,
        grid: Grid,
        bars: int | None = None,
        start: int = 0,
        stop: int | None = None,
    ) -> np.ndarray:
        """Lay out what is known before each step is drawn.

        Parameters
        ----------
        tokens
            Integers, shape (..., time): the steps so far. Row ``t`` of the result reads only
            ``tokens[..., :t]``.
        grid
            Bars and beats of at least `stop` steps.
        bars
            Bars the whole piece will have; `None` where nobody knows.
        start, stop
            Steps to lay out; all that `tokens` holds by default. `stop` may be one beyond.

        Returns
        -------
        features : int64 array, shape (..., stop - start, feature)
            Each column in ``0 … feature_sizes[i] - 1``.
        """
        tokens = np.asarray(tokens)
        stop = tokens.shape[-1] if stop is None else stop
        steps = np.arange(start, stop)
        place = grid[start:stop]
        shape = (*tokens.shape[:-1], stop - start)
        span = self.highest - self.lowest
        nothing = FIRST_PITCH + self.pitch_values
        reference = shift = np.zeros(1, dtype=np.int64)
        if self.from_first_note:
            middle = FIRST_PITCH + span // 2
            reference = melody_columns.first_pitch(tokens, start, stop, middle) - FIRST_PITCH
            shift = span - reference
        # Tokens of the step before, and of so many bars ago, all at once: (..., column, step).
        bars_ago = np.array([0, *self.lookback_bars, *self._unread_repeats])[:, None]
        ago = steps - np.where(bars_ago == 0, 1, bars_ago * place.bar_steps)
        found = token_at(tokens, ago, nothing)
        if self.from_first_note:
            is_pitch = (found >= FIRST_PITCH) & (ago >= 0)
            found = found + shift[..., None, :] * is_pitch
        before = list(np.moveaxis(found, -2, 0))

        columns = self._key_aware(tokens, grid, start, stop) if self.key_aware else before[:1]
        if self.with_position:
            left = place.bar_steps - place.position
            columns += [
                np.minimum(place.position, MAX_POSITION),
                np.minimum(left, MAX_POSITION),
                np.minimum(place.position % place.beat_steps, MAX_BEAT),
                place.bar % BARS_IN_CYCLE,
            ]
        columns += before[1 : 1 + len(self.lookback_bars)]
        if self.countdown_bars:
            unknown = self.countdown_bars + 1
            left = np.full(len(steps), unknown)
            if bars is not None:
                left = np.clip(bars - place.bar - 1, 0, unknown - 1)
            columns.append(left)
        if self.match_bars:
            runs = melody_columns.repeated_in_a_row(
                tokens, grid, self.match_bars, self.match_limit, start, stop
            )
            columns += list(self.match_limit - np.moveaxis(runs, -2, 0))
        if self.counter_bits:
            columns += list(1 - melody_columns.counter(grid, self.counter_bits, start, stop).T)
        columns += before[1 + len(self.lookback_bars) :]
        if self.from_first_note:
            columns.append(reference)
        features = np.empty((*shape, len(columns)), dtype=np.int64)
        for number, column in enumerate(columns):
            features[..., number] = column
        return features

    def _key_aware(self, tokens: np.ndarray, grid: Grid, start: int, stop: int) -> list[np.ndarray]:
        """Columns in place of the token before: the inputs of Magenta's `attention_rnn`.

        Magenta spends two inputs on "sounds" and "is silent" and one on the direction; here one and
        two say the same.
        """
        pitch, is_attack = melody_columns.sounding(tokens, start, stop)
        moves = melody_columns.direction(tokens, start, stop)
        in_keys, recently = melody_columns.keys(tokens, self.lowest, start, stop)
        flags = 1 - np.concatenate([in_keys, recently], axis=-1)
        return [
            np.where(pitch < 0, self.pitch_values, pitch),
            np.where(pitch < 0, 1, 0),
            1 - is_attack.astype(np.int64),
            np.where(moves == 0, 2, (1 - moves) // 2),
            np.minimum(grid.position[start:stop], 1),
            *np.moveaxis(flags, -1, 0),
        ]

    def _check(self, notes: Notes, onset: np.ndarray) -> None:
        is_out = (notes.pitch < self.lowest) | (notes.pitch > self.highest)
        if is_out.any():
            first = int(is_out.argmax())
            raise VocabularyError(
                f"pitch {notes.pitch[first]} at tick {notes.onset[first]} has no token: this "
                f"vocabulary spans {self.lowest}-{self.highest}. Transpose the piece, or widen the "
                "span and train again."
            )
        if (meets := onset[1:] == onset[:-1]).any():
            first = int(meets.argmax())
            raise VocabularyError(
                f"two notes start on step {onset[first]} (ticks {notes.onset[first]} and "
                f"{notes.onset[first + 1]}): a melody has one. Take its top line with "
                "skyline(), or use more steps a quarter."
            )
