"""Cut the FluidR3 SoundFont (141 MB) down to the one that ships with partimento.

    python tools/cut_soundfont.py FluidR3_GM.sf2 partimento/rendering/sounds/fluid-small.sf2

Every General MIDI program keeps a sound: its own where it is small or matters, else that of a
relative (`STAND_INS`). Of stereo samples the left side stays; of dense key zones every second or
third (`KEEP_EVERY`); long sustained samples get an earlier loop (`LOOP_SECONDS`); drums fade out
sooner; and each sample is brought to the lowest rate that holds what it contains.

The source is Debian's package `fluid-soundfont-gm` (/usr/share/sounds/sf2/FluidR3_GM.sf2), which is
under the MIT licence. The same source gives the same bytes.
"""

import argparse
import hashlib
import itertools
import struct
import sys
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from partimento.rendering import soundfont as sf
from partimento.rendering.soundfont import SoundFont

SOURCE_SHA256 = "74594e8f4250680adf590507a306655a299935343583256f3b722c48a1bc1cb0"
Layer = dict[int, int]  # generators of one zone

# General MIDI program (from 0): the program that plays in its stead.
STAND_INS = {
    2: 4, 5: 4, 15: 6, 17: 16, 18: 16, 23: 21, 25: 24, 27: 26, 28: 26, 30: 29, 31: 24, 34: 33,
    35: 33, 36: 33, 37: 33, 41: 40, 53: 52, 54: 52, 59: 56, 62: 61, 63: 61, 64: 65, 66: 65,
    67: 65, 69: 68, 72: 73, 79: 74, 83: 82, 85: 52, 91: 52, 93: 89, 95: 89, 97: 89, 99: 24,
    100: 89, 101: 89, 102: 52, 103: 98, 105: 104, 111: 68, 126: 122,
}  # fmt: skip
# Of a program's samples, sorted by key, every so many stay; all where it is not named.
KEEP_EVERY = {
    4: 4, 6: 4, 7: 3, 8: 2, 9: 4, 10: 4, 11: 2, 12: 2, 13: 5, 19: 4, 20: 2, 21: 4, 22: 4, 24: 3,
    26: 4, 29: 5, 32: 2, 33: 4, 40: 4, 42: 5, 43: 4, 44: 2, 45: 4, 46: 4, 47: 2, 52: 4, 56: 2,
    57: 3, 58: 2, 60: 3, 61: 3, 65: 4, 68: 2, 70: 4, 71: 3, 73: 3, 74: 3, 75: 3, 104: 6, 106: 4,
    107: 2, 108: 2, 109: 3, 114: 2,
}  # fmt: skip
LEFT_OUT_ROOTS = {0: {30, 38, 46, 99}}  # by program: long samples of neighbours that can stretch
SUSTAINED = {*range(16, 24), 29, *range(40, 45), *range(48, 80), *range(82, 96), 109, 110, 111}
RETUNED = {*range(40, 47), *range(48, 54), *range(56, 79), 21, 22}
LOOP_SECONDS = 1.0  # after which the sustained part repeats
MAX_RATE, MAX_DRUM_RATE, MAX_PIANO_RATE = 16_500, 20_000, 18_000  # [Hz]
INAUDIBLE, INAUDIBLE_OF_PIANO = 4e-5, 2e-5  # share of the energy that may lie above the new band
LOWEST_RATE = 6_000
DRUM_KEYS = {*range(29, 84), 85}  # with some that Roland's GS added on both sides
DRUM_SECONDS, HAND_DRUM_SECONDS = 1.1, 0.5
HAND_DRUMS = {*range(27, 35), 58, *range(60, 88)}
EFFECT_SECONDS = 0.6  # programs 120-127
HARD = 300  # pan of one side of a stereo pair, in tenths of a percent


