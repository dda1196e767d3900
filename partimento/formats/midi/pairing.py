"""Pairing: which note end closes which note start.

A MIDI file names only pitch and channel when a note ends. Where a pitch sounds twice at once on a
channel of a track, the note that started first ends first (first in, first out). An end that finds
no note sounding is ignored. A note that nothing ends sounds until the end of its track.
"""

from typing import NamedTuple

import numpy as np

from partimento.formats.midi.boundaries import true_rows

PITCH_BITS = 7


class Pairs(NamedTuple):
    """Notes found, and what was odd about the file.

    Attributes
    ----------
    start, end : int64 array, shape (note,)
        Rows of the note's start and of its end; -1 where nothing ends it.
    num_stray_ends : int
        Note ends that found no note sounding.
    """

    start: np.ndarray
    end: np.ndarray
    num_stray_ends: int


def pair(key: np.ndarray, is_start: np.ndarray) -> Pairs:
    """Pair note starts with note ends.

    Parameters
    ----------
    key : integer array, shape (event,)
        ``128 * channel + pitch``; events are in the order of the file.
    is_start : bool array, shape (event,)

    Returns
    -------
    Pairs
        Sorted by key, then by start.

    Examples
    --------
    Two notes of one pitch: the first end is that of the first start.

    >>> pairs = pair(np.array([7, 7, 7, 7]), np.array([True, True, False, False]))
    >>> pairs.start.tolist(), pairs.end.tolist()
    ([0, 1], [2, 3])
    """
    order = np.argsort(_narrow(key), kind="stable")
    sorted_key, opens = key[order], is_start[order]
    start_at, end_at = true_rows(opens), true_rows(~opens)
    if (
        len(start_at) == len(end_at)
        and (end_at > start_at).all()
        and (sorted_key[start_at] == sorted_key[end_at]).all()
    ):  # the nth end comes after the nth start, for every key: the ordinary file
        return Pairs(order[start_at], order[end_at], 0)
    return _pair_oddly(order, sorted_key, opens)


def _narrow(key: np.ndarray) -> np.ndarray:
    """Keys in 16 bits if they fit, which sort much faster; channels without notes are left out."""
    if key.max(initial=0) < 2**16:
        return key.astype(np.uint16)
    channel = key >> PITCH_BITS
    is_used = np.zeros(int(channel.max()) + 1, dtype=bool)
    is_used[channel] = True
    if np.count_nonzero(is_used) > 2 ** (16 - PITCH_BITS):
        return key
    number = is_used.cumsum() - 1
    return (number[channel] << PITCH_BITS | key & (2**PITCH_BITS - 1)).astype(np.uint16)


def _pair_oddly(order: np.ndarray, sorted_key: np.ndarray, opens: np.ndarray) -> Pairs:
    """Pair where some ends find no note, or some notes no end."""
    is_first = np.ones(len(order), dtype=bool)
    is_first[1:] = sorted_key[1:] != sorted_key[:-1]
    first = true_rows(is_first)
    group = np.cumsum(is_first) - 1
    # Starts less ends of a key after each event, and the lowest it came to so far. An end that
    # takes it to a new low below zero finds no note sounding. Keys are pushed apart so that the
    # lowest of one does not reach into the next.
    step = np.where(opens, 1, -1)
    level = np.cumsum(step)
    level += (step[first] - level[first])[group] - group * (2 * len(order) + 2)
    floor = -group * (2 * len(order) + 2)
    lowest = np.minimum.accumulate(np.minimum(level, floor))
    lowest_before = np.where(is_first, floor, np.concatenate((floor[:1], lowest[:-1])))
    is_stray = level < lowest_before
    # What is left pairs in turn: the nth start of a key with its nth end.
    start_at, end_at = true_rows(opens), true_rows(~opens & ~is_stray)
    num_starts = np.bincount(group[start_at], minlength=len(first))
    num_ends = np.bincount(group[end_at], minlength=len(first))
    rank = np.arange(len(start_at)) - (np.cumsum(num_starts) - num_starts)[group[start_at]]
    is_ended = rank < num_ends[group[start_at]]
    first_end = np.cumsum(num_ends) - num_ends
    end = np.full(len(start_at), -1)
    end[is_ended] = order[end_at[(first_end[group[start_at]] + rank)[is_ended]]]
    return Pairs(order[opens], end, int(is_stray.sum()))
