"""Workers: the same work on many batches, on one core or on all of them, results in order.

Other processes take a while to start: longer than reading a thousand small files. So this process
starts alone, calls for help when the work goes on, and goes on working beside its helpers. Which
of them does what changes nothing in the result.
"""

import multiprocessing
import os
import signal
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any

ALONE_SECONDS = 0.3  # of our processor time before helpers are called: what starting one takes
HANDED_OUT = 2  # batches that a helper has at most, so that it never waits for the next
MOST = 6  # batches a worker that wait for an earlier one

Work = Callable[..., Any]


class _Job:
    """A batch, and its result as soon as somebody has it."""

    def __init__(self, work: Work, arguments: tuple[Any, ...]) -> None:
        self.work, self.arguments = work, arguments
        self.future: Future[Any] | None = None  # of a helper that has it
        self.result: Any = None

    @property
    def is_under_way(self) -> bool:
        return self.future is not None and not self.future.done()

    def do_ourselves(self) -> None:
        self.future, self.result = None, self.work(*self.arguments)

    def wait(self) -> Any:
        """Get the result; of a helper that died, by our own work."""
        if self.future is not None:
            try:
                self.result = self.future.result()
            except BrokenProcessPool:  # it was killed, or could not start
                self.do_ourselves()
        return self.result


class _Helpers:
    """Processes that work beside this one."""

    def __init__(self, count: int) -> None:
        self.count = count
        context = multiprocessing.get_context("spawn")
        self.pool = ProcessPoolExecutor(count, mp_context=context, initializer=_ignore_interrupts)
        self.first: Future[int] | None = self.pool.submit(os.getpid)

    def are_ready(self) -> bool:
        """Whether the first of them has started, and none has died."""
        return self.first is not None and self.first.done() and self.first.exception() is None

    def take(self, job: _Job) -> None:
        """Hand out a job.

        No more are handed out than are soon begun, and none is taken back: a future that was
        cancelled when a helper dies stops the pool's own thread (in Python 3.11 at least), and
        whoever waits for another would wait for ever.
        """
        try:
            job.future = self.pool.submit(job.work, *job.arguments)
        except BrokenProcessPool:
            self.first = None
            job.do_ourselves()


def in_order(
    work: Work, batches: Iterable[Any], rest: tuple[Any, ...] = (), *, workers: int = 1
) -> Iterator[Any]:
    """Yield ``work(batch, *rest)`` of every batch, in order, holding a few at a time.

    With more than one worker, processes may be spawned, which import the main module again: a
    script that asks for them must guard what it does with ``if __name__ == "__main__":``.
    """
    helpers: _Helpers | None = None
    waiting: deque[_Job] = deque()
    start = time.process_time()  # the clock would call for help where the machine is busy already
    try:
        for batch in batches:
            job = _Job(work, (batch, *rest))
            under_way = sum(job.is_under_way for job in waiting)
            if helpers and helpers.are_ready() and under_way < HANDED_OUT * helpers.count:
                helpers.take(job)
            else:
                job.do_ourselves()
            waiting.append(job)
            while waiting and (not waiting[0].is_under_way or len(waiting) > MOST * workers):
                yield waiting.popleft().wait()
            if workers > 1 and not helpers and time.process_time() - start > ALONE_SECONDS:
                helpers = _Helpers(workers - 1)
        while waiting:
            yield waiting.popleft().wait()
    finally:
        if helpers:
            helpers.pool.shutdown(wait=False)


def _ignore_interrupts() -> None:
    """Leave Ctrl-C to the process that started us."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