class Cut:
    """The new font as it grows: its lists, and its samples."""

    def __init__(self, source: SoundFont) -> None:
        self.source = source
        self.presets: list[tuple[str, int, int, list[Layer]]] = []  # name bank program layers
        self.instruments: list[tuple[str, list[Layer]]] = []
        self.headers: list[tuple] = []
        self.frames: list[np.ndarray] = []
        self.size = 0
        self.instrument_of: dict[int, int] = {}  # row in the source: row here
        self.sample_of: dict[int, int] = {}
        self.is_kept: dict[int, bool] = {}  # samples of the source, once decided

    def add_preset(self, bank: int, program: int) -> None:
        """Take over a preset, its instruments and their samples."""
        row = self.source.presets[bank, program]
        layers = []
        for layer in self.source.layers(b"phdr", b"pbag", b"pgen", row):
            if sf.INSTRUMENT_INDEX not in layer:
                continue
            instrument = layer[sf.INSTRUMENT_INDEX]
            if b"Right" in self.source.records[b"inst"]["name"][instrument]:
                continue
            new = self.add_instrument(instrument, bank, program)
            layers.append(layer | {sf.INSTRUMENT_INDEX: new})
        name = self.source.records[b"phdr"]["name"][row].decode()
        self.presets.append((name, bank, program, layers))

    def add_instrument(self, row: int, bank: int, program: int) -> int:
        """Take over an instrument; one that is here already is shared."""
        if row not in self.instrument_of:
            layers = [
                layer
                for layer in self.source.layers(b"inst", b"ibag", b"igen", row)
                if sf.SAMPLE_INDEX in layer
            ]
            layers, gains = _left_side(layers, self.source)
            is_drum = bank == sf.DRUM_BANK
            if is_drum:
                layers = [layer for layer in layers if _keys(layer)[0] in DRUM_KEYS]
            else:
                layers = self.thin_out(layers, program)
            made = [self.add_sample(layer, gains, bank, program) for layer in layers]
            name = self.source.records[b"inst"]["name"][row].decode()
            self.instrument_of[row] = len(self.instruments)
            self.instruments.append((name, made))
        return self.instrument_of[row]

    def thin_out(self, layers: list[Layer], program: int) -> list[Layer]:
        """Leave out samples between others, and let those play their keys; reach all keys."""
        every = KEEP_EVERY.get(program, 1)
        left_out = LEFT_OUT_ROOTS.get(program, set())
        roots = {layer[sf.SAMPLE_INDEX]: layer.get(sf.ROOT_KEY) for layer in layers}
        order = sorted({_keys(layer): layer[sf.SAMPLE_INDEX] for layer in layers}.items())
        is_split = all(low[0][1] < high[0][0] for low, high in itertools.pairwise(order))
        for number, (_, sample) in enumerate(order):
            is_due = not is_split or number % every == every // 2 or len(order) <= 2
            self.is_kept.setdefault(sample, is_due and roots[sample] not in left_out)
        if not is_split:  # sounds on top of each other: the outermost reach all keys
            lowest, highest = order[0][0][0], max(keys[1] for keys, _ in order)
            return [
                layer
                | {
                    sf.KEY_RANGE: (0 if _keys(layer)[0] == lowest else _keys(layer)[0])
                    | (127 if _keys(layer)[1] == highest else _keys(layer)[1]) << 8
                }
                for layer in layers
            ]
        kept = [keys for keys, sample in order if self.is_kept[sample]] or [order[0][0]]
        ranges = {}
        for number, keys in enumerate(kept):
            before, after = kept[number - 1 : number], kept[number + 1 : number + 2]
            low = (before[0][1] + keys[0]) // 2 + 1 if before else 0
            high = (keys[1] + after[0][0]) // 2 if after else 127
            ranges[keys] = low | high << 8
        return [
            layer | {sf.KEY_RANGE: ranges[_keys(layer)]}
            for layer in layers
            if _keys(layer) in ranges
        ]

    def add_sample(self, layer: Layer, gains: dict[int, float], bank: int, program: int) -> Layer:
        """Take over the sample of a layer, and give the layer as it stands in the new font."""
        row = layer[sf.SAMPLE_INDEX]
        header = self.source.records[b"shdr"][row]
        is_looped = layer.get(sf.SAMPLE_MODE, 0) in (1, 3)
        if row not in self.sample_of:
            start, rate = int(header["start"]), int(header["rate"])
            shift = _shift(layer, sf.LOOP_START, sf.LOOP_START_COARSE)
            loop_start = int(header["loop_start"]) + shift - start
            shift = _shift(layer, sf.LOOP_END, sf.LOOP_END_COARSE)
            loop_end = int(header["loop_end"]) + shift - start
            sound = self.source.samples[start : int(header["end"])].astype(np.float64)
            sound *= gains.get(row, 1.0) / 32768
            is_drum = bank == sf.DRUM_BANK
            if not is_looped:
                sound = _fade_out(sound, int(_longest(bank, program, layer) * rate))
                loop_start = loop_end = len(sound)
            elif program in SUSTAINED and not is_drum:
                sound, loop_start, loop_end = _earlier_loop(sound, loop_start, loop_end, rate)
            correction = int(header["correction"])
            if program in RETUNED and not is_drum:
                correction -= round(_cents_off(sound, rate, _native_hertz(layer, header)))
            highest = MAX_DRUM_RATE if is_drum else MAX_PIANO_RATE if program < 4 else MAX_RATE
            allowed = INAUDIBLE_OF_PIANO if program < 4 and not is_drum else INAUDIBLE
            wanted = min(highest, _needed_rate(sound, rate, allowed))
            sound, loop_start, loop_end, rate = _resample(
                sound, loop_start, loop_end, rate, wanted, is_looped
            )
            self.sample_of[row] = len(self.headers)
            end = self.size + len(sound)
            loop = (self.size + loop_start, self.size + loop_end)
            facts = (header["name"], self.size, end, *loop, rate)
            self.headers.append((*facts, header["pitch"], correction, 0, 1))
            self.frames += [sound, np.zeros(46)]  # the standard asks for the silence
            self.size = end + 46
        dropped = {sf.START, sf.END, sf.LOOP_START, sf.LOOP_END}
        dropped |= {sf.START_COARSE, sf.END_COARSE, sf.LOOP_START_COARSE, sf.LOOP_END_COARSE}
        kept = {kind: amount for kind, amount in layer.items() if kind not in dropped}
        return kept | {sf.SAMPLE_INDEX: self.sample_of[row]}

    def stand_in(self, program: int, other: int) -> None:
        """Let one program be played by another."""
        name, _, _, layers = next(p for p in self.presets if p[1:3] == (0, other))
        self.presets.append((name, 0, program, layers))

    def write(self) -> bytes:
        """Give the file."""
        samples = np.concatenate(self.frames)
        samples *= 0.98 / np.abs(samples).max()
        presets, preset_bags, preset_generators = [], [], []
        for name, bank, program, layers in sorted(self.presets, key=lambda p: p[1:3]):
            presets.append((name.encode(), program, bank, len(preset_bags), (0, 0, 0)))
            _add_layers(layers, preset_bags, preset_generators, sf.INSTRUMENT_INDEX)
        presets.append((b"EOP", 0, 0, len(preset_bags), (0, 0, 0)))
        instruments, bags, generators = [], [], []
        for name, layers in self.instruments:
            instruments.append((name.encode(), len(bags)))
            _add_layers(layers, bags, generators, sf.SAMPLE_INDEX)
        instruments.append((b"EOI", len(bags)))
        for ends, of in ((preset_bags, preset_generators), (bags, generators)):
            ends.append((len(of), 0))
            of.append((0, 0))
        self.headers.append((b"EOS", 0, 0, 0, 0, 0, 0, 0, 0, 0))
        modulator = bytes(10)  # the closing record of an empty list
        about = {
            b"ifil": struct.pack("<HH", 2, 1),
            b"isng": b"EMU8000\0",
            b"INAM": b"Fluid R3 GM, cut for partimento\0",
            b"IENG": b"Frank Wen\0",
            b"ICOP": b"Frank Wen 2000-2002, 2008; Toby Smithe 2008\0",
            b"ICMT": b"Licensed under the MIT License. Cut by tools/cut_soundfont.py.\0",
        }
        lists = {
            b"phdr": np.array(presets, dtype=sf.PRESET).tobytes(),
            b"pbag": np.array(preset_bags, dtype=sf.BAG).tobytes(),
            b"pmod": modulator,
            b"pgen": np.array(preset_generators, dtype=sf.GENERATOR).tobytes(),
            b"inst": np.array(instruments, dtype=sf.INSTRUMENT).tobytes(),
            b"ibag": np.array(bags, dtype=sf.BAG).tobytes(),
            b"imod": modulator,
            b"igen": np.array(generators, dtype=sf.GENERATOR).tobytes(),
            b"shdr": np.array(self.headers, dtype=sf.SAMPLE).tobytes(),
        }
        sound = np.rint(samples * 32767).astype("<i2").tobytes()
        body = b"sfbk" + _list(b"INFO", about) + _list(b"sdta", {b"smpl": sound})
        return _chunk(b"RIFF", body + _list(b"pdta", lists))


