"""What can be measured of a window of music, and the directions in which it grows: the sliders.

`measured` gives the attributes of windows. `Sliders` holds, for each attribute, the direction of
the space along which it grows while the others stay: found by regressing the attributes of real
windows on where they lie.

References
----------
Roberts et al., "MusicVAE", ICML 2018, section 5.4 (attribute vectors). Here a ridge regression
takes the place of differences of means, and its pseudo-inverse that of the single vectors, so that
turning one slider leaves the others alone.
"""

from dataclasses import dataclass, replace

import numpy as np

from partimento.errors import CheckpointError, ParameterError
from partimento.music.drums import hits_of
from partimento.representations.bars import BarsRepresentation
from partimento.representations.melody import FIRST_PITCH

MELODY_ATTRIBUTES = ("density", "register", "contour", "leaps", "repetition", "syncopation")
DRUM_ATTRIBUTES = ("density", "syncopation", "kick", "snare", "hats", "toms", "cymbals")
QUARTET_ATTRIBUTES = (*MELODY_ATTRIBUTES, "spread", "together")
LEAP = 5  # semitones; less is a step or a third
RIDGE = 1e-2  # share of the mean variance of a dimension


def attribute_names(representation: BarsRepresentation) -> tuple[str, ...]:
    """Name what is measured of such windows."""
    kinds = {"drums": DRUM_ATTRIBUTES, "quartet": QUARTET_ATTRIBUTES}
    return kinds.get(representation.kind, MELODY_ATTRIBUTES)


def measured(tables: np.ndarray, representation: BarsRepresentation) -> np.ndarray:
    """Measure windows; float64, shape (window, attribute).

    Melodies: *density* is notes a quarter; *register* the mean pitch; *contour* the mean pitch of
    the second half less that of the first, in semitones; *leaps* the share of intervals of a fourth
    or more; *repetition* the share of steps at which a bar does what the bar before it did;
    *syncopation* the share of notes off the quarters that are held over the next one.

    Drums: *density* as above, strokes a quarter; *syncopation* the share of strokes off the
    quarters; the others are strokes a quarter of those drums.

    Four parts: *density* as above, all parts together; *contour* that of the highest part; *spread*
    how many semitones its mean pitch lies above the lowest part's; *together* the share of notes
    that begin with another; the others are means over the parts that play.
    """
    if representation.kind == "drums":
        return _of_drums(tables, representation)
    if representation.kind == "quartet":
        return _of_quartets(tables, representation)
    flat = tables.reshape(len(tables), -1)
    is_note = representation.is_onset(flat)
    is_real = flat != representation.pad
    count = np.maximum(1, is_note.sum(axis=1))
    quarters = is_real.sum(axis=1) / representation.steps_per_quarter
    pitch = np.where(is_note, flat - FIRST_PITCH + representation.lowest, 0)
    real_place = np.cumsum(is_real, axis=1) - 1
    is_late = 2 * real_place >= is_real.sum(axis=1)[:, None]

    def mean(chosen: np.ndarray) -> np.ndarray:
        total: np.ndarray = np.where(chosen, pitch, 0).sum(axis=1) / np.maximum(
            1, chosen.sum(axis=1)
        )
        return total

    register = mean(is_note)
    early, late = mean(is_note & ~is_late), mean(is_note & is_late)
    has_both = (is_note & ~is_late).any(axis=1) & (is_note & is_late).any(axis=1)
    place = np.broadcast_to(np.arange(flat.shape[1]), flat.shape)
    before = np.maximum.accumulate(np.where(is_note, place, -1), axis=1)
    before = np.concatenate([np.full((len(flat), 1), -1), before[:, :-1]], axis=1)
    is_second = is_note & (before >= 0)
    interval = pitch - np.take_along_axis(pitch, np.maximum(before, 0), axis=1)
    is_leap = is_second & (np.abs(interval) >= LEAP)
    leaps = is_leap.sum(axis=1) / np.maximum(1, is_second.sum(axis=1))
    return np.stack(
        [
            is_note.sum(axis=1) / quarters,
            register,
            np.where(has_both, late - early, 0.0),
            leaps,
            _repetition(tables, representation),
            _syncopation(is_note, is_real, flat, representation) / count,
        ],
        axis=1,
    )


def _repetition(tables: np.ndarray, representation: BarsRepresentation) -> np.ndarray:
    if representation.bars == 1:
        return np.zeros(len(tables))
    is_real = tables[:, 1:] != representation.pad
    same = (tables[:, 1:] == tables[:, :-1]) & is_real
    share: np.ndarray = same.sum(axis=(1, 2)) / np.maximum(1, is_real.sum(axis=(1, 2)))
    return share


