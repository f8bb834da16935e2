from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from rich.cells import cell_len
from rich.style import Style

from ibkr_trader.dashboard.spans import Line, Span
from ibkr_trader.dashboard.terminal.pump import HOME, Pump
from ibkr_trader.dashboard.terminal.screen import ColorName, Screen
from tests.dashboard.terminal.pyte_screen import PyteScreen

Terminal = tuple[PyteScreen, int]


class Palette:
    """Looks of a few roles; counts how often it was asked, which is how often text was rendered."""

    def __init__(self) -> None:
        self.asked = 0

    def __call__(self, role: str) -> Style:
        self.asked += 1
        looks = {"loss": "red", "gain": "#00ff87", "cursor": "reverse red", "strong": "bold"}
        return Style.parse(looks.get(role, "none"))


class Frames(Pump):
    """A pump that also remembers what was offered to it."""

    def __init__(self, fd: int) -> None:
        self.offered: list[str] = []
        super().__init__(fd)

    def offer(self, frame: str) -> None:
        self.offered.append(frame)
        super().offer(frame)


@pytest.fixture
def frames(pty: Terminal) -> Iterator[Frames]:
    frames = Frames(pty[1])
    yield frames
    frames.close(0.1)


def line(*texts: str) -> Line:
    return tuple(Span(text) for text in texts)


def rows(frame: str) -> list[str]:
    assert frame.startswith(HOME)
    return frame.removeprefix(HOME).split("\n")


def test_lines_are_seen(pty: Terminal, frames: Frames) -> None:
    screen = Screen(frames, Palette(), (40, 10))
    screen.show([line("Orders"), (Span("BUY", "gain"), Span(" 100"), Span(" -5", "loss")), ()])
    pty[0].wait_for("BUY 100 -5")
    assert pty[0].lines == ["Orders", "BUY 100 -5", *[""] * 8]
    assert pty[0]._screen.buffer[1][8].fg == "red"
    assert pty[0]._screen.buffer[1][0].fg == "00ff87"


def test_a_frame_has_as_many_rows_as_the_screen_and_no_others(frames: Frames) -> None:
    screen = Screen(frames, Palette(), (12, 3))
    screen.show([line("a")])
    screen.show([line(str(number)) for number in range(9)])
    assert rows(frames.offered[0]) == ["a".ljust(12), " " * 12, " " * 12]
    assert rows(frames.offered[1]) == ["0".ljust(12), "1".ljust(12), "2".ljust(12)]


@pytest.mark.parametrize(
    ("shown", "row"),
    [
        (line("much too long a line"), "much too lon"),
        (line("12345678901", "ab"), "12345678901a"),
        (line("123456789012", "ab"), "123456789012"),
        (line("12345678901漢"), "12345678901 "),  # half a character does not fit
        (line("漢漢", "x"), "漢漢x       "),
        (line("a\nb\x1b[2Jc\x07\td\x9b"), "a b?[2Jc? d?"),
    ],
)
def test_a_row_is_as_wide_as_the_screen(shown: Line, row: str, frames: Frames) -> None:
    Screen(frames, Palette(), (12, 2)).show([shown])
    assert rows(frames.offered[0])[0] == row
    assert cell_len(row) == 12


@pytest.mark.parametrize(
    ("colors", "row"),
    [
        ("truecolor", "\x1b[38;2;0;255;135mup\x1b[0m\x1b[7;31mc\x1b[0m "),
        ("256", "\x1b[38;5;48mup\x1b[0m\x1b[7;31mc\x1b[0m "),
        ("standard", "\x1b[92mup\x1b[0m\x1b[7;31mc\x1b[0m "),
        (None, "up\x1b[7mc\x1b[0m "),  # no colours, and still a cursor
    ],
)
def test_as_many_colours_as_there_are(colors: ColorName | None, row: str, frames: Frames) -> None:
    looks = {
        "gain": Style(color="#00ff87"),
        "cursor": Style(color="red", reverse=True),
    }
    screen = Screen(frames, looks.__getitem__, (4, 1), colors=colors)
    screen.show([(Span("up", "gain"), Span("c", "cursor"))])
    assert rows(frames.offered[0])[0] == row


@pytest.mark.parametrize("name", ["NO_COLOR", "TERM", "COLUMNS", "FORCE_COLOR", "TTY_COMPATIBLE"])
def test_the_environment_has_no_say(
    name: str, monkeypatch: pytest.MonkeyPatch, frames: Frames
) -> None:
    monkeypatch.setenv(name, {"TERM": "dumb", "COLUMNS": "3"}.get(name, "0"))
    screen = Screen(frames, Palette(), (4, 1))
    screen.show([(Span("no", "loss"),)])
    assert rows(frames.offered[0]) == ["\x1b[31mno\x1b[0m  "]


def test_a_line_is_rendered_once(frames: Frames) -> None:
    palette = Palette()
    screen = Screen(frames, palette, (40, 10))
    lines = [line(f"line {number}") for number in range(10)]
    screen.show(lines)
    assert palette.asked == 10
    screen.show(lines)
    screen.show([*lines[1:], lines[0]])  # scrolled
    screen.show([line(f"line {number}") for number in range(10)])  # equal, and made anew
    assert palette.asked == 10
    screen.show([*lines[:9], line("new")])
    assert palette.asked == 11
    assert rows(frames.offered[-1])[8:] == ["line 8".ljust(40), "new".ljust(40)]


def test_what_is_kept_of_old_lines_has_a_limit(frames: Frames) -> None:
    screen = Screen(frames, Palette(), (10, 10))
    for number in range(500):
        screen.show([line(f"{number}.{row}") for row in range(10)])
    assert len(screen._rows._kept) <= 2048
    assert rows(frames.offered[-1])[9] == "499.9     "


def test_another_size(pty: Terminal, frames: Frames) -> None:
    screen = Screen(frames, Palette(), (40, 10))
    lines = [line("x" * 40) for _ in range(10)]
    screen.show(lines)
    pty[0].wait_until(lambda: pty[0].lines == ["x" * 40] * 10, "a full screen")
    pty[0].resize(30, 10)
    screen.resize((30, 10))
    assert screen.size == (30, 10)
    screen.show([line("y")] * 10)
    pty[0].wait_until(lambda: pty[0].lines == ["y"] * 10, "a screen without the old one")
    screen.resize((20, 4))
    screen.show(lines)
    assert rows(frames.offered[-1]) == ["x" * 20] * 4
    screen.resize((0, 0))
    screen.show(lines)


def test_the_same_lines_are_written_again_after_a_change_of_width(
    pty: Terminal, frames: Frames
) -> None:
    screen = Screen(frames, Palette(), (40, 10))
    screen.show([line("same")])
    pty[0].wait_for("same")
    assert frames.drain(5)
    begin = len(pty[0].raw)
    screen.resize((40, 10))
    screen.show([line("same")])
    pty[0].wait_raw(b"same", after=begin)


def test_closing_draws_nothing(pty: Terminal, frames: Frames) -> None:
    screen = Screen(frames, Palette(), (40, 10))
    screen.show([line("last")])
    screen.close()
    assert len(frames.offered) == 1
    assert frames.close(5)
    os.write(pty[1], b"END")
    pty[0].wait_raw(b"END")
    assert b"\x1b[?25h" not in pty[0].raw  # the cursor is not Rich's to show