def _keys(layer: Layer) -> tuple[int, int]:
    amount = layer.get(sf.KEY_RANGE, 127 << 8) & 0xFFFF
    return amount & 0xFF, amount >> 8


def _longest(bank: int, program: int, layer: Layer) -> float:
    """Seconds after which a sample without a loop may have faded out."""
    if bank == sf.DRUM_BANK:
        return HAND_DRUM_SECONDS if _keys(layer)[0] in HAND_DRUMS else DRUM_SECONDS
    return EFFECT_SECONDS if program >= 119 else 60.0


def _shift(layer: Layer, fine: int, coarse: int) -> int:
    return layer.get(fine, 0) + 32768 * layer.get(coarse, 0)


def _left_side(layers: list[Layer], source: SoundFont) -> tuple[list[Layer], dict[int, float]]:
    """Of each stereo pair keep the left, as loud as both; a lone side moves to the middle."""

    def facts(layer: Layer) -> tuple:
        kinds = (sf.KEY_RANGE, sf.VELOCITY_RANGE, sf.FINE_TUNE, sf.COARSE_TUNE)
        return tuple(layer.get(kind, 0) for kind in kinds)

    def energy(sample: int) -> float:
        header = source.records[b"shdr"][sample]
        sound = source.samples[header["start"] : header["end"]].astype(np.float64)
        return float(np.mean(sound**2))

    lefts = {facts(layer): layer for layer in layers if layer.get(sf.PAN, 0) <= -HARD}
    rights = {facts(layer): layer for layer in layers if layer.get(sf.PAN, 0) >= HARD}
    pairs = lefts.keys() & rights.keys()
    # Two detuned layers, one on each side, are no pair: they stay where they are.
    is_wide = bool(lefts.keys() - pairs) and bool(rights.keys() - pairs)
    kept, gains = [], {}
    for layer in layers:
        is_hard = abs(layer.get(sf.PAN, 0)) >= HARD
        if is_hard and facts(layer) in pairs:
            if layer[sf.PAN] > 0:
                continue
            ours, other = layer[sf.SAMPLE_INDEX], rights[facts(layer)][sf.SAMPLE_INDEX]
            if ours != other:
                gains[ours] = float(np.sqrt(1 + energy(other) / energy(ours)))
            kept.append(layer | {sf.PAN: 0})
        else:
            kept.append(layer | {sf.PAN: 0} if is_hard and not is_wide else layer)
    return kept, gains


