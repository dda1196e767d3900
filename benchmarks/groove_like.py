"""What it brings to play like a performance: errors of bars 9-16, told bars 1-8 or not.

    python benchmarks/groove_like.py

Pieces of the validation part of `groove` in 4/4 that have 16 bars; at temperature 0. It also says
whether long pieces are played as well as short ones, in nats a stroke by bar.
"""

import numpy as np

from partimento import load
from partimento.data.drums import DrumPiece, load_drums
from partimento.generation.sampling import generator_of
from partimento.music.drums import Hits
from partimento.representations.groove import Given, Played, meter_of

BARS, BAR_STEPS = 8, 16
STRETCHES = ((0, 4), (4, 16), (16, 48), (48, 10**6))


def errors(model, piece: DrumPiece, told: bool) -> tuple[float, float]:
    """Mean errors of velocity (of 127) and of time (ms) in bars 9-16."""
    half = BARS * BAR_STEPS
    hits = Hits(*(table[: 2 * half] for table in piece.hits))
    meter = meter_of(piece.grid, piece.qpm, 4)[: 2 * half]
    is_told = np.zeros_like(hits.is_hit)
    is_told[:half] = True
    if not told:
        hits, meter, is_told = Hits(*(table[half:] for table in hits)), meter[half:], is_told[half:]
    everywhere = np.ones_like(is_told)
    made = model.write(hits, [everywhere, is_told, is_told], meter, [generator_of(0)], 0.0)
    is_hit = hits.is_hit[-half:]
    velocity = 127 * np.abs(made.velocity[0] - hits.velocity)[-half:][is_hit].mean()
    step = 60_000 / (piece.qpm * 4)  # ms
    return velocity, step * np.abs(made.offset[0] - hits.offset)[-half:][is_hit].mean()


def by_bar(model, pieces: list[DrumPiece]) -> np.ndarray:
    """Nats a stroke, velocity and time together, in the stretches of pieces."""
    found = np.zeros((len(STRETCHES), 2))
    for piece in pieces:
        played = Played.of(piece.hits)
        given = Given.nothing(1, len(piece.grid))._replace(hit=np.ones_like(played.is_hit))
        meter = meter_of(piece.grid, piece.qpm, 4)[None]
        nats = model.engine.nats(played, given, meter)[0].sum(axis=1)
        for row, (first, end) in enumerate(STRETCHES):
            here = (piece.grid.bar >= first) & (piece.grid.bar < end)
            found[row] += nats[here].sum(), piece.hits.is_hit[here].sum()
    return found[:, 0] / found[:, 1]


def main() -> None:
    """Measure, and print."""
    model = load("drums-groove")
    pieces = [
        piece
        for piece in load_drums(["groove"]).split("valid")
        if piece.grid.bar[-1] >= 2 * BARS - 1 and (piece.grid.bar_steps == BAR_STEPS).all()
    ]
    for told in (False, True):
        velocity, time = np.mean([errors(model, piece, told) for piece in pieces], axis=0)
        words = "told bars 1-8" if told else "told nothing "
        print(f"{len(pieces)} pieces, {words}: velocity {velocity:.1f}, time {time:.1f} ms")
    long = [piece for piece in pieces if piece.grid.bar[-1] >= 63]
    print(f"{len(long)} pieces of 64 bars or more, nats a stroke:")
    for (first, end), nats in zip(STRETCHES, by_bar(model, long), strict=True):
        words = f"bars {first + 1}-{end}" if end < 10**6 else f"from bar {first + 1}"
        print(f"  {words}: {nats:.2f}")


if __name__ == "__main__":
    main()
