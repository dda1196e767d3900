"""What a model expected while it read a piece: `Expectations`, the probabilities of all pitches.

One pass over a piece as it was written (teacher forcing) gives, for each grid step, the probability
that each pitch *sounds* there. Networks that write events say it in two ways: a note of this pitch
begins now, or the note before is held and has this pitch. Both are added up, with the note that
really came before:

    P(pitch p sounds at t) = P(a note p begins at t) + P(hold at t) if p sounded at t - 1.

Silence is the rest: a rest begins, or goes on. So the probabilities of a step sum to 1. Networks
whose cells say what sounds (`SatbRepresentation` without holds) say it at once.

Note by note the surprise is that of `generation.likelihood` and `generation.voice_likelihood`.
"""

from dataclasses import dataclass

import numpy as np

from partimento.generation.engine import StepEngine
from partimento.generation.frame_engine import FrameEngine
from partimento.generation.hearing import Heard
from partimento.generation.hearing_voices import HeardVoices
from partimento.generation.likelihood import by_note, log_probabilities, to_the_bar_line
from partimento.generation.sampling import log_softmax
from partimento.generation.voice_likelihood import VoiceLikelihood
from partimento.generation.voice_likelihood import by_note as by_voice
from partimento.music.four_voices import SILENT, VOICES
from partimento.music.notes import Notes
from partimento.music.score import Score
from partimento.representations import melody, satb
from partimento.representations.frames import NUM_VOICES, frame_features


@dataclass(frozen=True, eq=False)
class Expected:
    """One voice of a piece, and what a model expected of it.

    Attributes
    ----------
    voice : str
    notes : Notes
        As the model heard them, in ticks and pitches of the piece.
    note_nats : float64 array, shape (note,)
        Surprise at each.
    step_ticks : int64 array, shape (step + 1,)
        Where each step begins, and where the last one ends.
    lowest : int
        Pitch of the first column, in the piece.
    probabilities : float64 array, shape (step, pitch)
        That this pitch sounds at this step.
    silence : float64 array, shape (step,)
        That none does. All of a step sums to 1.
    """

    voice: str
    notes: Notes
    note_nats: np.ndarray
    step_ticks: np.ndarray
    lowest: int
    probabilities: np.ndarray
    silence: np.ndarray


@dataclass(frozen=True, eq=False)
class Expectations:
    """What a model expected of a piece.

    Attributes
    ----------
    score : Score
        The piece; its ticks are those of the voices.
    voices : tuple of Expected
        One for a melody, four from soprano to bass.
    given : str
        What was known to the model when it said a probability, in words.
    remarks : tuple of str
        What was changed for the model's ears.
    """

    score: Score
    voices: tuple[Expected, ...]
    given: str
    remarks: tuple[str, ...] = ()

    @property
    def nats(self) -> float:
        """Surprise at all notes."""
        return float(sum(voice.note_nats.sum() for voice in self.voices))

    def __repr__(self) -> str:
        steps = len(self.voices[0].silence)
        count = len(self.voices)
        voices = f"{count} voice{'' if count == 1 else 's'}"
        return f"Expectations({voices}, {steps} steps, {self.nats:.1f} nats, {self.given})"


def melody_expectations(engine: StepEngine, heard: Heard) -> Expectations:
    """Read a melody with a model of melodies; it is heard whole."""
    tokens = to_the_bar_line(heard)
    said = np.concatenate([row for _, row in log_probabilities(engine, [heard], [tokens])])
    measured = by_note(heard, tokens, -said[np.arange(len(tokens)), tokens])
    probabilities, silence = sounding(
        np.exp(said), tokens, melody.FIRST_PITCH, melody.REST, melody.HOLD
    )
    voice = Expected(
        "melody",
        heard.notes,
        measured.note_nats,
        heard.ticks(np.arange(len(tokens) + 1)),
        heard.representation.lowest - heard.shift,
        probabilities,
        silence,
    )
    return Expectations(heard.score, (voice,), "given all before it", heard.remarks)


def frame_expectations(engine: FrameEngine, heard: HeardVoices) -> Expectations:
    """Read four voices with a network that goes from frame to frame."""
    said = frame_log_probabilities(engine, heard.tokens, heard.first)
    order = ", ".join(VOICES[voice] for voice in engine.order)
    return voices_expected(
        heard, said, f"given all before it, and within a step in the order {order}"
    )