def _fade_out(sound: np.ndarray, frames: int) -> np.ndarray:
    if len(sound) <= frames:
        return sound
    return sound[:frames] * np.linspace(1, 0, frames) ** 0.7


def _earlier_loop(
    sound: np.ndarray, loop_start: int, loop_end: int, rate: int
) -> tuple[np.ndarray, int, int]:
    """Close a loop at `LOOP_SECONDS`, where the sound is most like what came before."""
    end = int(LOOP_SECONDS * rate)
    if loop_end <= 1.25 * end:
        return sound, loop_start, loop_end
    window = int(0.12 * rate)
    starts = np.arange(int(0.35 * rate), int(0.65 * rate))
    # Correlation of the window before the end with that before each start, by FFT.
    size = 1 << int(np.ceil(np.log2(end + window)))
    tail = sound[end - window : end]
    products = np.fft.irfft(np.fft.rfft(sound[:end], size) * np.conj(np.fft.rfft(tail, size)), size)
    power = np.cumsum(np.concatenate([[0], sound[:end] ** 2]))
    norm = np.sqrt(power[starts] - power[starts - window]) + 1e-9
    start = int(starts[np.argmax(products[starts - window] / norm)])
    fade = 0.5 - 0.5 * np.cos(np.linspace(0, np.pi, window))
    looped = sound[:end].copy()
    looped[end - window :] = tail * (1 - fade) + sound[start - window : start] * fade
    after = np.resize(looped[start:end], 64)
    return np.concatenate([looped, after]), start, end


