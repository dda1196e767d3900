"""Regularisation by the size of the data: what `train` and `finetune` choose when not told.

`python benchmarks/small_data.py --study dropout` tries what suits how much music from random
weights, and `--study finetuning` the same on top of the shipped model: there a higher dropout than
the model was made with only disturbs what it knows (docs/small-data.md).
"""

FEW_NOTES = 100_000  # of training melodies: some 500 tunes
DROPOUT_OF_FEW, DROPOUT_OF_MANY = 0.5, 0.4
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
    (0.5, 0.4)
    """
    return DROPOUT_OF_FEW if notes < FEW_NOTES else DROPOUT_OF_MANY
