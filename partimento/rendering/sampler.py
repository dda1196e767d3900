"""The sampler: one part of a score, played with the samples of a SoundFont.

`play_part` adds a part to a stereo mix. Notes that share a sample, a pitch and a shade of velocity
share a *tone* (see `tones`); a note is a stretch of its tone with a release and a loudness of its
own. So the work is array work on whole tones, and the only loop is over notes.

Of a part are kept: velocity, program, volume, expression, pan and pitch bend. The sustain pedal
must have been applied to the notes.
"""

from dataclasses import dataclass, fields, replace

import numpy as np

from partimento.music.score import PITCH_BEND, Control, Part
from partimento.music.timing import TempoMap
from partimento.rendering.drums import EDGES
from partimento.rendering.soundfont import SoundFont, Zone
from partimento.rendering.tones import SILENT_DB, STRETCH, Curve, tone

LONGEST_RELEASE = 4.0  # [s] cymbals and bells ring on for longer than is worth computing
CHOKE = 0.03  # [s] in which a closed hi-hat ends the open one
SHORTEST_NOTE = 0.03  # [s] a note of one tick still sounds
VELOCITY_SHADE = 8  # velocities so near to each other share a tone
SMOOTHING = 0.008  # [s] over which a controller's move spreads, so that it does not click
VOLUME, PAN, EXPRESSION = 7, 10, 11
DEFAULT_VOLUME = 100
DATA_ENTRY, RPN_LOW, RPN_HIGH = 6, 100, 101
BEND_CENTER, DEFAULT_BEND_CENTS = 8192, 200
CONTROLLER_BLOCK = 1 << 20  # frames


@dataclass(frozen=True)
class Sounding:
    """What a part plays, one entry a note and zone: a note may sound several samples.

    Attributes
    ----------
    zone : int64 array
        Index of the preset's zones.
    onset, release : float64 array
        Seconds.
    choke : float64 array
        Seconds at which another note of its exclusive class ends it; infinity without one.
    pitch, velocity : int64 array
    """

    zone: np.ndarray
    onset: np.ndarray
    release: np.ndarray
    choke: np.ndarray
    pitch: np.ndarray
    velocity: np.ndarray


def play_part(
    mix: np.ndarray,
    part: Part,
    time: TempoMap,
    font: SoundFont,
    sample_rate: int,
    *,
    first_frame: int = 0,
    stop_frame: int | None = None,
) -> None:
    """Add a part to a mix.

    Parameters
    ----------
    mix : float32 array, shape (2, frame)
        Left and right; written to. What sounds beyond its end is left out.
    part
    time
        Of the score the part is in.
    font
    sample_rate
        Of the mix, in Hz.
    first_frame, stop_frame
        The mix begins at `first_frame` of the piece, and only notes that begin there or later, and
        before `stop_frame`, are played: so a long piece is played stretch by stretch.
    """
    if not len(part.notes):
        return
    span = (first_frame, 2**62 if stop_frame is None else stop_frame)
    if not any(control.number in (VOLUME, PAN, EXPRESSION) for control in part.controls):
        _play_notes(mix, part, time, font, sample_rate, span)
        return
    bus = np.zeros_like(mix)
    _play_notes(bus, part, time, font, sample_rate, span)
    for start in range(0, bus.shape[1], CONTROLLER_BLOCK):
        block = bus[:, start : start + CONTROLLER_BLOCK]
        seconds = np.arange(start, start + block.shape[1]) + first_frame
        seconds = seconds / sample_rate
        mix[:, start : start + CONTROLLER_BLOCK] += block * _channel_gain(part, time, seconds)


def _play_notes(
    mix: np.ndarray,
    part: Part,
    time: TempoMap,
    font: SoundFont,
    sample_rate: int,
    span: tuple[int, int],
) -> None:
    """Add the notes of a part, tone by tone."""
    zones = font.zones(*font.find(part.program, part.is_drum))
    sounding = _in_span(_schedule(part, time, zones), span, sample_rate)
    if not len(sounding.zone):
        return  # drum keys that no drum is on
    bend = _bend_curve(part.controls, time)
    is_bent = np.zeros(len(sounding.zone), dtype=bool)
    if bend is not None:
        is_bent = _is_bent(sounding, part.controls, time, bend)
    shade = sounding.velocity // VELOCITY_SHADE
    kinds = np.stack([sounding.zone, sounding.pitch, shade, is_bent * np.arange(1, len(shade) + 1)])
    _, group = np.unique(kinds, axis=1, return_inverse=True)
    group = group.reshape(-1)  # NumPy 2.0 gave it a second axis
    order = np.argsort(group, kind="stable")
    for rows in np.split(order, np.flatnonzero(np.diff(group[order])) + 1):
        first = int(rows[0])
        shifted = None
        if is_bent[first] and bend is not None:
            shifted = _from(bend, float(sounding.onset[first]))
        zone = zones[sounding.zone[first]]
        _play_tone(mix, sounding, rows, zone, font.samples, sample_rate, shifted, span[0])


