"""SoundFont 2 files: instruments as recorded samples, and how to play each.

`SoundFont.open` reads a file strictly (every size and index is checked before it is used), and
`zones` gives what sounds for a program: each `Zone` names a stretch of samples, the keys and
velocities it serves, its tuning, envelopes and filter, in seconds, decibels and cents. The samples
stay in the file, mapped into memory, until they are played.

Left out: modulators other than the standard ones, chorus, and SF3 files (compressed samples).

References
----------
E-mu Systems, "SoundFont Technical Specification", version 2.04, 2006.
"""

import functools
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np

from partimento.errors import FormatError

BUNDLED = Path(__file__).parent / "sounds" / "fluid-small.sf2"
DRUM_BANK = 128
MAX_ZONES = 20_000  # of one preset; the largest we met has about 2,000

# Records of the lists "pdta" holds (sections 7.2 to 7.10).
PRESET = np.dtype(
    [("name", "S20"), ("program", "<u2"), ("bank", "<u2"), ("bag", "<u2"), ("unused", "<u4", 3)]
)
INSTRUMENT = np.dtype([("name", "S20"), ("bag", "<u2")])
BAG = np.dtype([("generator", "<u2"), ("modulator", "<u2")])
GENERATOR = np.dtype([("kind", "<u2"), ("amount", "<i2")])
SAMPLE = np.dtype(
    [
        ("name", "S20"),
        ("start", "<u4"),
        ("end", "<u4"),
        ("loop_start", "<u4"),
        ("loop_end", "<u4"),
        ("rate", "<u4"),
        ("pitch", "u1"),
        ("correction", "i1"),
        ("link", "<u2"),
        ("type", "<u2"),
    ]
)
RECORDS = {
    b"phdr": PRESET,
    b"pbag": BAG,
    b"pgen": GENERATOR,
    b"inst": INSTRUMENT,
    b"ibag": BAG,
    b"igen": GENERATOR,
    b"shdr": SAMPLE,
}
ROM_SAMPLE, VORBIS_SAMPLE = 0x8000, 0x10

# Generators (section 8.1.2): number, and the value that holds where a file gives none.
START, END, LOOP_START, LOOP_END = 0, 1, 2, 3
START_COARSE, END_COARSE, LOOP_START_COARSE, LOOP_END_COARSE = 4, 12, 45, 50
MOD_LFO_PITCH, VIB_LFO_PITCH, MOD_ENV_PITCH = 5, 6, 7
CUTOFF, RESONANCE, MOD_LFO_CUTOFF, MOD_ENV_CUTOFF, MOD_LFO_VOLUME = 8, 9, 10, 11, 13
REVERB, PAN = 16, 17
MOD_LFO_DELAY, MOD_LFO_RATE, VIB_LFO_DELAY, VIB_LFO_RATE = 21, 22, 23, 24
MOD_ENV, VOL_ENV = 25, 33  # each: delay, attack, hold, decay, sustain, release, two key scales
INSTRUMENT_INDEX, KEY_RANGE, VELOCITY_RANGE, FIXED_KEY, FIXED_VELOCITY = 41, 43, 44, 46, 47
ATTENUATION, COARSE_TUNE, FINE_TUNE, SAMPLE_INDEX, SAMPLE_MODE = 48, 51, 52, 53, 54
SCALE_TUNING, EXCLUSIVE_CLASS, ROOT_KEY = 56, 57, 58
NUM_GENERATORS = 61
INSTRUMENT_ONLY = {
    *(START, END, LOOP_START, LOOP_END),
    *(START_COARSE, END_COARSE, LOOP_START_COARSE, LOOP_END_COARSE),
    *(KEY_RANGE, VELOCITY_RANGE, FIXED_KEY, FIXED_VELOCITY),
    *(SAMPLE_MODE, EXCLUSIVE_CLASS, ROOT_KEY),
}
DEFAULTS = np.zeros(NUM_GENERATORS, dtype=np.int64)
DEFAULTS[[CUTOFF, SCALE_TUNING, FIXED_KEY, FIXED_VELOCITY, ROOT_KEY]] = 13500, 100, -1, -1, -1
DEFAULTS[[MOD_LFO_DELAY, VIB_LFO_DELAY, *range(25, 29), 30, *range(33, 37), 38]] = -12000
# The published hardware halves attenuations and worse; fonts are voiced for it, and players
# follow (FluidSynth and RustySynth use the same factor).
ATTENUATION_FACTOR = 0.4


