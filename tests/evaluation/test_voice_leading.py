"""Voice leading: small chorales with mistakes, worked by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from partimento.data.chorales import load_chorales
from partimento.errors import MusicError
from partimento.evaluation.voice_leading import (
    MEASURES,
    RATES,
    Parallel,
    bach,
    check_voices,
    find_parallels,
    summary,
)
from partimento.music.four_voices import SILENT, FourVoices
from partimento.music.keys import key_of_voices, parse_key

C_MAJOR = parse_key("c major")
TONIC, DOMINANT, SUBDOMINANT = (72, 67, 64, 48), (71, 67, 62, 43), (72, 69, 65, 53)


def chorale(*chords, steps=4):
    pitch = np.repeat(np.array(chords), steps, axis=0)
    return FourVoices(pitch, np.zeros_like(pitch, dtype=bool))


@pytest.mark.parametrize(
    ("first", "second", "found"),
    [
        ((67, 48), (69, 50), ["fifth"]),
        ((79, 48), (81, 50), ["fifth"]),  # a twelfth
        ((60, 48), (62, 50), ["octave"]),
        ((60, 60), (62, 62), ["octave"]),  # unisons
        ((67, 60), (72, 53), ["contrary fifth"]),  # to a twelfth
        ((60, 48), (55, 55), ["contrary octave"]),
        ((67, 48), (67, 48), []),  # nobody moves
        ((67, 48), (69, 48), []),  # one moves
        ((66, 48), (69, 50), []),  # a tritone before
        ((67, SILENT), (69, 50), []),
    ],
)
def test_parallels_are_two_voices_that_move_and_keep_a_perfect_interval(first, second, found):
    chords = [(upper, SILENT, SILENT, lower) for upper, lower in (first, second)]
    names = [
        ("contrary " if p.is_contrary else "") + ("octave" if p.is_octave else "fifth")
        for p in find_parallels(chorale(*chords))
    ]
    assert names == found


def test_parallels_say_where_they_stand():
    moved = tuple(np.array(TONIC) + 2)
    assert find_parallels(chorale(TONIC, moved))[0] == Parallel(4, 0, 3, True, False)


def test_what_lasts_counts_once():
    crossed = (60, 67, 55, 48)
    far = (79, 66, 50, 48)
    checked = check_voices(chorale(TONIC, crossed, crossed, TONIC, far), C_MAJOR)
    assert checked.beats == 5
    assert checked.crossings == 1
    assert checked.wide_spacings == 2  # soprano to alto, alto to tenor; an octave is not wide
    assert checked.out_of_range == 0
    assert check_voices(chorale((84, 67, 64, 30))).out_of_range == 2
    assert checked.figures()["crossings"] == 20


@pytest.mark.parametrize(
    ("chords", "ends"),
    [
        ([TONIC, DOMINANT, TONIC], True),
        ([TONIC, SUBDOMINANT, TONIC], True),
        ([DOMINANT, (72, 67, 63, 48)], True),
        ([(65, 62, 59, 43), TONIC], True),  # with the seventh
        ([(74, 65, 62, 47), TONIC], True),  # vii
        ([DOMINANT, (71, 67, 65, 48), TONIC], True),  # suspended over the last bass
        ([TONIC, DOMINANT], False),
        ([DOMINANT, (67, 64, 60, 52)], False),  # not in root position
        ([DOMINANT, (72, 67, 67, 48)], False),  # without a third
        ([TONIC, TONIC], False),
        ([(69, 64, 60, 45), TONIC], False),  # from the sixth degree
        ([DOMINANT, TONIC, TONIC, TONIC, TONIC, (SILENT,) * 4], True),
    ],
)
def test_a_cadence_is_the_tonic_after_a_chord_that_leads_home(chords, ends):
    assert check_voices(chorale(*chords), C_MAJOR).ends_on_cadence is ends


def test_rests_are_no_chorale():
    with pytest.raises(MusicError, match="no notes"):
        check_voices(chorale((SILENT,) * 4))
    with pytest.raises(MusicError, match="no key"):
        key_of_voices(chorale((SILENT,) * 4))


@given(st.integers(-5, 5), st.integers(0, 2**32 - 1))
def test_transposing_changes_no_figure_but_the_range(semitones, seed):
    generator = np.random.default_rng(seed)
    pitch = generator.integers(50, 70, size=(24, 4))
    voices, moved = (
        FourVoices(table, np.zeros_like(table, dtype=bool)) for table in (pitch, pitch + semitones)
    )
    one, other = check_voices(voices).figures(), check_voices(moved).figures()
    del one["out_of_range"], other["out_of_range"]
    assert one == pytest.approx(other)


def test_bachs_figures_are_there_and_beside_a_piece():
    figures = bach()
    assert figures["pieces"] == 77
    assert set(figures["measures"]) == set(MEASURES)
    text = check_voices(chorale(TONIC, DOMINANT, TONIC)).text()
    assert text.startswith("0 parallel fifths (0.0 for 100 beats; Bach's chorales 0.0-")
    assert text.endswith("ends on a cadence")


def test_the_interval_of_the_mean_is_inside_that_of_pieces():
    pieces = [check_voices(chorale(TONIC, tuple(np.array(TONIC) + n))) for n in range(8)]
    found = summary(pieces, seed=1)
    assert found == summary(pieces, seed=1)
    octaves = found["measures"]["parallel_octaves"]
    assert octaves["mean"] == pytest.approx(50 * 7 / 8)
    low, high = octaves["of_mean_95"]
    assert octaves["of_pieces_95"][0] <= low <= octaves["mean"] <= high


@pytest.mark.data
def test_bachs_figures_are_what_the_chorales_give(shared_data):
    chorales = [piece for piece in load_chorales(shared_data) if piece.split == "test"]
    found = summary([check_voices(piece.voices) for piece in chorales], bach()["bootstrap_seed"])
    assert found["beats"] == bach()["beats"]
    for name in RATES:
        for interval, value in found["measures"][name].items():
            assert value == pytest.approx(bach()["measures"][name][interval]), (name, interval)
