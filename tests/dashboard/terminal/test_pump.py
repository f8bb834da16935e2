from __future__ import annotations

import os
import threading
from collections.abc import Iterator

import pytest

from ibkr_trader.dashboard.terminal.pump import HOME, MOST_CONTROLS, Pump, difference
from tests.dashboard.terminal.pyte_screen import PyteScreen

WIPE = b"\x1b[2J"
Terminal = tuple[PyteScreen, int]


@pytest.fixture
def pump(pty: Terminal) -> Iterator[Pump]:
    pump = Pump(pty[1])
    yield pump
    pump.close(0.1)


def frame(*rows: str) -> str:
    return HOME + "\n".join(rows)


def full(number: int) -> str:
    """Return a frame of which a stalled terminal takes two or three."""
    paint = "\x1b[32m" * 100
    return frame(*(f"{paint}{number:06} {row:02}\x1b[0m{'·' * 31}" for row in range(10)))


def stall(pump: Pump) -> None:
    """Offer frames until one must wait for the terminal."""
    number = 0
    while pump.drain(0.3):
        pump.offer(full(number))
        number += 1
        assert number < 100


def shows(screen: PyteScreen, pump: Pump, *rows: str) -> None:
    """Read until the screen has exactly these rows, and nothing else is left to be written."""
    screen.wait_until(lambda: screen.text == "\n".join(rows), repr(rows))
    assert pump.drain(5)


def mark(screen: PyteScreen, pump: Pump, text: str) -> bytes:
    """Return what has come up to a mark that is written now."""
    begin = len(screen.raw)
    pump.control(f"\x1b]0;{text}\x07")
    screen.wait_raw(f"{text}\x07".encode(), after=begin)
    return bytes(screen.raw[begin:]).partition(b"\x1b]0;")[0]


def test_a_frame_is_shown(pty: Terminal, pump: Pump) -> None:
    pump.offer(frame("one", "\x1b[31mtwo\x1b[0m", "", "four"))
    shows(pty[0], pump, "one", "two", "", "four")
    assert pump.dropped == 0


def test_only_rows_that_changed_are_written(pty: Terminal, pump: Pump) -> None:
    rows = [f"row {number}" + "." * 30 for number in range(10)]
    pump.offer(frame(*rows))
    shows(pty[0], pump, *rows)
    begin = len(pty[0].raw)
    rows[4] = "changed".ljust(len(rows[4]), ".")
    pump.offer(frame(*rows))
    shows(pty[0], pump, *rows)
    assert pty[0].raw[begin:].decode() == f"\x1b[?2026h\x1b[5;1H{rows[4]}\x1b[?2026l"


def test_the_same_frame_writes_nothing(pty: Terminal, pump: Pump) -> None:
    pump.offer(frame("one", "two"))
    shows(pty[0], pump, "one", "two")
    pump.offer(frame("one", "two"))
    assert pump.drain(5)
    assert mark(pty[0], pump, "m") == b""


def test_after_a_repaint_the_next_frame_is_written_whole(pty: Terminal, pump: Pump) -> None:
    pump.offer(frame("one", "two"))
    shows(pty[0], pump, "one", "two")
    begin = len(pty[0].raw)
    pump.repaint()
    pump.offer(frame("one", "two"))
    pty[0].wait_raw(b"two", after=begin)
    assert WIPE in pty[0].raw[begin:]
    assert b"one" in pty[0].raw[begin:]


def test_after_a_control_the_next_frame_is_written_whole(pty: Terminal, pump: Pump) -> None:
    pump.offer(frame("one", "two"))
    pump.control("\x1b[2J")
    pump.offer(frame("one", "two"))
    shows(pty[0], pump, "one", "two")


def test_another_number_of_rows_is_written_whole(pty: Terminal, pump: Pump) -> None:
    pump.offer(frame("one", "two", "three"))
    shows(pty[0], pump, "one", "two", "three")
    pump.offer(frame("one", "two"))
    shows(pty[0], pump, "one", "two")


def test_nobody_waits_for_a_terminal_that_does_not_read(pty: Terminal, pump: Pump) -> None:
    for number in range(5000):
        pump.offer(full(number))
        assert len(pump._queue) <= 1
    assert not pump.drain(0.1)
    begun = 5000 - pump.dropped - len(pump._queue)
    assert begun < 10
    rows = [f"004999 {row:02}" for row in range(10)]
    pty[0].wait_until(lambda: [line[:9] for line in pty[0].lines] == rows, "the newest frame")
    assert pump.drain(5)
    assert pump.dropped < 5000
    assert "\ufffd" not in pty[0].text


def test_a_frame_after_a_dropped_one_differs_from_what_was_written(
    pty: Terminal, pump: Pump
) -> None:
    stall(pump)
    dropped, rows = [[f"{name:12} {row:27}" for row in range(10)] for name in ("old", "new")]
    pump.offer(frame(*dropped))
    rows[:9] = dropped[:9]
    pump.offer(frame(*rows))
    assert pump.dropped >= 1
    shows(pty[0], pump, *rows)