class Envelope(NamedTuple):
    """Delay, attack, hold, decay and release in seconds; `sustain` is a drop.

    Of a volume envelope the drop is in decibels, and decay and release last as long as a fall of
    100 decibels would; of a modulation envelope the drop is a share, 0 to 1.
    """

    delay: float
    attack: float
    hold: float
    decay: float
    sustain: float
    release: float


class Wobble(NamedTuple):
    """A low-frequency oscillator: its delay in seconds, its rate in Hz."""

    delay: float
    rate: float


@dataclass(frozen=True)
class Zone:
    """One sample as one preset plays it.

    Attributes
    ----------
    keys, velocities : tuple of int
        Lowest and highest it serves.
    start, end, loop_start, loop_end : int
        Frames of the font's samples; without a loop the last two are equal.
    sample_rate, root : int
        Played at so many frames a second, the sample sounds at this MIDI pitch,
    cents : float
        but for this tuning.
    cents_per_key : int
        100; 0 where every key sounds alike.
    gain_db, pan, reverb : float
        Decibels, -1 (left) to 1, and 0 to 1.
    volume, modulation : Envelope
    cutoff : float
        Of the low-pass filter, in cents above MIDI pitch 0 (8.18 Hz).
    resonance_db : float
    cutoff_by_envelope, pitch_by_envelope : float
        Cents at the height of the modulation envelope.
    tremolo_db, wobble_pitch, vibrato_pitch : float
        Depth of the modulation oscillator in decibels and cents, of the vibrato in cents.
    wobble, vibrato : Wobble
    exclusive : int
        Notes of one class end each other, as a closed hi-hat ends the open one; 0 is none.
    fixed_key, fixed_velocity : int
        Stand in for the note's own unless -1.
    """

    keys: tuple[int, int]
    velocities: tuple[int, int]
    start: int
    end: int
    loop_start: int
    loop_end: int
    sample_rate: int
    root: int
    cents: float
    cents_per_key: int
    gain_db: float
    pan: float
    reverb: float
    volume: Envelope
    modulation: Envelope
    cutoff: float
    resonance_db: float
    cutoff_by_envelope: float
    pitch_by_envelope: float
    tremolo_db: float
    wobble_pitch: float
    vibrato_pitch: float
    wobble: Wobble
    vibrato: Wobble
    exclusive: int
    fixed_key: int
    fixed_velocity: int