def _native_hertz(layer: Layer, header: np.void) -> float:
    """Frequency that a sample should have at its own rate."""
    root = layer.get(sf.ROOT_KEY, -1)
    root = int(header["pitch"]) if root < 0 else root
    cents = 100 * layer.get(sf.COARSE_TUNE, 0) + layer.get(sf.FINE_TUNE, 0)
    return float(440 * 2 ** ((root - 69) / 12 - (cents + int(header["correction"])) / 1200))


def _cents_off(sound: np.ndarray, rate: int, hertz: float) -> float:
    """How much higher than it should be a sample sounds, by its first five harmonics.

    Single samples of a recorded section are up to 30 cents off; with their neighbours left out
    they would be heard in every chord.
    """
    steady = sound[int(0.08 * rate) : int(1.0 * rate)]
    size = 1 << 18
    spectrum = np.log(np.abs(np.fft.rfft(steady * np.hanning(len(steady)), size)) + 1e-3)
    cents = np.arange(-45, 46)
    harmonics = hertz * 2 ** (cents[:, None] / 1200) * np.arange(1, 6)
    place = np.minimum(np.rint(harmonics / rate * size).astype(int), size // 2)
    strength = np.where(harmonics < 0.45 * rate, spectrum[place], 0).sum(axis=1)
    best = int(np.argmax(strength))
    return float(cents[best]) if 0 < best < len(cents) - 1 else 0.0


def _needed_rate(sound: np.ndarray, rate: int, allowed: float) -> float:
    """Lowest rate that keeps all but so small a share of the energy."""
    windowed = sound * np.hanning(len(sound)) if len(sound) > 4000 else sound
    power = np.abs(np.fft.rfft(windowed)) ** 2
    above = np.cumsum(power[::-1])[::-1] / power.sum()
    band = int(np.count_nonzero(above >= allowed)) / len(sound) * rate
    return max(2.25 * band, LOWEST_RATE)


def _resample(
    sound: np.ndarray, loop_start: int, loop_end: int, rate: int, wanted: float, is_looped: bool
) -> tuple[np.ndarray, int, int, int]:
    """Bring a sample to another rate, its loop to a whole number of frames."""
    length = loop_end - loop_start
    if wanted > 0.9 * rate or (is_looped and length < 200):
        return sound[: loop_end + 8 if is_looped else None], loop_start, loop_end, rate
    ratio = wanted / rate
    if is_looped:
        ratio = max(1, round(length * ratio)) / length
    new_start = int(np.ceil(loop_start * ratio)) if is_looped else 0
    # Frame `new_start` must fall on the loop's start, so that both ends of the loop meet.
    offset = loop_start - new_start / ratio if is_looped else 0.0
    new_end = new_start + round(length * ratio) if is_looped else int(len(sound) * ratio)
    frames = new_end + 8 if is_looped else new_end
    at = np.arange(frames) / ratio + offset
    made = _interpolate(sound, at, cutoff=min(1.0, ratio) * 0.94)
    new_loop = (new_start, new_end) if is_looped else (frames, frames)
    return made, *new_loop, round(rate * ratio)


def _interpolate(sound: np.ndarray, at: np.ndarray, cutoff: float) -> np.ndarray:
    """Band-limited interpolation: a sinc under a Kaiser window."""
    reach = int(np.ceil(24 / cutoff))
    padded = np.concatenate([np.zeros(reach + 1), sound, np.zeros(reach + 70)])
    taps = np.arange(-reach, reach + 1)
    made = np.empty(len(at))
    for begin in range(0, len(at), 4096):
        place = at[begin : begin + 4096]
        nearest = np.floor(place).astype(np.int64)
        distance = taps[None, :] - (place - nearest)[:, None]
        shape = np.i0(9 * np.sqrt(np.clip(1 - (distance / (reach + 1)) ** 2, 0, 1))) / np.i0(9)
        kernel = cutoff * np.sinc(cutoff * distance) * shape
        index = np.clip(nearest[:, None] + taps + reach + 1, 0, len(padded) - 1)
        made[begin : begin + 4096] = (padded[index] * kernel).sum(axis=1)
    return made


def _add_layers(layers: Iterable[Layer], bags: list, generators: list, last: int) -> None:
    """Write zones: ranges first and the index last, as the standard asks."""
    for layer in layers:
        bags.append((len(generators), 0))
        first = {sf.KEY_RANGE: 0, sf.VELOCITY_RANGE: 1, last: 1000}
        for kind in sorted(layer, key=lambda kind: first.get(kind, 100 + kind)):
            amount = layer[kind]
            generators.append((kind, amount - 65536 if amount > 32767 else amount))


def _list(kind: bytes, chunks: dict[bytes, bytes]) -> bytes:
    return _chunk(b"LIST", kind + b"".join(_chunk(name, body) for name, body in chunks.items()))


def _chunk(name: bytes, body: bytes) -> bytes:
    return name + struct.pack("<I", len(body)) + body + bytes(len(body) & 1)


def main() -> None:
    """Read the source, write the cut, and say how large each program is."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source", type=Path)
    parser.add_argument("target", type=Path)
    arguments = parser.parse_args()
    with arguments.source.open("rb") as file:
        if hashlib.file_digest(file, "sha256").hexdigest() != SOURCE_SHA256:
            sys.exit(f"{arguments.source} is not the FluidR3_GM.sf2 this script was written for")
    cut = Cut(SoundFont.open(arguments.source))
    for program in range(128):
        if program not in STAND_INS:
            before = cut.size
            cut.add_preset(0, program)
            print(f"{program:4} {cut.presets[-1][0]:22} {2 * (cut.size - before):9,} bytes")
    for program, other in STAND_INS.items():
        cut.stand_in(program, other)
    before = cut.size
    cut.add_preset(sf.DRUM_BANK, 0)
    print(f"drum {cut.presets[-1][0]:22} {2 * (cut.size - before):9,} bytes")
    data = cut.write()
    arguments.target.parent.mkdir(parents=True, exist_ok=True)
    arguments.target.write_bytes(data)
    print(f"{arguments.target}: {len(data):,} bytes, SHA-256 {hashlib.sha256(data).hexdigest()}")


if __name__ == "__main__":
    main()
