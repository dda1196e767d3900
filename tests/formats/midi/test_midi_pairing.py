"""Pairing: first in, first out, whatever comes."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from partimento.formats.midi.pairing import pair


def pair_slowly(keys, starts):
    """Pairs of rows, with -1 for no end, and the number of stray ends."""
    sounding, pairs, num_stray = {}, {}, 0
    for row, (key, is_start) in enumerate(zip(keys, starts, strict=True)):
        waiting = sounding.setdefault(key, [])
        if is_start:
            waiting.append(row)
            pairs[row] = -1
        elif waiting:
            pairs[waiting.pop(0)] = row
        else:
            num_stray += 1
    return sorted(pairs.items()), num_stray


@given(st.lists(st.tuples(st.sampled_from((0, 1, 7, 70_000)), st.booleans()), max_size=40))
def test_pairs_are_those_of_a_queue_for_each_key(events):
    keys = np.array([key for key, _ in events], dtype=np.int32)
    starts = np.array([is_start for _, is_start in events], dtype=bool)
    start, end, num_stray = pair(keys, starts)
    found = sorted(zip(start.tolist(), end.tolist(), strict=True))
    assert (found, num_stray) == pair_slowly(keys.tolist(), starts.tolist())
    assert keys[start].tolist() == sorted(keys[start].tolist())