def _play_tone(
    mix: np.ndarray,
    sounding: Sounding,
    rows: np.ndarray,
    zone: Zone,
    samples: np.ndarray,
    sample_rate: int,
    bend: Curve | None,
    first_frame: int,
) -> None:
    """Add the notes that share a tone."""
    onset = np.rint(sounding.onset[rows] * sample_rate).astype(np.int64) - first_frame
    held = np.rint((sounding.release - sounding.onset)[rows] * sample_rate).astype(np.int64)
    held = np.maximum(held, int(SHORTEST_NOTE * sample_rate))
    choke = np.minimum((sounding.choke - sounding.onset)[rows] * sample_rate, 2**40)
    release = _release_curve(zone.volume.release, sample_rate)
    quick = _release_curve(CHOKE, sample_rate)
    is_choked = choke < held + len(release)
    let_go = np.where(is_choked, choke, held).astype(np.int64)
    stop = let_go + np.where(is_choked, len(quick), len(release))
    stop = np.minimum(stop, mix.shape[1] - onset)

    velocity = sounding.velocity[rows]
    if zone.fixed_velocity >= 0:
        velocity = np.full_like(velocity, zone.fixed_velocity)
    gain = (velocity / 127) ** 2 * 10 ** (zone.gain_db / 20)  # 40 log10 [dB], section 8.4.1
    angle = (zone.pan + 1) * np.pi / 4
    left = (gain * np.cos(angle)).astype(np.float32)
    right = (gain * np.sin(angle)).astype(np.float32)
    shade = int(velocity[0]) // VELOCITY_SHADE * VELOCITY_SHADE + VELOCITY_SHADE // 2
    stretches = tone(
        samples, zone, int(sounding.pitch[rows[0]]), shade, int(stop.max()), sample_rate, bend
    )
    for number, stretch in enumerate(stretches):
        start = number * STRETCH
        for row in np.flatnonzero(stop > start).tolist():
            heard = stretch[: stop[row] - start]
            fall = quick if is_choked[row] else release
            begin = let_go[row] - start  # where in this stretch the release begins
            if begin < len(heard):
                falling = max(begin, 0)
                heard = heard.copy()
                heard[falling:] *= fall[falling - begin : len(heard) - begin]
            at = onset[row] + start
            mix[0, at : at + len(heard)] += heard * left[row]
            mix[1, at : at + len(heard)] += heard * right[row]


def _release_curve(seconds: float, sample_rate: int) -> np.ndarray:
    """Fall of 100 decibels in so many seconds, until nothing is heard."""
    frames = int(min(seconds * SILENT_DB / 100, LONGEST_RELEASE) * sample_rate) + 1
    decibels = np.arange(frames) * (-100 / (seconds * sample_rate))
    end = np.linspace(5, 0, frames).clip(0, 1)  # a release that is cut short ends at nothing
    return (10 ** (decibels / 20) * end).astype(np.float32)


def _schedule(part: Part, time: TempoMap, zones: tuple[Zone, ...]) -> Sounding:
    """Find the zones of each note, and when it is let go."""
    notes = part.notes
    heard = np.arange(128)
    if part.is_drum:
        heard[list(EDGES)] = list(EDGES.values())
    notes = replace(notes, pitch=heard[notes.pitch])
    keys = np.array([zone.keys for zone in zones]).reshape(-1, 2)
    velocities = np.array([zone.velocities for zone in zones]).reshape(-1, 2)
    strikes, strike = np.unique(notes.pitch * 128 + notes.velocity, return_inverse=True)
    pitch, velocity = strikes[:, None] // 128, strikes[:, None] % 128
    is_match = (keys[:, 0] <= pitch) & (pitch <= keys[:, 1])
    is_match &= (velocities[:, 0] <= velocity) & (velocity <= velocities[:, 1])  # strike zone
    counts = is_match.sum(axis=1)
    zone_of_match = np.nonzero(is_match)[1]
    first = np.cumsum(counts) - counts
    rows = np.repeat(np.arange(len(notes)), counts[strike])
    place = np.arange(len(rows)) - np.repeat(
        np.cumsum(counts[strike]) - counts[strike], counts[strike]
    )
    zone = zone_of_match[first[strike][rows] + place]
    onset = time.seconds(notes.onset)
    return Sounding(
        zone,
        onset[rows],
        time.seconds(notes.offset)[rows],
        _choked(onset[rows], np.array([z.exclusive for z in zones])[zone]),
        notes.pitch[rows],
        notes.velocity[rows],
    )


