"""A model on disk: card, config, weights, graphs; and the models that ship with the package."""

from partimento.checkpoints.checkpoint import Checkpoint, open_checkpoint, shipped
from partimento.checkpoints.limits import CheckpointLimits
from partimento.checkpoints.saving import save_checkpoint

__all__ = ["Checkpoint", "CheckpointLimits", "open_checkpoint", "save_checkpoint", "shipped"]
