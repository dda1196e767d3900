"""One voice out of many: whether notes are a melody, and which lines can be taken out of them.

`is_monophonic` asks; `skyline` takes the top line and `lowest_line` the bottom one; `cut_overlaps`
ends each note where the next begins. All are vectorised and give new tables.
"""

import numpy as np

from partimento.music.notes import Notes


def is_monophonic(notes: Notes, tolerance: int = 0) -> bool:
    """Whether no two notes sound at once.

    Parameters
    ----------
    notes
        In the order `Notes` keeps.
    tolerance
        Ticks that a note may reach into the next, as legato playing does. Notes that start
        together are never one voice.
    """
    reaches = np.maximum.accumulate(notes.offset)[:-1]
    meets = (np.diff(notes.onset) == 0) | (reaches - notes.onset[1:] > tolerance)
    return not meets.any()


def skyline(notes: Notes) -> Notes:
    """Top line: the highest of the notes that start together, cut where the next one starts.

    A lower note that starts while a higher one sounds ends it, so the line follows every onset:
    fine for block chords and melodies with a light accompaniment, wrong where an accompaniment
    moves under long notes.

    References
    ----------
    Uitdenbogerd and Zobel, "Manipulation of Music for Melody Matching", ACM Multimedia 1998
    (there "all-mono").

    Examples
    --------
    >>> skyline(Notes([0, 0, 480], [960, 480, 480], [60, 67, 65])).pitch.tolist()
    [67, 65]
    """
    is_last = np.append(np.diff(notes.onset) > 0, True)[: len(notes)]  # sorted by pitch within
    return cut_overlaps(notes.where(is_last))


def lowest_line(notes: Notes) -> Notes:
    """Bottom line: the lowest of the notes that start together, cut where the next one starts."""
    is_first = np.append(True, np.diff(notes.onset) > 0)[: len(notes)]
    return cut_overlaps(notes.where(is_first))


def cut_overlaps(notes: Notes) -> Notes:
    """End each note where the next onset is, if it would sound beyond it; chords stay chords."""
    after = np.searchsorted(notes.onset, notes.onset, side="right")
    next_onset = np.append(notes.onset, notes.end)[after]
    end = np.minimum(notes.offset, np.maximum(next_onset, notes.onset + 1))
    is_last = after == len(notes)
    return Notes(
        notes.onset,
        np.where(is_last, notes.duration, end - notes.onset),
        notes.pitch,
        notes.velocity,
    )
