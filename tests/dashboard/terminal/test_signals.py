from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
import termios
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import pytest

from ibkr_trader.core.errors import InvariantBroken
from ibkr_trader.dashboard.terminal.modes import ENTER, LEAVE, TerminalModes
from ibkr_trader.dashboard.terminal.pump import Pump
from ibkr_trader.dashboard.terminal.signals import Hearers, TerminalSignals
from tests.dashboard.terminal.pyte_screen import PyteScreen
from tests.house.sources import ROOT

Terminal = tuple[PyteScreen, int]
Start = Callable[..., "subprocess.Popen[bytes]"]
CTRL_C, CTRL_Z = b"\x03", b"\x1a"
HEARD = (
    signal.SIGINT,
    signal.SIGTERM,
    signal.SIGHUP,
    signal.SIGTSTP,
    signal.SIGCONT,
    signal.SIGWINCH,
)


@pytest.fixture
def start(pty: Terminal) -> Iterator[Start]:
    """Start programs whose terminal the pty is, and whose session is their own."""
    with ExitStack() as programs:

        def start(*what: str, stderr: int | None = None) -> subprocess.Popen[bytes]:
            command = [sys.executable, "-m", "tests.dashboard.terminal.signal_child", *what]
            end = pty[1]
            told = end if stderr is None else stderr
            program = programs.enter_context(
                subprocess.Popen(
                    command, cwd=ROOT, stdin=end, stdout=end, stderr=told, start_new_session=True
                )
            )
            programs.callback(program.kill)
            return program

        yield start


def job_of(screen: PyteScreen) -> int:
    """Return the number of the program that has drawn the screen."""
    found = re.search(r"pid (\d+)", screen.text)
    assert found
    return int(found[1])


def test_a_loop_that_runs_hears_each_interrupt(pty: Terminal, start: Start) -> None:
    screen = pty[0]
    program = start("listens")
    screen.wait_for("listening")
    for number in (1, 2, 3):
        begin = len(screen.raw)
        screen.type(CTRL_C)
        screen.wait_for(f"interrupt: {number}")
        assert b"listening" in screen.raw[begin:], "an interrupt loses output: all is drawn again"
    assert program.poll() is None


def test_who_is_aside_hears_of_the_end_though_the_loop_is_stuck(
    pty: Terminal, start: Start
) -> None:
    screen = pty[0]
    program = start("stuck")
    screen.wait_for("stuck")
    program.send_signal(signal.SIGTERM)
    screen.wait_for("told aside")
    program.kill()


def test_a_stuck_loop_is_left_by_the_second_interrupt(pty: Terminal, start: Start) -> None:
    screen = pty[0]
    before = termios.tcgetattr(pty[1])
    program = start("stuck")
    screen.wait_for("stuck")
    screen.type(CTRL_C)
    screen.wait_for("asked once")
    assert program.poll() is None
    screen.type(CTRL_C)
    screen.wait_raw(LEAVE.encode())
    assert program.wait(15) == 130
    assert termios.tcgetattr(pty[1]) == before
    assert screen.raw.endswith(LEAVE.encode())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_the_end_is_told_with_its_number(
    number: signal.Signals, pty: Terminal, start: Start
) -> None:
    screen = pty[0]
    before = termios.tcgetattr(pty[1])
    program = start("listens")
    screen.wait_for("listening")
    program.send_signal(number)
    assert program.wait(15) == 128 + number
    assert termios.tcgetattr(pty[1]) == before
    screen.wait_raw(LEAVE.encode())


def test_a_terminal_that_is_closed_ends_the_program(pty: Terminal, start: Start) -> None:
    program = start("listens", stderr=subprocess.PIPE)
    pty[0].wait_for("listening")
    pty[0].hang_up()
    _, complaints = program.communicate(timeout=15)
    assert program.returncode == 128 + signal.SIGHUP
    assert complaints == b"", "the SIGCONT that comes with it finds no terminal to take"


def test_another_size_is_told(pty: Terminal, start: Start) -> None:
    start("listens")
    pty[0].wait_for("listening")
    pty[0].resize(50, 12)
    pty[0].wait_for("resize 50x12: 1")


def test_a_suspended_program_gives_the_terminal_back(pty: Terminal, start: Start) -> None:
    screen = pty[0]
    shell = start("shell", "listens")
    screen.wait_for("listening")
    job = job_of(screen)
    screen.type(CTRL_Z)
    screen.wait_for("stopped, cooked: True")
    assert LEAVE.encode() in screen.raw
    begin = len(screen.raw)
    screen.type("\n")
    screen.wait_for("suspend: 1")
    screen.wait_for("continue: 1")
    assert ENTER.encode() in screen.raw[begin:]
    assert not termios.tcgetattr(pty[1])[3] & termios.ICANON
    screen.type(CTRL_Z)  # the handler is in its place again
    screen.wait_for("stopped, cooked: True")
    screen.type("\n")
    screen.wait_for("suspend: 2")
    os.kill(job, signal.SIGTERM)
    assert shell.wait(15) == 128 + signal.SIGTERM


