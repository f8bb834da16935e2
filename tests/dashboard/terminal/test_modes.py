from __future__ import annotations

import os
import select
import termios
from collections.abc import Iterator

import pytest

from ibkr_trader.dashboard.terminal.modes import ENTER, LEAVE, TerminalModes, size_of
from ibkr_trader.dashboard.terminal.pump import Pump
from tests.dashboard.terminal.pyte_screen import PyteScreen

Terminal = tuple[PyteScreen, int]


@pytest.fixture
def modes(pty: Terminal) -> Iterator[TerminalModes]:
    pump = Pump(pty[1])
    yield TerminalModes(pty[1], pump)
    pump.close(0.1)


def test_keys_come_one_by_one_and_signals_stay_signals(pty: Terminal, modes: TerminalModes) -> None:
    modes.enter()
    iflag, oflag, _, lflag, _, _, cc = termios.tcgetattr(pty[1])
    assert not lflag & (termios.ICANON | termios.ECHO | termios.IEXTEN)
    assert lflag & termios.ISIG
    assert not iflag & (termios.IXON | termios.ICRNL)
    assert oflag & termios.OPOST
    assert (cc[termios.VMIN], cc[termios.VTIME]) == (1, 0)
    pty[0].type(b"\x13\r\x16\x7f")
    assert os.read(pty[1], 10) == b"\x13\r\x16\x7f"


def test_control_s_cannot_freeze_the_screen(pty: Terminal, modes: TerminalModes) -> None:
    modes.enter()
    pty[0].type(b"\x13")
    modes.pump.offer("still moving")
    pty[0].wait_for("still moving")


def test_signals_are_switched_on_where_they_were_off(pty: Terminal, modes: TerminalModes) -> None:
    attributes = termios.tcgetattr(pty[1])
    attributes[3] &= ~termios.ISIG
    termios.tcsetattr(pty[1], termios.TCSANOW, attributes)
    modes.enter()
    assert termios.tcgetattr(pty[1])[3] & termios.ISIG
    modes.leave()
    assert not termios.tcgetattr(pty[1])[3] & termios.ISIG


def test_all_is_put_back(pty: Terminal, modes: TerminalModes) -> None:
    before = termios.tcgetattr(pty[1])
    modes.enter()
    assert modes.is_entered
    modes.pump.offer("a frame")
    pty[0].wait_for("a frame")
    assert pty[0].raw.startswith(ENTER.encode())
    modes.leave()
    assert not modes.is_entered
    assert termios.tcgetattr(pty[1]) == before
    pty[0].wait_raw(LEAVE.encode())
    assert pty[0].raw.endswith(LEAVE.encode())


def test_the_sequences_undo_each_other() -> None:
    for mode in ("2004", "7", "25", "1049"):
        taken, given = ("l", "h") if mode in {"7", "25"} else ("h", "l")
        assert f"\x1b[?{mode}{taken}" in ENTER
        assert f"\x1b[?{mode}{given}" in LEAVE


def test_nothing_is_drawn_on_a_terminal_that_was_given_back(
    pty: Terminal, modes: TerminalModes
) -> None:
    modes.enter()
    modes.leave()
    modes.pump.offer("too late")
    assert modes.pump.drain(5)
    modes.enter()
    modes.pump.offer("in time")
    pty[0].wait_for("in time")
    assert b"too late" not in pty[0].raw


def test_leaving_twice_is_leaving_once(pty: Terminal, modes: TerminalModes) -> None:
    modes.leave()
    modes.enter()
    modes.leave()
    changed = termios.tcgetattr(pty[1])
    changed[3] &= ~termios.ECHO
    termios.tcsetattr(pty[1], termios.TCSANOW, changed)
    modes.leave()
    assert termios.tcgetattr(pty[1]) == changed
    modes.pump.control("END")
    pty[0].wait_raw(b"END")
    assert pty[0].raw.count(LEAVE.encode()) == 1


def test_entering_again_sets_all_again_and_remembers_the_beginning(
    pty: Terminal, modes: TerminalModes
) -> None:
    before = termios.tcgetattr(pty[1])
    modes.enter()
    modes.pump.offer("a frame")
    pty[0].wait_for("a frame")
    termios.tcsetattr(pty[1], termios.TCSANOW, before)  # as a shell does that stops us
    begin = len(pty[0].raw)
    modes.enter()
    assert not termios.tcgetattr(pty[1])[3] & termios.ICANON
    modes.pump.offer("a frame")
    pty[0].wait_raw(b"a frame", after=begin)
    assert ENTER.encode() in pty[0].raw[begin:]
    modes.leave()
    assert termios.tcgetattr(pty[1]) == before


def test_what_was_typed_ahead_is_not_for_the_shell(pty: Terminal, modes: TerminalModes) -> None:
    modes.enter()
    pty[0].type(b"rm -rf x\r")
    assert select.select([pty[1]], [], [], 10)[0]
    modes.leave()
    pty[0].type(b"after\n")
    assert os.read(pty[1], 100) == b"after\n"


def test_a_terminal_that_does_not_read_is_left_all_the_same(
    pty: Terminal, modes: TerminalModes
) -> None:
    before = termios.tcgetattr(pty[1])
    modes.enter()
    while modes.pump.drain(0.3):
        modes.pump.offer(f"{len(pty[0].raw)}" + "x" * 50_000)
    modes.leave()
    assert termios.tcgetattr(pty[1]) == before
    assert modes.pump.drain(0)
    pty[0].wait_raw(LEAVE.encode())
    assert pty[0].raw.endswith(LEAVE.encode())


def test_what_a_slow_terminal_has_not_read_yet_is_not_lost(
    pty: Terminal, modes: TerminalModes
) -> None:
    modes.enter()
    modes.pump.offer("\x1b[32m" * 1600 + "the last frame")
    modes.leave()
    pty[0].wait_raw(LEAVE.encode())
    assert b"the last frame" in pty[0].raw


def test_a_terminal_that_hung_up_is_left_in_silence(pty: Terminal, modes: TerminalModes) -> None:
    modes.enter()
    assert modes.pump.drain(5)
    pty[0].hang_up()
    modes.leave()
    assert not modes.is_entered
    assert modes.pump.is_broken
    with pytest.raises(OSError, match="Input/output"):
        modes.enter()
    assert not modes.is_entered


def test_what_is_no_terminal_cannot_be_entered(pty: Terminal, modes: TerminalModes) -> None:
    reader, writer = os.pipe()
    other = TerminalModes(reader, modes.pump)
    with pytest.raises(OSError, match="ioctl"):
        other.enter()
    other.leave()
    os.close(reader)
    os.close(writer)
    modes.pump.control("END")
    pty[0].wait_raw(b"END")
    assert pty[0].raw == b"END"


def test_the_size_of_a_terminal(pty: Terminal) -> None:
    assert size_of(pty[1]) == (40, 10)
    pty[0].resize(0, 0)
    assert size_of(pty[1]) == (80, 24)
    reader, writer = os.pipe()
    assert size_of(reader) == (80, 24)
    os.close(reader)
    os.close(writer)
