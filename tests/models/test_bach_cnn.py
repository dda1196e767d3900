"""bach-cnn: what is given comes back, what is asked is written, and nonsense is refused."""

import numpy as np
import pytest
from models.tiny_cnn import save_tiny_cnn

from partimento import load, seq
from partimento.errors import CheckpointError, GenerationError, ParameterError, VerbError
from partimento.music.four_voices import RANGES, VOICES
from partimento.music.provenance import read_stamps

TUNE = "g4:q g4:q a4:q b4:q c5:q b4:q a4:q b4:q d5:q c5:q b4:q a4:q g4:h. r:q"


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return load(save_tiny_cnn(tmp_path_factory.mktemp("models") / "tiny-cnn"))


@pytest.fixture(scope="module")
def four(model):
    return model.harmonize(seq(TUNE), seed=1)


def test_the_melody_comes_back_note_for_note_beside_three_voices(model, four):
    tune = seq(TUNE)
    assert four.parts[0] == tune.parts[0]
    assert [part.name for part in four.parts[1:]] == ["Alto", "Tenor", "Bass"]
    assert four.end_tick == tune.end_tick
    for part, (low, high) in zip(four.parts[1:], RANGES[1:], strict=True):
        heard = part.notes.pitch + model.hear(tune).shift
        assert ((heard >= low) & (heard <= high)).all()


@pytest.mark.parametrize("voice", VOICES)
def test_any_voice_can_be_the_given_one(model, voice):
    low, _ = RANGES[VOICES.index(voice)]
    line = seq([(low + step, 1) for step in (4, 5, 7, 9)])
    made = model.harmonize(line, voices=voice, seed=2)
    assert made.parts[0] == line.parts[0]
    others = [v.capitalize() for v in VOICES if v != voice]
    assert [part.name for part in made.parts[1:]] == others


def test_a_seed_gives_the_same_alone_and_among_others(model):
    many = model.harmonize_many(seq(TUNE), 3, seed=5)
    assert [part.notes for part in many[2].parts] == [
        part.notes for part in model.harmonize(seq(TUNE), seed=7).parts
    ]
    assert many[0].parts[1].notes != many[1].parts[1].notes
    assert [read_stamps(score)[-1]["seed"] for score in many] == [5, 6, 7]


def test_only_the_bars_and_voices_that_were_named_are_new(model, four):
    made = model.infill(four, bars=(2, 3), voices="alto,bass", seed=3)
    bar = 4 * four.ticks_per_quarter
    for before, after in zip(four.parts, made.parts, strict=True):
        if before.name not in ("Alto", "Bass"):
            assert after == before
            continue
        assert after.notes != before.notes
        kept = [
            [n for n in part.notes if n.onset + n.duration <= bar or n.onset >= 3 * bar]
            for part in (before, after)
        ]
        starts = [
            {(n.onset, n.pitch) for n in part.notes if n.onset < bar or n.onset >= 3 * bar}
            for part in (before, after)
        ]
        assert kept[0][: len(kept[0]) // 2] == kept[1][: len(kept[0]) // 2]
        assert starts[0] <= starts[1]


def test_a_voice_that_is_not_there_can_be_written_for_some_bars(model):
    tune = seq(TUNE)
    made = model.infill(tune, bars=(2, 2), voices="bass", seed=0)
    assert made.parts[0] == tune.parts[0]
    (bass,) = made.parts[1:]
    bar = 4 * made.ticks_per_quarter
    assert bass.notes.onset.min() >= bar
    assert bass.notes.end <= 2 * bar


def test_voices_do_not_cross_if_that_is_demanded(model):
    made = model.harmonize(seq(TUNE), seed=4, no_crossing=True)
    pitch = model.hear(made).voices.pitch
    both = (pitch[:, :-1] >= 0) & (pitch[:, 1:] >= 0)
    assert (pitch[:, :-1] >= pitch[:, 1:])[both].all()


def test_temperature_zero_takes_the_likeliest(model):
    one = model.harmonize(seq("g4:q a4:q b4:q c5:q"), seed=1, temperature=0)
    assert one.num_notes > 4


def test_a_sample_has_four_voices_of_the_asked_length(model):
    made = model.sample(2, seed=1, meter="3/4")
    assert [part.name for part in made.parts] == [voice.capitalize() for voice in VOICES]
    assert made.end_tick == 2 * 3 * made.ticks_per_quarter


def test_next_says_every_voice_with_probabilities_that_sum_to_one(model, four):
    following = model.next(four)
    assert following.probabilities.sum() + following.rest + following.left_out == pytest.approx(1)


def test_likelihood_says_that_cells_were_hidden(model, four):
    measured = model.likelihood(four)
    assert "hidden" in measured.remarks[-1]
    assert measured.as_dict()["hidden"] == "each voice in turn, whole"
    assert measured.nats_per_cell == pytest.approx(measured.cell_nats.mean())


def test_known_cells_have_no_surprise(model, four):
    voices = model.hear(four).voices
    is_hidden = np.zeros(voices.pitch.shape, dtype=bool)
    is_hidden[5:9, 2] = True
    nats = model.hidden_nats(voices, is_hidden)
    assert (nats[~is_hidden] == 0).all()
    assert (nats[is_hidden] > 0).all()


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"bars": (3, 9)}, "bars must be within 1-4"),
        ({"bars": (2, 1)}, "bars must be within 1-4"),
        ({"voices": "alt"}, "no voice 'alt'"),
        ({"voices": ""}, "no voice ''"),
        ({}, "nothing would be kept"),
        ({"bars": (1, 4)}, "nothing would be kept"),
    ],
    ids=str,
)
def test_masks_that_make_no_sense_are_refused(model, four, settings, words):
    with pytest.raises(ParameterError, match=words):
        model.infill(four, **settings)


def test_nothing_to_harmonize_is_refused(model, four):
    with pytest.raises(ParameterError, match="nothing is left to write"):
        model.harmonize(four)


def test_a_missing_voice_has_no_likelihood(model):
    with pytest.raises(ParameterError, match="no alto"):
        model.likelihood(seq(TUNE))


def test_a_soprano_below_all_altos_cannot_be_kept_above_them(model):
    line = seq([(81, 1), *[(72, 1)] * 18, (51, 1)])
    with pytest.raises(GenerationError, match="alto has no pitch left at quarter 19"):
        model.harmonize(line, voices="soprano", no_crossing=True)
    assert model.harmonize(line, voices="soprano").parts[0] == line.parts[0]


def test_a_verb_of_another_family_is_refused(model):
    with pytest.raises(VerbError, match="bach-cnn cannot continue"):
        model.continue_from(seq(TUNE))


def test_a_config_that_lies_is_refused(tmp_path):
    with pytest.raises(CheckpointError, match="key in the checkpoint"):
        load(save_tiny_cnn(tmp_path / "a", network={"key": "yes"}))
    model = load(save_tiny_cnn(tmp_path / "b", representation={"highest": 80}))
    with pytest.raises(CheckpointError, match="fill graph"):
        model.sample(1)
