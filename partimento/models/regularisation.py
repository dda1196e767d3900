"""Regularisation by the size of the data: what `train` and `finetune` choose when not told."""

DROPOUTS = (  # notes of the training melodies, and the dropout for fewer
    (10_000, 0.5),
    (100_000, 0.35),
)
DROPOUT_OF_LARGE = 0.2
DROPOUT_OF_FINETUNING = 0.2


def dropout_for(notes: int) -> float:
    """Choose the dropout of a network that begins with random weights.

    The less music there is, the sooner it is known by heart, and the more dropout pays.

    Parameters
    ----------
    notes
        Of the melodies that are learned from.

    Examples
    --------
    >>> dropout_for(4_000), dropout_for(600_000)
    (0.5, 0.2)
    """
    return next((dropout for below, dropout in DROPOUTS if notes < below), DROPOUT_OF_LARGE)
