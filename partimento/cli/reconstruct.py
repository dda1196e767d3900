"""`partimento reconstruct`: a piece through the bottleneck and back."""
# ruff: noqa: T201

from partimento.cli import latent, options
from partimento.cli.hearing_options import Engraved, Play, Wav, hear
from partimento.cli.picture_options import Roll, draw_rolls

MOST_NAMED = 12  # bars


def run(
    music: options.Primer,
    model: latent.Model = "melody-vae",
    melody: latent.Melody = "auto",
    temperature: latent.Temperature = 0.0,
    top_p: options.TopP = 1.0,
    top_k: options.TopK = 0,
    seed: options.Seed = 0,
    qpm: options.NotationTempo = None,
    meter: options.NotationMeter = None,
    straight: latent.Straight = False,
    roll: Roll = False,
    out: options.Out = None,
    json: options.AsJson = False,
    play: Play = False,
    wav: Wav = False,
    engraved: Engraved = False,
) -> None:
    """Send a piece through the model's space and back, and say where it differs."""
    from partimento.cli.listening import out_paths, read_given
    from partimento.models.load import load

    given = read_given(music, qpm=qpm, meter=meter)
    paths = out_paths(out, f"{given.name}-reconstructed.mid", 1, given.path)
    player = load(model, verb="reconstruct")
    latent.play_straight(player, straight)
    found = player.reconstruct(
        given.score, melody=melody, seed=seed, temperature=temperature, top_p=top_p, top_k=top_k
    )
    differ = [number + 1 for number, same in enumerate(found.same_by_bar) if same < 1]
    latent.report_windows(
        [found.score],
        paths,
        heard=found.remarks,
        more=lambda number: f", {found.same:.1%} of the grid steps as they were",
        facts=lambda number: {"same": found.same, "same_by_bar": found.same_by_bar.tolist()},
        as_json=json,
    )
    draw_rolls([found.score], paths, roll=roll, is_quiet=json)
    if not json:
        named = ", ".join(map(str, differ[:MOST_NAMED])) + (" …" * (len(differ) > MOST_NAMED))
        print(f"bars that differ: {named}" if differ else "no bar differs")
    hear([found.score], paths, play=play, wav=wav, engraved=engraved, is_quiet=json)