def _syncopation(
    is_note: np.ndarray, is_real: np.ndarray, flat: np.ndarray, representation: BarsRepresentation
) -> np.ndarray:
    """Count notes off the quarters over whose end of quarter nothing new begins."""
    beat = representation.steps_per_quarter
    place = np.arange(flat.shape[1]) % representation.positions
    is_on = np.broadcast_to(place % beat == 0, flat.shape)
    is_event = is_real & (flat != 0)
    later = np.zeros(flat.shape, dtype=bool)  # an event stands between here and the next quarter
    for ahead in range(1, beat):  # a few shifts of whole tables
        moved = np.zeros_like(later)
        moved[:, :-ahead] = is_event[:, ahead:] & (place[:-ahead] // beat == place[ahead:] // beat)
        later |= moved
    left = beat - place % beat
    next_on = np.minimum(np.arange(flat.shape[1]) + left, flat.shape[1] - 1)
    is_struck = is_event[:, next_on]
    found: np.ndarray = (is_note & ~is_on & ~later & ~is_struck).sum(axis=1)
    return found


def _of_quartets(tables: np.ndarray, representation: BarsRepresentation) -> np.ndarray:
    windows, parts = len(tables), representation.parts
    lines = tables.reshape(windows * parts, representation.bars, representation.positions)
    each = measured(lines, replace(representation, kind="melody")).reshape(windows, parts, -1)
    starts = representation.is_onset(lines).reshape(windows, parts, -1)  # window part step
    plays = np.asarray(starts.any(axis=2))  # window part
    count = np.maximum(1, plays.sum(axis=1))
    column = {name: each[:, :, number] for number, name in enumerate(MELODY_ATTRIBUTES)}
    mean = {name: (values * plays).sum(axis=1) / count for name, values in column.items()}
    order = np.arange(parts)
    top = np.where(plays, order, parts).min(axis=1, initial=parts - 1)
    bottom = np.where(plays, order, 0).max(axis=1)
    row = np.arange(windows)
    at_once = starts.sum(axis=1)  # window step
    together = np.where(at_once > 1, at_once, 0).sum(axis=1) / np.maximum(1, at_once.sum(axis=1))
    mean["density"] = column["density"].sum(axis=1)
    mean["contour"] = column["contour"][row, top]
    spread = column["register"][row, top] - column["register"][row, bottom]
    return np.stack([*(mean[name] for name in MELODY_ATTRIBUTES), spread, together], axis=1)


def _of_drums(tables: np.ndarray, representation: BarsRepresentation) -> np.ndarray:
    is_real = tables != representation.pad
    hits = hits_of(np.where(is_real, tables, 0))  # window bar position drum
    strokes = hits.sum(axis=3)
    total = np.maximum(1, strokes.sum(axis=(1, 2)))
    quarters = is_real.sum(axis=(1, 2)) / representation.steps_per_quarter
    is_off = np.arange(representation.positions) % representation.steps_per_quarter != 0
    each = hits.sum(axis=(1, 2)) / quarters[:, None]
    groups = ((0,), (1,), (2, 3), (4, 5, 6), (7, 8))
    return np.stack(
        [
            strokes.sum(axis=(1, 2)) / quarters,
            (strokes * is_off).sum(axis=(1, 2)) / total,
            *(each[:, list(group)].sum(axis=1) for group in groups),
        ],
        axis=1,
    )


@dataclass(frozen=True, eq=False)
class Sliders:
    """Directions of a space.

    Attributes
    ----------
    names : tuple of str
    directions : float64 array, shape (slider, latent)
        A point moves by this to raise an attribute by one standard deviation, the others staying.
    deviations : float64 array, shape (slider,)
        Standard deviation of each attribute over the music it was learned from.
    """

    names: tuple[str, ...]
    directions: np.ndarray
    deviations: np.ndarray

    @classmethod
    def learned(cls, z: np.ndarray, attributes: np.ndarray, names: tuple[str, ...]) -> "Sliders":
        """Find the directions from where windows lie and what is measured of them.

        Parameters
        ----------
        z
            Shape (window, latent).
        attributes
            Shape (window, attribute).
        """
        if not names or len(z) < 2 * len(names):
            raise ParameterError(
                f"{len(z)} windows are too few to learn {len(names)} sliders from: add music"
            )
        deviations = attributes.std(axis=0)
        if (still := deviations < 1e-9).any():
            name = names[int(still.argmax())]
            raise ParameterError(
                f"{name} is the same in all the music: there is no slider to learn from it"
            )
        wanted = (attributes - attributes.mean(axis=0)) / deviations
        away = z - z.mean(axis=0, dtype=np.float64)
        covariance = away.T @ away / len(z)
        ridge = RIDGE * np.trace(covariance) / len(covariance)
        weights = np.linalg.solve(
            covariance + ridge * np.eye(len(covariance)), away.T @ wanted / len(z)
        )  # latent attribute
        # Of all moves that change one prediction alone, the likeliest: along the covariance.
        towards = covariance @ weights
        directions = (towards @ np.linalg.pinv(weights.T @ towards)).T
        return cls(names, directions, deviations)

    @classmethod
    def of_arrays(
        cls, arrays: dict[str, np.ndarray] | None, names: object, latent_size: int
    ) -> "Sliders | None":
        """Read what `arrays` wrote; `None` where a checkpoint has no sliders."""
        if not arrays or "slider_directions" not in arrays:
            return None
        directions = arrays["slider_directions"].astype(np.float64)
        deviations = arrays.get("slider_deviations", np.zeros(0)).astype(np.float64)
        is_named = isinstance(names, list) and all(
            isinstance(name, str) and name.isprintable() and 0 < len(name) <= 40 for name in names
        )
        if (
            not isinstance(names, list)
            or not is_named
            or directions.shape != (len(names), latent_size)
            or deviations.shape != (len(names),)
            or not np.isfinite(directions).all()
            or not np.isfinite(deviations).all()
        ):
            raise CheckpointError("the checkpoint's sliders do not fit its network")
        return cls(tuple(names), directions, deviations)

    def arrays(self) -> dict[str, np.ndarray]:
        """Give them as plain arrays, for a checkpoint."""
        return {
            "slider_directions": self.directions.astype(np.float32),
            "slider_deviations": self.deviations.astype(np.float32),
        }

    def direction(self, name: str) -> np.ndarray:
        """Direction of one slider.

        Raises
        ------
        ParameterError
            If there is none of this name.
        """
        if name not in self.names:
            raise ParameterError(f"no slider {name!r}: there is {', '.join(self.names)}")
        direction: np.ndarray = self.directions[self.names.index(name)]
        return direction
