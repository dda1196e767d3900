"""How surprised a model is by four voices: `VoiceLikelihood`, in nats, voice by voice.

The probability of a piece is the product of those of its cells, so the surprises add up. A note's
surprise is that of its pitch, of where it begins, and of how long it lasts: all cells from its
beginning to the next note of its voice (silence before the first note counts with the first).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from partimento.generation.hearing_voices import HeardVoices
from partimento.music.four_voices import VOICES


@dataclass(frozen=True, eq=False)
class VoiceLikelihood:
    """Surprise of a model at one piece of four voices.

    Attributes
    ----------
    cell_nats : float64 array, shape (step, voice)
        Negative log-probability of each cell, given all steps before and the voices of the same
        step that come before it in the model's order.
    note_nats : float64 array, shape (note,)
        The same, summed from each note's beginning to the next of its voice.
    voice : int64 array, shape (note,)
        0 is the soprano.
    onset_qn : float64 array, shape (note,)
        Quarters from the beginning of the piece.
    pitch : int64 array, shape (note,)
        As in the piece.
    remarks : tuple of str
        What was changed for the model's ears.
    """

    cell_nats: np.ndarray
    note_nats: np.ndarray
    voice: np.ndarray
    onset_qn: np.ndarray
    pitch: np.ndarray
    remarks: tuple[str, ...] = ()

    @property
    def nats(self) -> float:
        """Of the whole piece."""
        return float(self.cell_nats.sum())

    @property
    def nats_per_cell(self) -> float:
        """`nats` divided by the number of cells, one of each voice at each step."""
        return self.nats / self.cell_nats.size

    @property
    def nats_per_note(self) -> float:
        """`nats` divided by the number of notes."""
        return self.nats / max(1, len(self.note_nats))

    def as_dict(self) -> dict[str, Any]:
        """Plain values, as `partimento likelihood --json` prints them."""
        notes = zip(
            self.onset_qn.tolist(),
            self.voice.tolist(),
            self.pitch.tolist(),
            self.note_nats.tolist(),
            strict=True,
        )
        return {
            "nats": self.nats,
            "nats_per_cell": self.nats_per_cell,
            "nats_per_note": self.nats_per_note,
            "num_notes": len(self.note_nats),
            "num_steps": len(self.cell_nats),
            "voices": {
                name: float(self.cell_nats[:, voice].mean()) for voice, name in enumerate(VOICES)
            },
            "notes": [
                {"onset_qn": q, "voice": VOICES[v], "pitch": p, "nats": n} for q, v, p, n in notes
            ],
        }

    def __repr__(self) -> str:
        return (
            f"VoiceLikelihood({self.nats:.1f} nats, {self.nats_per_cell:.3f} a cell, "
            f"{len(self.note_nats)} notes)"
        )


def by_note(heard: HeardVoices, cell_nats: np.ndarray) -> VoiceLikelihood:
    """Add cells up to notes."""
    nats, voice_of, steps, pitches = [], [], [], []
    for voice in range(len(VOICES)):
        onset = np.flatnonzero(heard.voices.is_struck[:, voice])
        if not len(onset):
            continue
        starts = onset.copy()
        starts[0] = 0
        nats.append(np.add.reduceat(cell_nats[:, voice], starts))
        voice_of.append(np.full(len(onset), voice))
        steps.append(onset)
        pitches.append(heard.voices.pitch[onset, voice] - heard.shift)
    ticks = heard.ticks(np.concatenate(steps))
    order = np.lexsort((np.concatenate(voice_of), ticks))
    return VoiceLikelihood(
        cell_nats,
        np.concatenate(nats)[order],
        np.concatenate(voice_of)[order],
        ticks[order] / heard.score.ticks_per_quarter,
        np.concatenate(pitches)[order],
        heard.remarks,
    )
