"""Where notes begin when only pitches are known."""

import numpy as np

from partimento.music.four_voices import SILENT, struck_by_beat

#              beat 0          beat 1          beat 2
PITCH = np.array(
    [
        [72, 72, 72, 72, 72, 72, 72, 72, 74, 74, 74, 74],
        [67, 67, 67, 67, 67, 67, 67, 67, 67, 67, 67, 67],
        [64, 64, 64, 64, 65, 65, 65, 65, 65, 65, 65, 65],
        [48, 48, 48, 48, 53, 53, 53, 53, -1, -1, -1, -1],
    ]
).T


def onsets(struck):
    return [np.flatnonzero(struck[:, voice]).tolist() for voice in range(4)]


def test_voices_begin_anew_on_beats_with_the_leading_voice():
    lead = np.zeros(12, dtype=bool)
    lead[[0, 6, 8]] = True  # 6 is off the beat
    struck = struck_by_beat(PITCH, 4, lead=lead)
    assert onsets(struck) == [[0, 8], [0, 8], [0, 4, 8], [0, 4]]


def test_without_a_leader_two_voices_that_change_take_all_along():
    assert onsets(struck_by_beat(PITCH, 4)) == [[0, 4, 8], [0, 4, 8], [0, 4, 8], [0, 4]]
    assert not struck_by_beat(np.full((8, 4), SILENT), 4).any()


def test_an_upbeat_moves_the_beats():
    lead = np.ones(12, dtype=bool)
    assert onsets(struck_by_beat(PITCH, 4, first=2, lead=lead))[1] == [0, 2, 6, 10]
