"""A SoundFont of one sine, written by hand: small enough to damage at every byte."""

import struct

import numpy as np

from partimento.rendering import soundfont as sf

RATE, ROOT = 22_050, 69
PERIODS = 20


def chunk(name, body):
    return name + struct.pack("<I", len(body)) + body + bytes(len(body) % 2)


def rows(dtype, *values):
    return np.array(list(values), dtype=dtype).tobytes()


def font_bytes(*, preset=(), layer=(), bank=0, program=0, sample_type=1, rate=RATE, size=None):
    """The file; `preset` and `layer` are more generators, as (kind, amount)."""
    frames = int(RATE / 440 * PERIODS)
    sine = np.rint(20_000 * np.sin(2 * np.pi * 440 * np.arange(frames) / RATE)).astype("<i2")
    preset_generators = [*preset, (sf.INSTRUMENT_INDEX, 0)]
    generators = [(sf.SAMPLE_MODE, 1), *layer, (sf.SAMPLE_INDEX, 0)]
    loop = round(RATE / 440 * (PERIODS - 2))
    lists = {
        b"phdr": rows(
            sf.PRESET, (b"sine", program, bank, 0, (0, 0, 0)), (b"EOP", 0, 0, 1, (0, 0, 0))
        ),
        b"pbag": rows(sf.BAG, (0, 0), (len(preset_generators), 0)),
        b"pmod": bytes(10),
        b"pgen": rows(sf.GENERATOR, *preset_generators, (0, 0)),
        b"inst": rows(sf.INSTRUMENT, (b"sine", 0), (b"EOI", 1)),
        b"ibag": rows(sf.BAG, (0, 0), (len(generators), 0)),
        b"imod": bytes(10),
        b"igen": rows(sf.GENERATOR, *generators, (0, 0)),
        b"shdr": rows(
            sf.SAMPLE,
            (b"sine", 0, frames if size is None else size, 0, loop, rate, ROOT, 0, 0, sample_type),
            (b"EOS", 0, 0, 0, 0, 0, 0, 0, 0, 0),
        ),
    }
    body = b"sfbk"
    body += chunk(b"LIST", b"INFO" + chunk(b"ifil", struct.pack("<HH", 2, 1)))
    body += chunk(b"LIST", b"sdta" + chunk(b"smpl", sine.tobytes()))
    body += chunk(b"LIST", b"pdta" + b"".join(chunk(*item) for item in lists.items()))
    return chunk(b"RIFF", body)
