"""`partimento encode`: where a piece lies in a model's space."""
# ruff: noqa: T201

from pathlib import Path

from partimento.cli import latent, options


def run(
    music: options.Primer,
    model: latent.Model = "melody-vae",
    melody: latent.Melody = "auto",
    qpm: options.NotationTempo = None,
    meter: options.NotationMeter = None,
    out: options.Out = None,
) -> None:
    """Write the points of a piece's windows: .npy, or .json."""
    from partimento.cli.listening import read_given, shown
    from partimento.models.load import load

    given = read_given(music, qpm=qpm, meter=meter)
    player = load(model, verb="encode")
    z = player.encode(given.score, melody=melody)
    path = out or Path(f"{given.name}.npy")
    latent.write_points(path, z, {"model": player.name, "hash": player.hash})
    print(
        f"wrote {shown(path)}: {len(z)} point{'s' * (len(z) != 1)} of {z.shape[1]} dimensions, a "
        f"window of {player.bars} bars each"
    )
