"""How fast the sampler plays, how much memory it takes, and how near it is to another synthesiser.

    python benchmarks/render_audio.py
    python benchmarks/render_audio.py --beside FluidR3_GM.sf2

The second form needs `midirenderer` (RustySynth): both play the same notes with the same SoundFont,
and the table says by how many decibels each note's level differs after the common offset is taken
away.
"""

import argparse
import io
import time
import tracemalloc
import wave
from pathlib import Path

import numpy as np

from partimento.formats.midi import write_midi
from partimento.music.examples import row_your_boat, row_your_boat_canon
from partimento.music.notes import Notes
from partimento.music.score import Control, Part, Score
from partimento.rendering.audio import render_audio
from partimento.rendering.piano_roll import piano_roll_svg
from partimento.rendering.picture import svg_to_png

PROGRAMS = (0, 4, 6, 19, 24, 33, 40, 45, 48, 52, 56, 61, 73, 117)
NOTES = [(pitch, velocity) for pitch in (48, 60, 72) for velocity in (60, 90, 120)]
REVERB, CHORUS = 91, 93


def pieces() -> dict[str, Score]:
    """Music of several densities."""
    tune, canon = row_your_boat(), row_your_boat_canon()
    generator = np.random.default_rng(0)
    count = 6_000  # in 10 minutes: 10 a second, all velocities, as a pianist plays
    dense = Notes(
        onset=generator.integers(0, 1200 * 480, count),
        duration=generator.integers(60, 1440, count),
        pitch=np.clip(generator.normal(62, 12, count), 21, 108).astype(np.int64),
        velocity=generator.integers(20, 120, count),
    )
    return {
        "melody, piano": tune.repeat(4),
        "melody, flute": tune.repeat(4).with_program(73),
        "canon, strings": canon.repeat(4).with_program(48),
        "piano, 6,000 notes": Score(parts=(Part(dense),)),
        "one note": Score(parts=(Part(Notes([0], [480], [60])),)),
    }


def speed() -> None:
    """Print seconds of music, seconds of work, their ratio and the memory."""
    print(f"{'piece':20} {'music':>8} {'work':>8} {'ratio':>7} {'memory':>8}   drawing")
    for name, score in pieces().items():
        begin = time.perf_counter()
        audio = render_audio(score)
        work = time.perf_counter() - begin
        tracemalloc.start()
        render_audio(score)
        memory = tracemalloc.get_traced_memory()[1] / 2**20
        tracemalloc.stop()
        begin = time.perf_counter()
        svg_to_png(piano_roll_svg(score))
        drawing = time.perf_counter() - begin
        music = len(audio) / 44_100
        print(
            f"{name:20} {music:6.1f} s {work:6.2f} s {music / work:6.0f}x {memory:4.0f} MiB   "
            f"{drawing:.2f} s"
        )


def beside(font: Path) -> None:
    """Print how far the levels of single notes lie from RustySynth's."""
    import midirenderer

    print(f"{'program':>8}  median and largest difference of a note's level [dB]")
    controls = (Control(0, REVERB, 0), Control(0, CHORUS, 0))
    for program in PROGRAMS:
        notes = Notes(
            onset=[960 * number for number in range(len(NOTES))],
            duration=[480] * len(NOTES),
            pitch=[pitch for pitch, _ in NOTES],
            velocity=[velocity for _, velocity in NOTES],
        )
        score = Score(parts=(Part(notes, program=program, controls=controls),), end_tick=9600)
        ours = _levels(render_audio(score, sound_font=font), 44_100)
        data = midirenderer.render_wave_from(font.read_bytes(), write_midi(score))
        with wave.open(io.BytesIO(data)) as file:
            frames = np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, 2)
            theirs = _levels(frames / 32768, file.getframerate())
        difference = ours - theirs
        difference -= np.median(difference)
        absolute = np.abs(difference)
        print(f"{program:8}  {np.median(absolute):.1f}  {absolute.max():.1f}")


def _levels(audio: np.ndarray, sample_rate: int) -> np.ndarray:
    """Level of each note between a tenth and 0.45 seconds after it begins."""
    return np.array(
        [
            10
            * np.log10(
                np.mean(audio[int((n + 0.1) * sample_rate) : int((n + 0.45) * sample_rate)] ** 2)
            )
            for n in range(len(NOTES))
        ]
    )


def main() -> None:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--beside", type=Path, metavar="SF2")
    arguments = parser.parse_args()
    speed()
    if arguments.beside:
        beside(arguments.beside)


if __name__ == "__main__":
    main()
