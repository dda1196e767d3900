import numpy as np
import pytest

from partimento.data.chorales import VoicePiece, load_chorales
from partimento.errors import ParameterError
from partimento.evaluation.jsb16 import CELLS, CountModel, Ensemble, clean, measure
from partimento.music.four_voices import FourVoices, struck_by_beat


def chorale(steps, seed=0, split="train"):
    pitch = np.random.default_rng(seed).integers(60, 64, size=(steps, 4))
    return VoicePiece(f"{split}/{seed:03d}", "", split, FourVoices(pitch, struck_by_beat(pitch)))


class Constant:
    def __init__(self, nats):
        self.nats = nats

    def nll_of(self, pieces):
        return [np.full(voices.pitch.shape, self.nats) for voices in pieces]


def test_a_uniform_model_pays_the_logarithm_of_46_pitches_and_a_rest():
    figures = measure(Constant(np.log(CELLS)), [chorale(8), chorale(20, seed=1)])
    assert figures.nats_per_cell == pytest.approx(np.log(47))
    assert figures.mean_of_pieces == pytest.approx(np.log(47))
    assert (figures.cells, figures.pieces) == (4 * 28, 2)


def test_a_long_chorale_counts_more_in_one_average_and_not_in_the_other():
    class ByLength:
        def nll_of(self, pieces):
            return [np.full(voices.pitch.shape, float(len(voices))) for voices in pieces]

    figures = measure(ByLength(), [chorale(10), chorale(30)])
    assert figures.nats_per_cell == pytest.approx((10 * 10 + 30 * 30) / 40)
    assert figures.mean_of_pieces == pytest.approx(20)


def test_an_ensemble_gives_each_cell_the_mean_of_the_probabilities():
    both = Ensemble([Constant(-np.log(0.5)), Constant(-np.log(0.1))])
    assert measure(both, [chorale(4)]).nats_per_cell == pytest.approx(-np.log(0.3))


def test_models_that_fill_a_step_in_different_orders_are_mixed_by_the_step():
    both = Ensemble([Constant(-np.log(0.5)), Constant(-np.log(0.1))], by_frame=True)
    a_step = -np.log((0.5**4 + 0.1**4) / 2)
    assert measure(both, [chorale(4)]).nats_per_cell == pytest.approx(a_step / 4)


def test_counted_probabilities_of_a_cell_add_up_to_one():
    model = CountModel([chorale(40)])
    assert np.allclose(np.exp(model.log_probability).sum(axis=-1), 1)


def test_counts_learn_what_always_follows():
    pitch = np.tile([[72, 67, 64, 48], [74, 67, 65, 50]], (40, 1))
    piece = VoicePiece("train/000", "", "train", FourVoices(pitch, struck_by_beat(pitch)))
    assert measure(CountModel([piece], added=0.01), [piece]).nats_per_cell < 0.1


def test_nats_of_another_shape_are_refused():
    class Wrong:
        def nll_of(self, pieces):
            return [np.zeros(3) for _ in pieces]

    with pytest.raises(ParameterError, match="of shape"):
        measure(Wrong(), [chorale(4)])
    with pytest.raises(ParameterError, match="no chorale"):
        measure(Wrong(), [])


@pytest.mark.data
def test_47_test_chorales_are_clean_and_counts_reach_what_they_reach(shared_data):
    pieces = load_chorales(shared_data)
    by_split = {split: [p for p in pieces if p.split == split] for split in ("train", "test")}
    assert len(clean(by_split["test"], shared_data)) == 47
    figures = measure(CountModel(by_split["train"]), by_split["test"])
    assert figures.cells == 4 * 18900
    assert figures.nats_per_cell == pytest.approx(0.740, abs=0.001)
