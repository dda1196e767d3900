import signal
import threading
import time

import pytest

from partimento.training.stopping import InterruptedRun, listening


def test_what_is_computed_comes_back_and_what_goes_wrong_too():
    with listening(threads=1) as listener:
        assert listener.wait_for(divmod, 7, 3) == (2, 1)
        with pytest.raises(ZeroDivisionError):
            listener.wait_for(divmod, 7, 0)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_does_not_wait_for_what_is_computed(number):
    is_free = threading.Event()
    threading.Timer(0.1, signal.raise_signal, (number,)).start()
    started = time.monotonic()
    with listening(threads=1) as listener:
        with pytest.raises(InterruptedRun) as stopped:
            listener.wait_for(is_free.wait, 60)
        assert time.monotonic() - started < 30
        with pytest.raises(InterruptedRun):  # nothing more is begun
            listener.wait_for(is_free.set)
        assert not is_free.is_set()
    is_free.set()
    assert stopped.value.number == number


def test_a_second_ctrl_c_ends_at_once_and_the_handlers_of_before_come_back():
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt), listening(threads=1):
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before


def test_outside_the_main_thread_signals_are_left_to_the_program():
    found = []

    def work():
        with listening(threads=1) as listener:
            found.append(listener.wait_for(signal.getsignal, signal.SIGTERM))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found == [signal.getsignal(signal.SIGTERM)]
