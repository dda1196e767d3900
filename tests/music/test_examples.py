import runpy
from pathlib import Path

from partimento.music.examples import EXAMPLES, row_your_boat, row_your_boat_canon
from partimento.music.notation import format_text
from partimento.music.timing import BarMap

FOLDER = Path(__file__).parent.parent.parent / "examples"


def test_row_your_boat_plays_as_the_book_writes_it():
    tune = row_your_boat()
    assert format_text(tune, with_bars=True) == (
        "c4:q c4:q c4:e. d4:s e4:q | e4:e. d4:s e4:e. f4:s g4:h"
        " | c5:et c5:et c5:et g4:et g4:et g4:et e4:et e4:et e4:et c4:et c4:et c4:et"
        " | g4:e. f4:s e4:e. d4:s c4:h"
    )


def test_row_your_boat_is_exactly_four_bars_of_four_quarters():
    tune = row_your_boat()
    notes = tune.parts[0].notes
    assert tune.ticks_per_quarter == 480
    assert tune.end_tick == notes.end == 4 * 4 * 480
    assert BarMap.of(tune).count(tune.end_tick) == 4
    first = [0, 480, 960, 1320, 1440]
    second = [1920, 2280, 2400, 2760, 2880]
    third = [3840 + 160 * i for i in range(12)]
    fourth = [5760, 6120, 6240, 6600, 6720]
    assert notes.onset.tolist() == [*first, *second, *third, *fourth]
    assert (notes.onset[1:] == notes.offset[:-1]).all()  # no gap, no overlap


def test_the_canon_enters_a_bar_and_two_bars_later_an_octave_up_and_down():
    canon = row_your_boat_canon()
    first, second, third = (part.notes for part in canon.parts)
    assert (second.onset - first.onset == 1920).all()
    assert (third.onset - first.onset == 3840).all()
    assert (second.pitch - first.pitch == 12).all()
    assert (third.pitch - first.pitch == -12).all()
    assert canon.end_tick == 6 * 1920


def test_the_script_writes_what_the_package_holds(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    made = runpy.run_path(str(FOLDER / "row_your_boat.py"))
    assert made["tune"] == EXAMPLES["row-your-boat"]()
    runpy.run_path(str(FOLDER / "row_your_boat.py"), run_name="__main__")
    assert (tmp_path / "row_your_boat.mid").read_bytes().startswith(b"MThd")
