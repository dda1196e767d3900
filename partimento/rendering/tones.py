"""A tone: one sample of a SoundFont brought to a pitch, looped, filtered and shaped in loudness.

`tone` gives it in stretches of bounded length, so a note may last for minutes. It is everything of
a note that does not depend on when the note is let go.
"""

from collections.abc import Callable, Iterator

import numpy as np

from partimento.rendering.soundfont import Envelope, Wobble, Zone

STRETCH = 1 << 19  # frames computed at once: 12 s
LEAD = 2048  # frames of the stretch before, which the filter still hears
SILENT_DB = 84.0  # so far below its height nobody hears a tone, and 16 bits hardly hold it
# The standard's modulator closes the filter by 2400 cents as velocity falls from 127 to 0
# (section 8.4.2). Counted from 100 here, so that ordinary playing sounds as the font was voiced.
CUTOFF_CENTS_PER_VELOCITY, VOICED_VELOCITY = 2400 / 127, 100
SWEEP_STAGES = 5  # a moving filter is a crossfade through so many standing ones
STILL_CENTS = 150  # a cutoff that moves less stands still
INSTANT = 0.01  # [s]
PITCH_ZERO_HZ = 8.176  # of MIDI pitch 0, where cutoffs count their cents from

Curve = Callable[[np.ndarray], np.ndarray]


def tone(
    samples: np.ndarray,
    zone: Zone,
    pitch: int,
    velocity: int,
    frames: int,
    sample_rate: int,
    bend: Curve | None = None,
) -> Iterator[np.ndarray]:
    """Sound of a key held for so many frames.

    Parameters
    ----------
    samples
        Of the font.
    zone
    pitch, velocity
        Of the key. Velocity opens the filter; the loudness it gives a note is not in here.
    frames, sample_rate
        Of the result.
    bend
        Cents at each of an array of seconds since the onset.

    Yields
    ------
    float32 array, shape (frame,)
        One stretch after another; they end early where the tone has died away.
    """
    key = zone.fixed_key if zone.fixed_key >= 0 else pitch
    cents = float(np.clip(zone.cents_per_key * (key - zone.root) + zone.cents, -12000, 12000))
    step = zone.sample_rate / sample_rate * 2 ** (cents / 1200)  # source frames a frame
    source, wrap = _source(samples, zone)
    frames = min(frames, audible_frames(zone, sample_rate))
    cents_at = _pitch_curve(zone, bend)
    if wrap is None and cents_at is None:
        frames = min(frames, int((len(source) - 4) / step))
    position = 0.0
    lead = np.zeros(0, dtype=np.float32)
    for start in range(0, frames, STRETCH):
        at = np.arange(start, min(start + STRETCH, frames))
        seconds = at / sample_rate
        if cents_at is None:
            positions = at * step
        else:
            steps = step * np.exp2(cents_at(seconds) / 1200)
            positions = position + np.cumsum(steps) - steps
            position = positions[-1] + steps[-1]
        raw = np.concatenate([lead, _read(source, positions, wrap)])
        lead_seconds = np.arange(start - len(lead), start) / sample_rate
        heard = _filter(
            raw, zone, velocity, np.concatenate([lead_seconds, seconds]), step, sample_rate
        )[len(lead) :]
        lead = raw[-LEAD:]
        yield heard * _loudness(zone, seconds)


def audible_frames(zone: Zone, sample_rate: int) -> int:
    """Frames after which a held key has died away; very many where it never does."""
    volume = zone.volume
    if volume.sustain < SILENT_DB:
        return 2**40
    seconds = volume.delay + volume.attack + volume.hold + volume.decay * SILENT_DB / 100
    return int(seconds * sample_rate) + 1


def _source(samples: np.ndarray, zone: Zone) -> tuple[np.ndarray, tuple[int, int] | None]:
    """Take a zone's samples, with room for interpolation, and where to wrap: start and length."""
    is_looped = zone.loop_end > zone.loop_start
    body = samples[zone.start : zone.loop_end if is_looped else zone.end]
    after = samples[zone.loop_start : zone.loop_end] if is_looped else np.zeros(3, samples.dtype)
    parts = [body[:1], body, np.resize(after, 3)]
    source = np.concatenate(parts).astype(np.float32) * np.float32(1 / 32768)
    wrap = (zone.loop_start - zone.start, zone.loop_end - zone.loop_start) if is_looped else None
    return source, wrap


def _read(source: np.ndarray, positions: np.ndarray, wrap: tuple[int, int] | None) -> np.ndarray:
    """Cubic (Catmull-Rom) interpolation; `source` has one frame of lead-in."""
    if wrap is None:
        positions = np.minimum(positions, len(source) - 4)  # there it is silent
    elif positions[-1] >= sum(wrap):
        start, length = wrap
        beyond = positions - start
        positions = np.where(
            beyond >= 0, start + beyond - length * np.floor(beyond / length), positions
        )
        positions = np.minimum(positions, np.nextafter(start + length, 0))
    index = positions.astype(np.int64)
    fraction = (positions - index).astype(np.float32)
    a, b, c, d = (source[index + i] for i in range(4))
    curve = 2 * a - 5 * b + 4 * c - d + fraction * (3 * (b - c) + d - a)
    return b + 0.5 * fraction * (c - a + fraction * curve)