def frame_log_probabilities(engine: FrameEngine, cells: np.ndarray, first: int = 0) -> np.ndarray:
    """Log-probabilities of every cell of a piece, with nothing told but the past.

    The frames go one after another, then each voice is asked of all steps at once.

    Parameters
    ----------
    cells
        All known, shape (step, voice).
    first
        Where the first step stands in its beat.

    Returns
    -------
    said : float64 array, shape (step, voice, vocab)
    """
    (rows,) = frame_features([cells], engine.representation, [first])
    sequences = engine.frame.start(1)
    past = np.concatenate([sequences.step(rows[step : step + 1]) for step in range(len(cells))])
    past = past.reshape(len(cells), NUM_VOICES, -1)
    seen = np.full_like(cells, engine.representation.unknown)
    said = np.empty((*cells.shape, engine.representation.vocab_size))
    for voice in engine.order:
        said[:, voice] = log_softmax(engine.voice_logits(voice, past[:, voice], rows, seen))
        seen[:, voice] = cells[:, voice]
    return said


def voices_expected(heard: HeardVoices, said: np.ndarray, given: str) -> Expectations:
    """Lay out what a model said of the cells of four voices.

    Parameters
    ----------
    said
        Log-probabilities, shape (step, voice, vocab).
    given
        See `Expectations`.
    """
    representation, tokens = heard.representation, heard.tokens
    nats = -np.take_along_axis(said, tokens[..., None], axis=-1)[..., 0]  # step voice
    measured = by_voice(heard, nats)
    hold = satb.HOLD if representation.holds else None
    voices = []
    for voice, name in enumerate(VOICES):
        probabilities, silence = sounding(
            np.exp(said[:, voice]), tokens[:, voice], representation.first_pitch, satb.REST, hold
        )
        notes, note_nats = _notes_of(heard, voice, measured)
        voices.append(
            Expected(
                name,
                notes,
                note_nats,
                heard.ticks(np.arange(len(tokens) + 1)),
                representation.lowest - heard.shift,
                probabilities,
                silence,
            )
        )
    return Expectations(heard.score, tuple(voices), given, heard.remarks)


def sounding(
    probabilities: np.ndarray, tokens: np.ndarray, first_pitch: int, rest: int, hold: int | None
) -> tuple[np.ndarray, np.ndarray]:
    """Turn probabilities of tokens into those of what sounds.

    Parameters
    ----------
    probabilities
        Shape (step, vocab).
    tokens
        What really came, shape (step,).
    first_pitch, rest, hold
        Tokens; `None` where there is no hold.

    Returns
    -------
    pitches : float64 array, shape (step, pitch)
    silence : float64 array, shape (step,)

    Examples
    --------
    A note of pitch 1 begins, and is held with probability 0.75:

    >>> said = np.array([[0, 0, 0.5, 0.5], [0.75, 0.125, 0.125, 0]])
    >>> sounding(said, np.array([3, 0]), first_pitch=2, rest=1, hold=0)[0].tolist()
    [[0.5, 0.5], [0.125, 0.75]]
    """
    pitches = probabilities[:, first_pitch:].copy()
    silence = probabilities[:, rest].copy()
    if hold is None:
        return pitches, silence
    steps = np.arange(len(tokens))
    said_at = np.maximum.accumulate(np.where(tokens != hold, steps, -1))
    before = np.append(-1, said_at[:-1])  # step of the last event before each step
    event = np.where(before >= 0, tokens[np.maximum(before, 0)], rest)
    holds_note = event >= first_pitch
    at = np.flatnonzero(holds_note)
    pitches[at, event[at] - first_pitch] += probabilities[at, hold]
    return pitches, silence + np.where(holds_note, 0.0, probabilities[:, hold])


def _notes_of(
    heard: HeardVoices, voice: int, measured: VoiceLikelihood
) -> tuple[Notes, np.ndarray]:
    """Bring a voice's notes on the model's grid back to the piece, and say how each surprised."""
    pitch, struck = heard.voices.pitch[:, voice], heard.voices.is_struck[:, voice]
    onset = np.flatnonzero(struck)
    changes = np.flatnonzero(struck | (pitch == SILENT))
    following = np.searchsorted(changes, onset, side="right")
    offset = np.append(changes, len(pitch))[following]
    start, stop = heard.ticks(onset), heard.ticks(offset)
    notes = Notes(start, np.maximum(stop - start, 1), pitch[onset] - heard.shift)
    return notes, measured.note_nats[measured.voice == voice]