def _in_span(sounding: Sounding, span: tuple[int, int], sample_rate: int) -> Sounding:
    """Keep what begins inside a span of frames."""
    onset = np.rint(sounding.onset * sample_rate)
    rows = np.flatnonzero((onset >= span[0]) & (onset < span[1]))
    return Sounding(*(getattr(sounding, field.name)[rows] for field in fields(Sounding)))


def _choked(onset: np.ndarray, exclusive: np.ndarray) -> np.ndarray:
    """Onset of the next note of the same exclusive class; infinity without one."""
    choke = np.full(len(onset), np.inf)
    for kind in np.unique(exclusive[exclusive > 0]):
        rows = np.flatnonzero(exclusive == kind)
        times = np.unique(onset[rows])
        after = np.append(times, np.inf)[np.searchsorted(times, onset[rows], side="right")]
        choke[rows] = after
    return choke


def _bend_curve(controls: tuple[Control, ...], time: TempoMap) -> Curve | None:
    """Cents of pitch bend at each second of the piece; None for a part that never bends."""
    if all(c.number != PITCH_BEND or c.value == BEND_CENTER for c in controls):
        return None
    ticks, cents = [0], [0.0]
    reach, parameter = DEFAULT_BEND_CENTS, [127, 127]
    for control in controls:
        if control.number in (RPN_LOW, RPN_HIGH):
            parameter[control.number - RPN_LOW] = control.value
        elif control.number == DATA_ENTRY and parameter == [0, 0]:
            reach = 100 * min(control.value, 96)
        elif control.number == PITCH_BEND:
            ticks.append(control.tick)
            cents.append(reach * (control.value - BEND_CENTER) / BEND_CENTER)
    at, value = time.seconds(np.array(ticks)), np.array(cents)

    def bend(seconds: np.ndarray) -> np.ndarray:
        return np.asarray(value[np.maximum(np.searchsorted(at, seconds, side="right") - 1, 0)])

    return bend


def _from(bend: Curve, onset: float) -> Curve:
    """Count the seconds of a bend from a note's onset."""
    return lambda seconds: bend(seconds + onset)


def _is_bent(
    sounding: Sounding, controls: tuple[Control, ...], time: TempoMap, bend: Curve
) -> np.ndarray:
    """Find the notes that start bent, or are bent before they have died away."""
    moves = time.seconds(np.array([c.tick for c in controls if c.number == PITCH_BEND]))
    end = sounding.release + LONGEST_RELEASE
    first = np.searchsorted(moves, sounding.onset, side="right")
    return (bend(sounding.onset) != 0) | (first < np.searchsorted(moves, end, side="right"))


def _channel_gain(part: Part, time: TempoMap, seconds: np.ndarray) -> np.ndarray:
    """Left and right gain of volume, expression and pan at each second, shape (2, frame)."""
    volume = _controller(part, VOLUME, DEFAULT_VOLUME, time, seconds) / DEFAULT_VOLUME
    expression = _controller(part, EXPRESSION, 127, time, seconds) / 127
    angle = np.clip((_controller(part, PAN, 64, time, seconds) - 1) / 126, 0, 1) * np.pi / 2
    sides = np.sqrt(2) * np.stack([np.cos(angle), np.sin(angle)])
    return np.asarray((sides * (volume * expression) ** 2).astype(np.float32))


def _controller(
    part: Part, number: int, default: int, time: TempoMap, seconds: np.ndarray
) -> np.ndarray:
    """Value of a controller at each second; moves are short ramps, not steps."""
    moves = [control for control in part.controls if control.number == number]
    if not moves:
        return np.full(len(seconds), float(default))
    at = time.seconds(np.array([control.tick for control in moves]))
    to = np.array([float(control.value) for control in moves])
    before = np.concatenate([[to[0] if at[0] == 0 else default], to[:-1]])
    corners = np.stack([at, np.append(np.minimum(at[:-1] + SMOOTHING, at[1:]), at[-1] + SMOOTHING)])
    return np.interp(seconds, corners.T.reshape(-1), np.stack([before, to]).T.reshape(-1))