def _filter(
    raw: np.ndarray,
    zone: Zone,
    velocity: int,
    seconds: np.ndarray,
    step: float,
    sample_rate: int,
) -> np.ndarray:
    """Low-pass filter of the zone, moved by velocity and by its envelope.

    The responses are those of the standard's two-pole filter, applied in the frequency domain.
    What interpolation left above the sample's own band goes with them.
    """
    cutoff = zone.cutoff + CUTOFF_CENTS_PER_VELOCITY * (velocity - VOICED_VELOCITY)
    band = 0.5 * step * sample_rate  # [Hz] the sample holds nothing above
    sweep = None
    stages = np.array([cutoff])
    if zone.cutoff_by_envelope:
        sweep = cutoff + zone.cutoff_by_envelope * _modulation(zone.modulation, seconds)
        # A rise of some milliseconds is no sweep that anybody hears.
        settled = sweep[seconds >= zone.modulation.delay + min(zone.modulation.attack, INSTANT)]
        settled = settled if len(settled) else sweep
        lowest, highest = float(settled.min()), float(settled.max())
        is_moving = highest - lowest > STILL_CENTS
        stages = np.linspace(lowest, highest, SWEEP_STAGES) if is_moving else settled[:1]
    size = _fast_size(len(raw) + LEAD)
    hertz = np.fft.rfftfreq(size, 1 / sample_rate)
    spectrum = np.fft.rfft(raw, size) * _band_edge(hertz, band)
    resonance = 10 ** ((zone.resonance_db - 3.01) / 20)
    outputs = [
        np.fft.irfft(spectrum * _two_pole(hertz, stage, resonance), size)[: len(raw)]
        for stage in stages
    ]
    if len(outputs) == 1 or sweep is None:
        return outputs[0].astype(np.float32)
    place = np.clip((sweep - stages[0]) / (stages[1] - stages[0]), 0, SWEEP_STAGES - 1)
    mixed = np.zeros(len(raw))
    for number, output in enumerate(outputs):
        mixed += output * np.clip(1 - np.abs(place - number), 0, 1)
    return mixed.astype(np.float32)


def _two_pole(hertz: np.ndarray, cutoff: float, resonance: float) -> np.ndarray:
    """Response of 1 / (1 + s/Q + s^2); at a resonance of 1/sqrt(2) without a peak."""
    ratio = hertz / (PITCH_ZERO_HZ * 2 ** (cutoff / 1200))
    return np.asarray(1 / (1 - ratio**2 + 1j * ratio / resonance))


def _band_edge(hertz: np.ndarray, band: float) -> np.ndarray:
    """1 below a frequency, a half-cosine down to 0 around it."""
    return np.asarray(0.5 + 0.5 * np.cos(np.pi * np.clip((hertz / band - 0.9) / 0.2, 0, 1)))


def _fast_size(length: int) -> int:
    """Find the next size whose transform is quick: a power of two times 1, 3 or 5."""
    sizes = [odd << max(0, (-(-length // odd) - 1).bit_length()) for odd in (1, 3, 5)]
    return min(sizes)


def _loudness(zone: Zone, seconds: np.ndarray) -> np.ndarray:
    """Volume envelope of a held key, and the tremolo."""
    volume = zone.volume
    since = (seconds - volume.delay).astype(np.float32)
    falling = (since - volume.attack - volume.hold) * (100 / volume.decay)
    decibels = -np.clip(falling, 0, volume.sustain)
    if zone.tremolo_db:
        decibels += zone.tremolo_db * _triangle(zone.wobble, seconds)
    rise = np.clip(since / volume.attack, 0, 1)
    return (rise * np.exp2(decibels * (np.log2(10) / 20))).astype(np.float32)


def _modulation(envelope: Envelope, seconds: np.ndarray) -> np.ndarray:
    """Modulation envelope of a held key, 0 to 1; it decays along a straight line."""
    since = seconds - envelope.delay
    fall = (since - envelope.attack - envelope.hold) / envelope.decay
    return np.asarray(np.clip(since / envelope.attack, 0, 1) - np.clip(fall, 0, envelope.sustain))


def _pitch_curve(zone: Zone, bend: Curve | None) -> Curve | None:
    """Cents of bend, vibrato and envelope together; None where the pitch stands still."""
    moving = (zone.wobble_pitch, zone.vibrato_pitch, zone.pitch_by_envelope)
    if bend is None and not any(moving):
        return None

    def cents(seconds: np.ndarray) -> np.ndarray:
        total = np.zeros(len(seconds)) if bend is None else bend(seconds)
        if zone.wobble_pitch:
            total = total + zone.wobble_pitch * _triangle(zone.wobble, seconds)
        if zone.vibrato_pitch:
            total = total + zone.vibrato_pitch * _triangle(zone.vibrato, seconds)
        if zone.pitch_by_envelope:
            total = total + zone.pitch_by_envelope * _modulation(zone.modulation, seconds)
        return total

    return cents


def _triangle(wobble: Wobble, seconds: np.ndarray) -> np.ndarray:
    """Triangle wave from 0 upwards, -1 to 1, silent before its delay."""
    phase = np.maximum(seconds - wobble.delay, 0) * wobble.rate
    return np.asarray(1 - 4 * np.abs((phase + 0.25) % 1 - 0.5))