@dataclass(frozen=True, eq=False)
class SoundFont:
    """The lists of a SoundFont file, checked, and its samples.

    Attributes
    ----------
    name : str
        Of the file, for messages.
    samples : int16 array, shape (frame,)
    records : dict
        The lists of section 7, by their four letters, as structured arrays.
    """

    name: str
    samples: np.ndarray
    records: dict[bytes, np.ndarray]
    _zones: dict[tuple[int, int], tuple[Zone, ...]] = field(default_factory=dict, repr=False)

    @classmethod
    def open(cls, path: Path) -> "SoundFont":
        """Read a file; `FormatError` says what is wrong with it and where."""
        if path.stat().st_size < 12:
            raise FormatError(f"{path.name}: not a SoundFont 2 file: it has hardly any bytes")
        chunks = dict(_chunks(np.memmap(path, dtype=np.uint8, mode="r").data, path.name))
        missing = sorted(set(RECORDS) - set(chunks))
        if missing or b"smpl" not in chunks:
            raise FormatError(
                f"{path.name}: no {(missing or [b'smpl'])[0].decode()} list: not a SoundFont 2 file"
            )
        smpl = chunks[b"smpl"]
        samples = np.frombuffer(smpl, dtype="<i2", count=len(smpl) // 2)
        records = {
            name: _records(name, chunks[name], dtype, path.name) for name, dtype in RECORDS.items()
        }
        font = cls(path.name, samples, records)
        font._check()
        return font

    @functools.cached_property
    def presets(self) -> dict[tuple[int, int], int]:
        """Row of `phdr` for each (bank, program)."""
        rows = self.records[b"phdr"][:-1]
        return {
            (int(row["bank"]), int(row["program"])): index
            for index, row in reversed(list(enumerate(rows)))
        }

    def find(self, program: int, is_drum: bool) -> tuple[int, int]:
        """Bank and program to play: the one asked for, else the nearest that is there.

        A missing program falls back to the first of its family of eight, then to any of its bank.
        """
        bank = DRUM_BANK if is_drum else 0
        for wanted in (program, program // 8 * 8, 0):
            if (bank, wanted) in self.presets:
                return bank, wanted
        here = [key for key in self.presets if (key[0] == DRUM_BANK) == is_drum]
        return min(here or self.presets)

    def zones(self, bank: int, program: int) -> tuple[Zone, ...]:
        """Everything that can sound for a preset, one zone a sample."""
        if (bank, program) not in self._zones:
            self._zones[bank, program] = self._read_zones(bank, program)
        return self._zones[bank, program]

    def _read_zones(self, bank: int, program: int) -> tuple[Zone, ...]:
        zones: list[Zone] = []
        for preset in self.layers(b"phdr", b"pbag", b"pgen", self.presets[bank, program]):
            if INSTRUMENT_INDEX not in preset:
                continue
            for layer in self.layers(b"inst", b"ibag", b"igen", preset[INSTRUMENT_INDEX]):
                if SAMPLE_INDEX not in layer or len(zones) >= MAX_ZONES:
                    continue
                zone = self._zone(preset, layer)
                if zone is not None:
                    zones.append(zone)
        return tuple(zones)

    def layers(
        self, headers: bytes, bags: bytes, generators: bytes, row: int
    ) -> Iterator[dict[int, int]]:
        """Give the generators of each zone of a preset or instrument, over its global ones."""
        first, last = (int(self.records[headers]["bag"][row + i]) for i in (0, 1))
        target = INSTRUMENT_INDEX if headers == b"phdr" else SAMPLE_INDEX
        common: dict[int, int] = {}
        for bag in range(first, last):
            start, stop = (int(self.records[bags]["generator"][bag + i]) for i in (0, 1))
            rows = self.records[generators][start:stop]
            given = dict(zip(rows["kind"].tolist(), rows["amount"].tolist(), strict=True))
            if bag == first and target not in given:
                common = given
            yield common | given

    def _zone(self, preset: dict[int, int], layer: dict[int, int]) -> Zone | None:
        """Put preset and instrument together (section 9.4); None where nothing can sound."""
        keys = _meet(_range(preset, KEY_RANGE), _range(layer, KEY_RANGE))
        velocities = _meet(_range(preset, VELOCITY_RANGE), _range(layer, VELOCITY_RANGE))
        sample = self.records[b"shdr"][layer[SAMPLE_INDEX]]
        value = DEFAULTS.copy()
        for kind, amount in layer.items():
            if kind < NUM_GENERATORS:
                value[kind] = amount
        for kind, amount in preset.items():
            if kind < NUM_GENERATORS and kind not in INSTRUMENT_ONLY:
                value[kind] += amount
        start = int(sample["start"] + value[START] + 32768 * value[START_COARSE])
        end = int(sample["end"] + value[END] + 32768 * value[END_COARSE])
        loop_shift = value[LOOP_START] + 32768 * value[LOOP_START_COARSE]
        loop_start = int(sample["loop_start"] + loop_shift)
        loop_shift = value[LOOP_END] + 32768 * value[LOOP_END_COARSE]
        loop_end = int(sample["loop_end"] + loop_shift)
        if not 0 <= start < end <= len(self.samples) or not keys or not velocities:
            return None
        if value[SAMPLE_MODE] not in (1, 3) or not start <= loop_start < loop_end <= end:
            loop_start = loop_end = end
        root = sample["pitch"] if value[ROOT_KEY] < 0 else value[ROOT_KEY]
        cents = 100 * value[COARSE_TUNE] + value[FINE_TUNE] + int(sample["correction"])
        return Zone(
            keys=keys,
            velocities=velocities,
            start=start,
            end=end,
            loop_start=loop_start,
            loop_end=loop_end,
            sample_rate=int(sample["rate"]),
            root=int(min(root, 127)),
            cents=float(cents),
            cents_per_key=int(value[SCALE_TUNING]),
            gain_db=float(-ATTENUATION_FACTOR * np.clip(value[ATTENUATION], 0, 1440) / 10),
            pan=float(np.clip(value[PAN] / 500, -1, 1)),
            reverb=float(np.clip(value[REVERB] / 1000, 0, 1)),
            volume=_envelope(value[VOL_ENV : VOL_ENV + 6], sustain_unit=10),
            modulation=_envelope(value[MOD_ENV : MOD_ENV + 6], sustain_unit=1000),
            cutoff=float(np.clip(value[CUTOFF], 1500, 13500)),
            resonance_db=float(np.clip(value[RESONANCE], 0, 960) / 10),
            cutoff_by_envelope=float(np.clip(value[MOD_ENV_CUTOFF], -12000, 12000)),
            pitch_by_envelope=float(np.clip(value[MOD_ENV_PITCH], -12000, 12000)),
            tremolo_db=float(np.clip(value[MOD_LFO_VOLUME], -960, 960) / 10),
            wobble_pitch=float(np.clip(value[MOD_LFO_PITCH], -12000, 12000)),
            vibrato_pitch=float(np.clip(value[VIB_LFO_PITCH], -12000, 12000)),
            wobble=Wobble(_seconds(value[MOD_LFO_DELAY]), _hertz(value[MOD_LFO_RATE])),
            vibrato=Wobble(_seconds(value[VIB_LFO_DELAY]), _hertz(value[VIB_LFO_RATE])),
            exclusive=int(value[EXCLUSIVE_CLASS]),
            fixed_key=int(np.clip(value[FIXED_KEY], -1, 127)),
            fixed_velocity=int(np.clip(value[FIXED_VELOCITY], -1, 127)),
        )

    def _check(self) -> None:
        """Refuse indices that leave their list, so that reading a zone can trust them."""
        for headers, bags, generators in ((b"phdr", b"pbag", b"pgen"), (b"inst", b"ibag", b"igen")):
            for name, column, of in (
                (headers, self.records[headers]["bag"], bags),
                (bags, self.records[bags]["generator"], generators),
            ):
                steps = np.diff(column.astype(np.int64))
                if (steps < 0).any() or column[-1] >= len(self.records[of]):
                    raise FormatError(
                        f"{self.name}: list {name.decode()} points outside list {of.decode()}"
                    )
        for generators, kind, of in (
            (b"pgen", INSTRUMENT_INDEX, b"inst"),
            (b"igen", SAMPLE_INDEX, b"shdr"),
        ):
            rows = self.records[generators]
            named = rows["amount"][rows["kind"] == kind].astype(np.int64)
            if ((named < 0) | (named >= len(self.records[of]) - 1)).any():
                raise FormatError(
                    f"{self.name}: list {generators.decode()} names a row that list "
                    f"{of.decode()} does not have"
                )
        samples = self.records[b"shdr"][:-1]
        if (samples["type"] & (VORBIS_SAMPLE | ROM_SAMPLE)).any():
            raise FormatError(
                f"{self.name}: its samples are compressed (SF3) or in a chip: use the SF2 version"
            )
        if not ((samples["rate"] >= 400) & (samples["rate"] <= 200_000)).all():
            raise FormatError(f"{self.name}: a sample rate is outside 400 to 200,000 Hz")
        if not self.presets:
            raise FormatError(f"{self.name}: it holds no presets")


def open_font(path: Path | None = None) -> SoundFont:
    """Open a SoundFont, or the bundled one; the last two stay open until their file changes."""
    path = BUNDLED if path is None else Path(path)
    try:
        facts = path.stat()
    except FileNotFoundError:
        raise FormatError(f"{path}: there is no such SoundFont") from None
    return _open(path, facts.st_mtime_ns, facts.st_size)


@functools.lru_cache(maxsize=2)
def _open(path: Path, changed: int, size: int) -> SoundFont:
    return SoundFont.open(path)


def _chunks(data: memoryview, name: str) -> Iterator[tuple[bytes, memoryview]]:
    """Give the chunks inside the LIST chunks of a RIFF file."""
    if len(data) < 12 or bytes(data[:4]) != b"RIFF" or bytes(data[8:12]) != b"sfbk":
        raise FormatError(f"{name}: not a SoundFont 2 file: it does not begin with RIFF … sfbk")
    for kind, body in _riff(data[12:], name):
        if kind == b"LIST":
            yield from _riff(body[4:], name)


def _riff(data: memoryview, name: str) -> Iterator[tuple[bytes, memoryview]]:
    """Cut a run of RIFF chunks; each has a name, a size, and a pad byte where odd."""
    at = 0
    while at + 8 <= len(data):
        size = int.from_bytes(data[at + 4 : at + 8], "little")
        if at + 8 + size > len(data):
            raise FormatError(f"{name}: a chunk of {size:,} bytes leaves the file: it is cut off")
        yield bytes(data[at : at + 4]), data[at + 8 : at + 8 + size]
        at += 8 + size + (size & 1)


def _records(kind: bytes, body: memoryview, dtype: np.dtype, name: str) -> np.ndarray:
    """Read a list of records, the last of which only closes it."""
    if len(body) % dtype.itemsize or len(body) < dtype.itemsize:
        raise FormatError(
            f"{name}: list {kind.decode()} has {len(body)} bytes: its records have {dtype.itemsize}"
        )
    return np.frombuffer(body, dtype=dtype)


def _range(generators: dict[int, int], kind: int) -> tuple[int, int]:
    """Lowest and highest, packed in the two bytes of an amount."""
    amount = generators.get(kind, 127 << 8) & 0xFFFF
    return amount & 0xFF, amount >> 8


def _meet(one: tuple[int, int], other: tuple[int, int]) -> tuple[int, int] | tuple[()]:
    low, high = max(one[0], other[0]), min(one[1], other[1])
    return (low, high) if low <= high else ()


def _seconds(timecents: int) -> float:
    return float(2 ** (np.clip(timecents, -12000, 8000) / 1200))


def _hertz(cents: int) -> float:
    """Absolute cents: 0 is MIDI pitch 0, 8.176 Hz."""
    return float(8.176 * 2 ** (np.clip(cents, -16000, 4500) / 1200))


def _envelope(values: np.ndarray, sustain_unit: int) -> Envelope:
    """Read six generators: times in timecents, the sustain in so many parts of its unit."""
    delay, attack, hold, decay, sustain, release = values
    drop = float(np.clip(sustain, 0, 1000) / sustain_unit)
    return Envelope(
        _seconds(delay), _seconds(attack), _seconds(hold), _seconds(decay), drop, _seconds(release)
    )
