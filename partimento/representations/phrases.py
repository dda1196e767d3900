"""`PhraseRepresentation`: a few bars of several instruments as binary piano rolls.

A phrase is an array of booleans, (2, track, step, pitch): what is struck, and what sounds. The
pitches of a track begin at its own `lowest`. Phrases stand in C major or A minor (`in_c` finds how
far a phrase must move), so that a network sees degrees of a scale, and sound in any key that suits
the instruments (`score_of`).

References
----------
Dong et al., "MuseGAN: Multi-track Sequential Generative Adversarial Networks for Symbolic Music
Generation and Accompaniment", AAAI 2018 (phrases of bars of multi-track piano rolls).
"""

from dataclasses import dataclass

import numpy as np

from partimento.errors import ParameterError
from partimento.music.grid import beat_length, check_steps_per_quarter
from partimento.music.keys import MAJOR_PROFILE, MINOR_PROFILE
from partimento.music.notation import parse_meter
from partimento.music.score import Key, Meter, Part, Score, Tempo
from partimento.music.timing import steps_per_bar
from partimento.music.track_rolls import PITCHES, notes_of_roll

MOST_TRACKS, MOST_BARS, MOST_STEPS = 8, 16, 384
ONSET, SUSTAIN = 0, 1  # first axis of a phrase
OCTAVE = 12
C_MAJOR, A_MINOR = 0, 9  # tonics that phrases are moved to


@dataclass(frozen=True)
class PhraseRepresentation:
    """Phrases of so many bars for so many instruments.

    Attributes
    ----------
    names : str
        Of the tracks, between commas.
    programs : tuple of int
        General MIDI program of each.
    lowest : tuple of int
        Lowest pitch of each track's roll.
    pitches : int
        Height of each roll.
    reach : tuple of int
        Lowest pitch that each instrument can play; the highest is as high as its roll.
    bars : int
        Of a phrase.
    meter : str
        One for all: its bar and its beat are the shape of the network.
    steps_per_quarter : int
    """

    names: str = "Violin 1,Violin 2,Viola,Violoncello"
    programs: tuple[int, ...] = (40, 40, 41, 42)
    lowest: tuple[int, ...] = (50, 49, 42, 30)
    pitches: int = 48
    reach: tuple[int, ...] = (55, 55, 48, 36)
    bars: int = 4
    meter: str = "4/4"
    steps_per_quarter: int = 4

    def __post_init__(self) -> None:
        check_steps_per_quarter(self.steps_per_quarter)
        tracks = len(self.track_names)
        if not 1 <= tracks <= MOST_TRACKS or "" in self.track_names:
            raise ParameterError(
                f"names must be 1 to {MOST_TRACKS} names between commas, got {self.names!r}"
            )
        for name in ("programs", "lowest", "reach"):
            values = getattr(self, name)
            if len(values) != tracks or not all(0 <= value < PITCHES for value in values):
                raise ParameterError(f"{name} must be {tracks} numbers of 0-127, got {values}")
        if not OCTAVE <= self.pitches <= PITCHES - max(self.lowest):
            raise ParameterError(
                f"pitches must be {OCTAVE} to {PITCHES - max(self.lowest)}, got {self.pitches}"
            )
        if not 1 <= self.bars <= MOST_BARS:
            raise ParameterError(f"bars must be 1-{MOST_BARS}, got {self.bars}")
        if self.steps > MOST_STEPS:
            raise ParameterError(f"a phrase must have {MOST_STEPS} steps at most, got {self.steps}")
        if self.bar_steps % self.beat_steps:
            raise ParameterError(f"a bar of {self.meter} is no whole number of beats")

    @property
    def track_names(self) -> tuple[str, ...]:
        """Name of each track."""
        return tuple(name.strip() for name in self.names.split(","))

    @property
    def tracks(self) -> int:
        """How many there are."""
        return len(self.track_names)

    @property
    def bar_steps(self) -> int:
        """Steps in a bar."""
        return steps_per_bar(parse_meter(self.meter), self.steps_per_quarter)

    @property
    def beat_steps(self) -> int:
        """Steps in a beat."""
        return beat_length(parse_meter(self.meter), self.steps_per_quarter)

    @property
    def steps(self) -> int:
        """Steps in a phrase."""
        return self.bars * self.bar_steps

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Shape of a phrase: (2, track, step, pitch)."""
        return 2, self.tracks, self.steps, self.pitches

    def fits(self, meter: Meter) -> bool:
        """Whether the bars of a meter are as long as these and have the same kind of beat."""
        try:
            length = steps_per_bar(meter, self.steps_per_quarter)
        except ParameterError:
            return False
        beat = beat_length(meter, self.steps_per_quarter)
        return length == self.bar_steps and beat % self.beat_steps == 0

    def cut(self, rolls: np.ndarray, shifts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Cut whole rolls down to the pitches of each track.

        Parameters
        ----------
        rolls : bool array, shape (phrase, 2, track, step, 128)
        shifts : int array, shape (phrase,)
            Semitones that each phrase moves by, -12 to 12.

        Returns
        -------
        phrases : bool array, shape (phrase, 2, track, step, pitch)
        fits : bool array, shape (phrase,)
            Whether nothing of a phrase was cut off.
        """
        index = np.array(self.lowest)[:, None] + np.arange(self.pitches) - shifts[:, None, None]
        inside = (index >= 0) & (index < PITCHES)  # phrase track pitch
        taken = np.take_along_axis(
            rolls, np.clip(index, 0, PITCHES - 1)[:, None, :, None, :], axis=-1
        )
        phrases = taken & inside[:, None, :, None, :]
        return phrases, phrases.sum(axis=(1, 2, 3, 4)) == rolls.sum(axis=(1, 2, 3, 4))

    def shift_for(self, phrases: np.ndarray, key: Key | None = None) -> np.ndarray:
        """Choose how far each phrase moves out of C, so that the instruments can play it.

        Parameters
        ----------
        phrases
            Shape (phrase, 2, track, step, pitch).
        key
            Moves to this key, up or down; `None` moves as few notes out of reach as can be, and no
            farther than needed.

        Returns
        -------
        shifts : int64 array, shape (phrase,)
        """
        if key is None:
            moves = np.array(sorted(range(-6, 6), key=lambda move: (abs(move), move)))
        else:
            up = (key.tonic - (A_MINOR if key.is_minor else C_MAJOR)) % OCTAVE
            moves = np.array(sorted((up, up - OCTAVE), key=abs))
        sounding = phrases[:, ONSET].sum(axis=2)  # phrase track pitch
        pitch = np.array(self.lowest)[:, None] + np.arange(self.pitches)
        low = np.array(self.reach)[:, None]
        out = np.stack([(sounding * (pitch + m < low)).sum(axis=(1, 2)) for m in moves.tolist()])
        found: np.ndarray = moves[out.argmin(axis=0)]
        return found

    def score_of(
        self, phrase: np.ndarray, shift: int, qpm: float = 100, ticks_per_quarter: int = 480
    ) -> Score:
        """Read a phrase, or several in a row, as parts that can be played.

        What lies below an instrument's reach is played an octave higher.

        Parameters
        ----------
        phrase
            Shape (2, track, step, pitch).
        shift
            Semitones to move by.
        """
        parts = []
        for number, name in enumerate(self.track_names):
            whole = np.zeros((2, phrase.shape[2], PITCHES + 2 * OCTAVE), dtype=bool)
            start = self.lowest[number] + shift + OCTAVE  # an octave of room below 0
            whole[:, :, start : start + self.pitches] = phrase[:, number]
            for pitch in range(OCTAVE, self.reach[number] + OCTAVE):
                whole[:, :, pitch + OCTAVE] |= whole[:, :, pitch]
                whole[:, :, pitch] = False
            rolls = whole[:, :, OCTAVE : OCTAVE + PITCHES]
            onset, sustain = rolls
            notes = notes_of_roll(onset, sustain, ticks_per_quarter, self.steps_per_quarter)
            parts.append(Part(notes, name=name, program=self.programs[number]))
        meter = parse_meter(self.meter)
        return Score(
            tuple(parts),
            ticks_per_quarter=ticks_per_quarter,
            tempos=(Tempo.from_qpm(qpm),),
            meters=(meter,),
            end_tick=phrase.shape[2] * ticks_per_quarter // self.steps_per_quarter,
        )


