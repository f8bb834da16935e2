"""Lines of spans become frames for the pump.

Rich draws: its `Live` is what asks for a frame, its styles say what a role looks like in the
colours of this terminal. But Rich measures, cuts and pads anew each time, which costs more than
all the rest, and a row that is as wide as the screen needs none of it. So each row is rendered
once and kept, and Rich gets them as one finished segment that it passes through as it is.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Literal, TypeAlias

from rich.cells import cell_len, set_cell_size
from rich.color import ColorSystem
from rich.console import Console
from rich.live import Live
from rich.segment import ControlType, Segment

from ibkr_trader.dashboard.terminal.pump import HOME

if TYPE_CHECKING:
    from rich.console import ConsoleOptions, RenderResult
    from rich.style import Style

    from ibkr_trader.dashboard.spans import Line
    from ibkr_trader.dashboard.terminal.pump import Pump

Size: TypeAlias = tuple[int, int]  # columns, rows
ColorName: TypeAlias = Literal["standard", "256", "truecolor"]

_SYSTEMS = {
    "standard": ColorSystem.STANDARD,
    "256": ColorSystem.EIGHT_BIT,
    "truecolor": ColorSystem.TRUECOLOR,
}
_MOST_KEPT = 2048  # rows; scrolling finds them again
# Marks the segment as finished: Rich neither measures nor cuts what it takes for control codes.
_FINISHED = ((ControlType.HOME,),)


class Screen:
    """The screen as lines: `show` draws a frame of them.

    Args:
        pump: Who writes it.
        palette_lookup: What a role looks like; the empty role is plain.
        size: Columns and rows.
        colors: How many colours there are; None draws without colours (`NO_COLOR`), and still
            bold or reversed: the cursor is nothing else.
    """

    def __init__(
        self,
        pump: Pump,
        palette_lookup: Callable[[str], Style],
        size: Size,
        *,
        colors: ColorName | None = "256",
    ) -> None:
        self._pump = pump
        self._rows = _Rows(palette_lookup, size, colors)
        self._file = _OneFrame(pump)
        self._console = Console(
            file=self._file,
            width=size[0],
            height=size[1],
            force_terminal=True,
            force_interactive=True,
            force_jupyter=False,
            color_system=None,  # the rows have theirs already
            legacy_windows=False,
            emoji=False,
            markup=False,
            highlight=False,
            _environ={},
        )
        self._live = Live(
            self._rows,
            console=self._console,
            auto_refresh=False,
            redirect_stdout=False,
            redirect_stderr=False,
            vertical_overflow="crop",
        )
        self._live.start()

    @property
    def size(self) -> Size:
        """Columns and rows."""
        return self._rows.size

    def show(self, lines: Sequence[Line]) -> None:
        """Draw a frame: as many rows as the screen has, each exactly as wide."""
        self._rows.lines = lines
        self._live.refresh()
        self._file.hand_over()

    def resize(self, size: Size) -> None:
        """Draw for another size from now on, and all of it."""
        self._rows.resize(size)
        self._console.size = size
        self._pump.repaint()

    def close(self) -> None:
        """Draw no more."""
        self._live.stop()


class _OneFrame(io.StringIO):
    """The file that `Live` writes to; it keeps what it writes until the frame is handed over."""

    def __init__(self, pump: Pump) -> None:
        super().__init__()
        self._pump = pump

    def hand_over(self) -> None:
        """Offer the frame, without the codes by which `Live` looks for its beginning."""
        _, _, rows = self.getvalue().partition(HOME)
        self.seek(0)
        self.truncate()
        self._pump.offer(HOME + rows)


class _Rows:
    """The renderable: lines as finished rows, each rendered once."""

    def __init__(
        self, palette_lookup: Callable[[str], Style], size: Size, colors: ColorName | None
    ) -> None:
        self.lines: Sequence[Line] = ()
        self.size = size
        self._look = palette_lookup
        self._system = _SYSTEMS[colors or "standard"]
        self._is_colored = colors is not None
        self._before: list[tuple[Line, str]] = []
        self._kept: dict[Line, str] = {}

    def resize(self, size: Size) -> None:
        """Forget rows of another width."""
        self.size = size
        self._before = []
        self._kept.clear()

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        _, height = self.size
        shown = [*self.lines[:height], *[()] * (height - len(self.lines))]
        before = self._before or [((), self._row(()))] * height
        self._before = [
            old if line is old[0] else (line, self._row(line))
            for line, old in zip(shown, before, strict=True)
        ]
        yield Segment(HOME + "\n".join([row for _, row in self._before]), None, _FINISHED)

    def _row(self, line: Line) -> str:
        row = self._kept.get(line)
        if row is None:
            if len(self._kept) >= _MOST_KEPT:
                self._kept.clear()
            row = self._kept[line] = self._rendered(line)
        return row

    def _rendered(self, line: Line) -> str:
        """Return the codes and characters of a row, cut or filled to the width."""
        left = self.size[0]
        parts = []
        for text, role in line:
            shown = text if text.isprintable() else _printable(text)
            cells = cell_len(shown)
            if cells > left:
                shown, cells = set_cell_size(shown, left), left
            parts.append(self._styled(shown, role))
            left -= cells
        return "".join([*parts, " " * left])

    def _styled(self, text: str, role: str) -> str:
        style = self._look(role)
        if not self._is_colored:
            style = style.without_color
        return style.render(text, color_system=self._system)


def _printable(text: str) -> str:
    """Return the text without anything that a terminal would obey; it has been cleaned before."""
    return "".join(char if char.isprintable() else " " if char.isspace() else "?" for char in text)
