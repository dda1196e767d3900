import pytest
from models.tiny_model import save_tiny_model

from partimento.errors import CheckpointError, VerbError
from partimento.models.load import FAMILIES, METHODS, load


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return save_tiny_model(tmp_path_factory.mktemp("models") / "tiny")


def test_a_folder_is_opened_as_the_model_its_family_says(folder):
    model = load(folder)
    assert (type(model).__name__, model.name) == ("MelodyRNNModel", "tiny")
    assert model.card.startswith("# tiny")


def test_a_path_may_be_text(folder):
    assert load(str(folder)).hash == load(folder).hash


def test_every_verb_a_family_promises_is_a_method_of_its_model(folder):
    model = load(folder)
    for verb in FAMILIES["melody-rnn"].verbs:
        assert callable(getattr(model, METHODS[verb]))


def test_a_verb_the_family_cannot_do_is_refused_by_name(folder):
    with pytest.raises(VerbError, match="melody-rnn cannot harmonize, only continue, sample"):
        load(folder, verb="harmonize")
    with pytest.raises(VerbError, match="cannot vary"):
        load(folder).vary()


def test_what_is_no_verb_is_a_plain_attribute_error(folder):
    model = load(folder)
    assert not hasattr(model, "harmonize")
    with pytest.raises(AttributeError, match="no attribute 'sing'") as error:
        model.sing()
    assert not isinstance(error.value, VerbError)


def test_an_unknown_model_is_refused():
    with pytest.raises(CheckpointError, match="no-such-model"):
        load("no-such-model")


def test_a_family_of_the_future_is_refused(tmp_path):
    folder = save_tiny_model(tmp_path / "later", family="opera-gan")
    with pytest.raises(CheckpointError, match="'opera-gan', which this version does not know"):
        load(folder)
