"""The lessons of our rows in the piano-roll tables: networks and settings, chosen on validation."""

from typing import Any

from partimento.errors import ParameterError
from partimento.networks.roll_tcn import RollTCNConfig
from partimento.networks.rolls import RollRNNConfig
from partimento.training.loop import TrainingSettings
from partimento.training.rolls import RollLesson

NETWORKS = {"RollRNN": ("joint", "independent"), "RollTCN": ("independent",)}  # and their columns
FORMS = {"joint": "set", "independent": "keys"}  # column of the tables, form of a network

# By set. Of the pieces, all but a few of nottingham and of piano-midi are read in one stretch.
_NETWORK: dict[str, dict[str, Any]] = {
    "jsb": {"hidden_size": 384, "dropout": 0.5, "input_dropout": 0.2},
    "nottingham": {"hidden_size": 512, "dropout": 0.25, "input_dropout": 0.1},
    "piano-midi": {"hidden_size": 512, "dropout": 0.4, "input_dropout": 0.1},
}
_SETTINGS: dict[str, dict[str, Any]] = {
    "jsb": {"steps": 1700, "batch_size": 16, "chunk_steps": 160},
    "nottingham": {"steps": 1600, "batch_size": 8, "chunk_steps": 384},
    "piano-midi": {"steps": 2500, "batch_size": 8, "chunk_steps": 256},
}
_TCN_STEPS = {"jsb": 3000, "nottingham": 9000, "piano-midi": 2500}
LOOKS = 20  # at the validation part, in a run


def roll_lesson(
    name: str, column: str, network: str = "RollRNN", *, seed: int = 0, **changes: Any
) -> RollLesson:
    """Give the lesson of one row.

    Parameters
    ----------
    name
        Of the set.
    column
        ``"joint"`` or ``"independent"``.
    network
        ``"RollRNN"`` or ``"RollTCN"``.
    changes
        Fields of the network's config or of `TrainingSettings`, in place of the lesson's.
    """
    if name not in _NETWORK:
        raise ParameterError(f"the piano-roll sets are {', '.join(_NETWORK)}, got {name!r}")
    if column not in NETWORKS.get(network, ()):
        raise ParameterError(f"there is no lesson for a {network} in the column {column}")
    is_tcn = network == "RollTCN"
    # A TCN has the sizes of Bai et al., and is taught as in their code: no weight decay, no
    # augmentation, whole pieces. RollRNN is taught with all we know of.
    settings: dict[str, Any] = {"threads": 1, "patience": 1000, "seed": seed}
    settings |= (
        {
            "steps": _TCN_STEPS[name],
            "batch_size": 4,
            "chunk_steps": 4096,
            "transpose": 0,
            "learning_rate": 1e-3,
            "weight_decay": 0.0,
            "precision": "float32",
        }
        if is_tcn
        else {
            "transpose": 6,
            "learning_rate": 2e-3,
            "weight_decay": 0.1,
            "averaging": 0.99,
            "precision": "bfloat16",
            **_SETTINGS[name],
        }
    )
    fields = {} if is_tcn else {"form": FORMS[column], **_NETWORK[name]}
    for field, value in changes.items():
        place = settings if field in TrainingSettings.__dataclass_fields__ else fields
        place[field] = value
    settings.setdefault("evaluate_every", max(1, (settings["steps"] or LOOKS) // LOOKS))
    config = RollTCNConfig if is_tcn else RollRNNConfig
    try:
        return RollLesson(config(**fields), TrainingSettings(**settings))
    except TypeError:
        known = [*config.__dataclass_fields__, *TrainingSettings.__dataclass_fields__]
        wrong = next(field for field in changes if field not in known)
        raise ParameterError(f"{network} has no {wrong}: there is {', '.join(known)}") from None
