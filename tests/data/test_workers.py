"""Work on many batches: in order, by whoever is free."""

import os
import time

import pytest

from partimento.data import workers
from partimento.data.workers import in_order


def square(number, plus=0):
    """Some work."""
    return number * number + plus


def square_or_die(number, home):
    """End any process but the one that began."""
    if os.getpid() != home:
        os._exit(1)
    return number * number


def slow(number, home):
    """Say who did it."""
    time.sleep(0.01)
    return os.getpid() == home


@pytest.fixture
def helpers_at_once(monkeypatch):
    """Call helpers before the second batch, and wait for them."""
    monkeypatch.setattr(workers, "ALONE_SECONDS", -1)

    def are_ready(helpers):
        return helpers.first is not None and helpers.first.result() > 0

    monkeypatch.setattr(workers._Helpers, "are_ready", are_ready)


@pytest.mark.parametrize("count", [1, 2])
def test_results_come_in_order(helpers_at_once, count):
    found = list(in_order(square, range(60), (1,), workers=count))
    assert found == [number * number + 1 for number in range(60)]


def test_we_and_the_helpers_share_the_work(helpers_at_once):
    by_us = list(in_order(slow, range(60), (os.getpid(),), workers=2))
    assert by_us[0]
    assert 0 < sum(by_us) < 60


def test_what_dying_helpers_leave_we_do(helpers_at_once):
    found = list(in_order(square_or_die, range(40), (os.getpid(),), workers=2))
    assert found == [number * number for number in range(40)]


def test_little_work_is_done_alone(monkeypatch):
    monkeypatch.setattr(workers, "_Helpers", None)  # calling them would fail
    assert list(in_order(square, range(5), workers=8)) == [0, 1, 4, 9, 16]


def test_who_stops_early_gets_no_more(helpers_at_once):
    results = in_order(square, range(10**9), workers=2)
    assert [next(results) for _ in range(5)] == [0, 1, 4, 9, 16]
    results.close()
