"""A piano roll that moves past in the terminal while music plays: two bars at a time."""

from types import TracebackType

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from partimento.music.score import Score
from partimento.music.timing import BarMap, TempoMap
from partimento.rendering.terminal import roll_text

BARS = 2  # shown at once


class MovingRoll:
    """Shows the bars that sound; a context manager, since it takes over the terminal's last lines.

    Where output is no terminal nothing is shown.
    """

    def __init__(self, score: Score, console: Console | None = None) -> None:
        self.score = score
        self.console = console or Console()
        self.time, self.bars = TempoMap.of(score), BarMap.of(score)
        self.count = self.bars.count(score.end_tick)
        self._page, self._roll = -1, Text()
        self._live = Live(console=self.console, auto_refresh=False, transient=False)

    def __enter__(self) -> "MovingRoll":
        if self.console.is_terminal:
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._live.stop()

    def show(self, second: float) -> None:
        """Show what sounds at this second of the piece."""
        if not self.console.is_terminal:
            return
        tick = min(int(self.time.ticks(second)), max(self.score.end_tick - 1, 0))
        bar = int(self.bars.bar(tick))
        page = bar // BARS
        if page != self._page:
            cut = self.score.slice(page * BARS, min(page * BARS + BARS, self.count))
            self._page = page
            self._roll = (
                roll_text(cut, width=self.console.width, first_bar=page * BARS + 1)
                if cut.num_notes
                else Text("(rest)")
            )
        line = Text(f"bar {bar + 1} of {self.count}   {second:5.1f} s   Ctrl-C stops")
        self._live.update(Group(self._roll, line), refresh=True)