def in_c(sounding: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Find the key of each phrase, and how far it must move to stand in C major or A minor.

    Parameters
    ----------
    sounding : array, shape (phrase, 128)
        How long each pitch sounds.

    Returns
    -------
    shifts : int64 array, shape (phrase,)
        -6 to 5.
    is_minor : bool array, shape (phrase,)
    """
    classes = np.zeros((len(sounding), OCTAVE))
    for pitch_class in range(OCTAVE):
        classes[:, pitch_class] = sounding[:, pitch_class::OCTAVE].sum(axis=1)
    turned = (np.arange(OCTAVE)[None, :] - np.arange(OCTAVE)[:, None]) % OCTAVE
    profiles = np.array([MAJOR_PROFILE, MINOR_PROFILE])[:, turned]  # mode tonic pitch_class
    profiles = profiles - profiles.mean(axis=-1, keepdims=True)
    profiles = profiles / np.linalg.norm(profiles, axis=-1, keepdims=True)
    centred = classes - classes.mean(axis=1, keepdims=True)
    likeness = np.einsum("mtc,pc->pmt", profiles, centred)
    best = likeness.reshape(len(sounding), 2 * OCTAVE).argmax(axis=1)
    is_minor, tonic = best >= OCTAVE, best % OCTAVE
    target = np.where(is_minor, A_MINOR, C_MAJOR)
    return (target - tonic + 6) % OCTAVE - 6, is_minor
