"""The lessons of our rows in the piano-roll tables: networks and settings, chosen on validation."""

from dataclasses import replace
from typing import Any

from partimento.errors import ParameterError
from partimento.networks.roll_tcn import RollTCNConfig
from partimento.networks.rolls import RollRNNConfig
from partimento.training.loop import TrainingSettings
from partimento.training.rolls import RollLesson

NETWORKS = {"RollRNN": ("joint", "independent"), "RollTCN": ("independent",)}  # and their columns
FORMS = {"joint": "set", "independent": "keys"}  # column of the tables, form of a network

_SET: dict[str, dict[str, Any]] = {  # by set: network, settings, lesson
    "jsb": {
        "network": {"hidden_size": 384, "dropout": 0.5, "input_dropout": 0.2},
        "settings": {"steps": 1400, "evaluate_every": 70, "batch_size": 16, "chunk_steps": 160},
        "lesson": {},
    },
    "nottingham": {
        "network": {"hidden_size": 512, "dropout": 0.3, "input_dropout": 0.1},
        "settings": {"steps": 4000, "evaluate_every": 250, "batch_size": 16, "chunk_steps": 512},
        "lesson": {},
    },
    "piano-midi": {
        "network": {"hidden_size": 512, "dropout": 0.4, "input_dropout": 0.1},
        "settings": {
            "steps": 4000,
            "evaluate_every": 250,
            "batch_size": 16,
            "chunk_steps": 256,
            "transpose": 6,
        },
        "lesson": {"warm_up": 32},
    },
}
# Sizes and dropout of Bai et al.; Adam at a constant rate without weight decay, as in their code.
_TCN_STEPS = {"jsb": 3000, "nottingham": 9000, "piano-midi": 4000}


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
        Settings of `TrainingSettings` to use in place of the lesson's.
    """
    if name not in _SET:
        raise ParameterError(f"the piano-roll sets are {', '.join(_SET)}, got {name!r}")
    if column not in NETWORKS.get(network, ()):
        raise ParameterError(f"there is no lesson for a {network} in the column {column}")
    about = _SET[name]
    common = {"transpose": 0, "threads": 1, "patience": 1000, "seed": seed}
    if network == "RollTCN":
        settings = TrainingSettings(
            **common,
            steps=_TCN_STEPS[name],
            evaluate_every=_TCN_STEPS[name] // 20,
            batch_size=4,
            chunk_steps=4096,
            learning_rate=1e-3,
            weight_decay=0.0,
            precision="float32",
        )
        return RollLesson(RollTCNConfig(), replace(settings, **changes))
    settings = TrainingSettings(
        **{
            **common,
            "learning_rate": 2e-3,
            "weight_decay": 0.1,
            "averaging": 0.99,
            "precision": "bfloat16",
            **about["settings"],
        }
    )
    config = RollRNNConfig(form=FORMS[column], **about["network"])
    return RollLesson(config, replace(settings, **changes), **about["lesson"])