def test_controls_keep_their_place_among_the_frames(pty: Terminal, pump: Pump) -> None:
    stall(pump)
    begin = len(pty[0].raw)
    for number in range(4):
        pump.control(f"\x1b]0;{number}\x07")
        pump.offer(frame(f"frame {number}"))
    pump.control("\x1b]0;end\x07")
    pty[0].wait_raw(b"end\x07")
    said = pty[0].raw[begin:]
    words = [said.find(word) for word in (b";0\x07", b";1\x07", b";3\x07", b"frame 3", b";end\x07")]
    assert -1 not in words
    assert words == sorted(words)
    assert b"frame 2" not in said


def test_a_handler_may_write_from_the_midst_of_an_offer(pty: Terminal, pump: Pump) -> None:
    with pump._changed:
        pump.control("\x1b]0;inside\x07")
        assert pump.drain(5)
    pty[0].wait_raw(b"inside\x07")


def test_controls_get_through_to_a_terminal_that_does_not_read(pty: Terminal, pump: Pump) -> None:
    stall(pump)
    pump.control("\x1b]0;LEAVE\x07")
    assert not pump.drain(0)
    pump.discard()
    assert pump.drain(10)
    pump.offer(frame("after"))
    pty[0].wait_until(lambda: pty[0].text == "after", "the frame after it, whole")
    assert pty[0].raw.count(b"LEAVE\x07") == 1


def test_a_frame_that_was_thrown_away_is_written_again(pty: Terminal, pump: Pump) -> None:
    paint = "\x1b[32m" * 150
    rows = [f"{paint}{row:02}{'·' * 38}" for row in range(10)]
    pump.offer(frame(*rows))
    assert pump.drain(5)
    pump.discard()
    pump.offer(frame(*rows))
    shown = [f"{row:02}{'·' * 38}" for row in range(10)]
    pty[0].wait_until(lambda: pty[0].lines == shown, "all of it")


def test_a_terminal_that_leaves_everything_unread_is_gone(pty: Terminal, pump: Pump) -> None:
    stall(pump)
    for _ in range(MOST_CONTROLS * 2):
        pump.control("\x07")
    assert not pump.drain(10)
    assert pump.is_broken


def test_the_terminal_stays_as_it_was_for_everybody_else(pty: Terminal, pump: Pump) -> None:
    pump.offer(frame("one"))
    assert pump.drain(5)
    assert os.get_blocking(pty[1])


def test_a_terminal_that_hangs_up_is_told_once(pty: Terminal) -> None:
    told = threading.Semaphore(0)
    pump = Pump(pty[1], on_broken=told.release)
    pty[0].hang_up()
    pump.offer(frame("one"))
    assert told.acquire(timeout=10)
    assert pump.is_broken
    pump.offer(frame("two"))
    pump.control("\x07")
    assert not pump._queue
    assert not pump.drain(5)
    assert pump.close(5)
    assert not told.acquire(blocking=False)


def test_a_pipe_without_a_reader_is_broken() -> None:
    reader, writer = os.pipe()
    pump = Pump(writer)
    os.close(reader)
    pump.offer(frame("one"))
    assert not pump.drain(10)
    assert pump.is_broken
    os.close(writer)


def test_a_pipe_takes_a_large_frame_in_parts() -> None:
    reader, writer = os.pipe()
    pump = Pump(writer)
    pump.offer(frame("ä" * 500_000))
    pump.control("END")
    got = bytearray()
    while not got.endswith(b"END"):
        got += os.read(reader, 10_000)
    assert got.count("ä".encode()) == 500_000
    assert pump.close(5)
    os.close(writer)
    os.close(reader)


def test_what_was_left_is_written_before_the_end(pty: Terminal) -> None:
    pump = Pump(pty[1])
    pump.offer(frame("last"))
    assert pump.close(10)
    pump.offer(frame("too late"))
    pump.control("too late")
    pump.discard()
    pty[0].wait_for("last")
    os.write(pty[1], b"END")
    pty[0].wait_raw(b"END")
    assert "too late" not in pty[0].text
    assert not pump.is_broken


def test_a_stalled_terminal_cannot_keep_the_thread(pty: Terminal) -> None:
    told: list[bool] = []
    pump = Pump(pty[1], on_broken=lambda: told.append(True))
    stall(pump)
    assert pump.close(0.2)
    assert not told


@pytest.mark.parametrize(
    ("before", "after", "written"),
    [
        (["a", "b"], ["a", "c"], "\x1b[2;1Hc"),
        (["a", "b"], ["x", "y"], "\x1b[1;1Hx\x1b[2;1Hy"),
        (["a"], ["a", "b"], "\x1b[0m\x1b[2J\x1b[1;1Ha\x1b[2;1Hb"),
        (None, ["a"], "\x1b[0m\x1b[2J\x1b[1;1Ha"),
    ],
)
def test_the_difference(before: list[str] | None, after: list[str], written: str) -> None:
    assert difference(before, after) == f"\x1b[?2026h{written}\x1b[?2026l"