def test_a_program_that_was_stopped_unasked_takes_the_terminal_again(
    pty: Terminal, start: Start
) -> None:
    screen = pty[0]
    start("shell", "listens")
    screen.wait_for("listening")
    os.kill(job_of(screen), signal.SIGSTOP)
    screen.wait_for("stopped, cooked: False")
    screen.type("\n")
    screen.wait_for("continue: 1")
    assert "stopped" not in screen.text
    assert not termios.tcgetattr(pty[1])[3] & termios.ICANON


@pytest.mark.parametrize("number", [signal.SIGTSTP, signal.SIGSTOP])
def test_a_stopped_program_can_be_ended_behind_the_shell(
    number: signal.Signals, pty: Terminal, start: Start
) -> None:
    screen = pty[0]
    shell = start("shell", "listens")
    screen.wait_for("listening")
    job = job_of(screen)
    os.kill(job, number)
    screen.wait_for("stopped, cooked:")
    os.kill(job, signal.SIGTERM)  # as `kill %1` does
    os.kill(job, signal.SIGCONT)
    screen.type("wait\n")
    screen.wait_for("ended, as the shell had it: True")
    assert shell.wait(15) == 128 + signal.SIGTERM
    assert LEAVE.encode() in screen.raw


@pytest.mark.parametrize("number", [signal.SIGTSTP, signal.SIGSTOP])
def test_a_program_in_the_background_draws_nothing_until_it_is_in_front(
    number: signal.Signals, pty: Terminal, start: Start
) -> None:
    screen = pty[0]
    start("shell", "listens")
    screen.wait_for("listening")
    job = job_of(screen)
    os.kill(job, number)
    screen.wait_for("stopped, cooked:")
    begin = len(screen.raw)
    os.kill(job, signal.SIGCONT)
    screen.type("\n")  # the shell brings it to the front, and continues it once more
    screen.wait_for("continue:")
    assert screen.raw[begin:].lstrip(b"\r\n").startswith(ENTER.encode())


def test_without_a_shell_nothing_stops_for_good(pty: Terminal, start: Start) -> None:
    start("listens")
    pty[0].wait_for("listening")
    pty[0].type(CTRL_Z)
    pty[0].wait_for("suspend: 1")
    pty[0].type(CTRL_C)
    pty[0].wait_for("interrupt: 1")


# -- who handled them before --------------------------------------------------------------------


@contextmanager
def hearing(slave: int) -> Iterator[tuple[asyncio.AbstractEventLoop, TerminalSignals]]:
    """Yield signals that are not heard yet, and a loop that does not run."""
    loop, pump = asyncio.new_event_loop(), Pump(slave)
    nobody = Hearers(
        on_interrupt=lambda: None,
        on_end=lambda _number: None,
        on_suspend=lambda: None,
        on_continue=lambda: None,
        on_resize=lambda: None,
    )
    try:
        yield loop, TerminalSignals(loop, TerminalModes(slave, pump), nobody)
    finally:
        loop.close()
        pump.close(0.1)


def handlers() -> list[object]:
    return [signal.getsignal(number) for number in HEARD]


def test_whoever_handled_the_signals_before_does_so_again(pty: Terminal) -> None:
    def mine(*_: object) -> None: ...

    def fail() -> None:
        assert all(new != old for new, old in zip(handlers(), before, strict=True))
        raise ValueError("out")

    found = handlers()
    was = signal.signal(signal.SIGTERM, mine)
    before = handlers()
    try:
        with hearing(pty[1]) as (_, signals), pytest.raises(ValueError, match="out"), signals:
            fail()
        assert handlers() == before
    finally:
        signal.signal(signal.SIGTERM, was)
    assert handlers() == found


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_two_cannot_hear_on_one_loop(number: signal.Signals, pty: Terminal) -> None:
    with hearing(pty[1]) as (loop, signals):
        loop.add_signal_handler(number, print)
        before = handlers()
        with pytest.raises(InvariantBroken, match=number.name), signals:
            pytest.fail("it is heard")
        assert handlers() == before
        assert loop.remove_signal_handler(number)


def test_only_the_main_thread_hears_signals(pty: Terminal) -> None:
    refused: list[Exception] = []

    def elsewhere() -> None:
        with hearing(pty[1]) as (_, signals):
            try:
                with signals:
                    pass
            except InvariantBroken as error:
                refused.append(error)

    before = handlers()
    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join(15)
    assert "main thread" in str(refused[0])
    assert handlers() == before
