"""A loop that stands still is named, and the process can be ended all the same."""

from __future__ import annotations

import _thread
import asyncio
import functools
import logging
import os
import threading
from typing import Any

import pytest

from ibkr_trader.cli import loop_watch
from ibkr_trader.cli.exits import Exit
from ibkr_trader.cli.loop_watch import AGAIN, GRACE, STILL, LoopWatch, running_in


class Stage:
    """A watch with a clock that is set by hand."""

    def __init__(self) -> None:
        self.time = 100.0
        self.said: list[str] = []
        self.left: list[int] = []
        self.watch = LoopWatch(now=lambda: self.time, say=self.said.append, leave=self.left.append)

    def passes(self, seconds: float, *, beats: bool = False) -> None:
        """Let the time go on, with a look every second."""
        for _ in range(int(seconds)):
            self.time += 1.0
            if beats:
                self.watch.beat()
            self.watch.look()


def test_a_loop_that_turns_is_not_spoken_of() -> None:
    stage = Stage()
    stage.passes(1_000, beats=True)
    assert (stage.said, stage.left) == ([], [])


def test_one_that_stands_still_is_told_once_then_now_and_then_and_that_it_goes_on() -> None:
    stage = Stage()
    stage.passes(STILL - 1)
    assert stage.said == []
    stage.passes(1)
    (line,) = stage.said
    assert line.startswith("the trader has stood still for 10 s, in ")
    assert "test_loop_watch.py:" in line  # this test has the thread
    assert f"kill {os.getpid()} ends it 10 s later, a second one at once" in line
    assert "stays there, its stops too" in line
    stage.passes(AGAIN - 1)
    assert len(stage.said) == 1
    stage.passes(1)
    assert len(stage.said) == 2
    stage.passes(5, beats=True)
    assert stage.said[2:] == ["the trader goes on"]
    assert stage.left == []


def test_told_to_end_a_loop_that_stands_still_has_some_seconds() -> None:
    stage = Stage()
    stage.passes(STILL + 5)
    stage.watch.told_to_end()
    stage.passes(GRACE - 1)
    assert stage.left == []
    stage.passes(1)
    assert stage.left == [Exit.TERMINATED]
    assert stage.said[-1].startswith("told to end, and stuck for 25 s")


def test_told_to_end_twice_it_ends_at_once() -> None:
    stage = Stage()
    stage.passes(STILL)
    stage.watch.told_to_end()
    assert stage.left == []
    stage.watch.told_to_end()
    assert stage.left == [Exit.TERMINATED]


def test_one_that_ends_in_good_order_is_left_alone_however_often_it_is_told() -> None:
    stage = Stage()
    for _ in range(30):
        stage.watch.told_to_end()
        stage.passes(1, beats=True)
    assert (stage.left, stage.said) == ([], [])


def test_a_process_that_was_stopped_as_a_whole_has_not_stood_still() -> None:
    stage = Stage()
    stage.watch.told_to_end()
    stage.time += 3_600.0  # SIGSTOP, SIGCONT
    stage.watch.look()
    assert (stage.left, stage.said) == ([], [])


async def test_it_beats_while_the_loop_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop_watch, "_BEAT", 0.0)
    stage = Stage()
    async with asyncio.TaskGroup() as tasks:
        work = tasks.create_task(stage.watch.work())
        for _ in range(50):
            stage.time += 1.0
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            stage.watch.look()
        work.cancel()
    assert stage.said == []


def test_its_thread_looks_until_the_block_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop_watch, "_BEAT", 0.001)
    stage, looked = Stage(), threading.Event()
    stage.watch.look = looked.set  # type: ignore[method-assign] # that it is called is the point
    with stage.watch.watching():
        assert looked.wait(5)
    for one in threading.enumerate():
        if one.name == "loop-watch":  # it was told to end, and may be in its last look
            one.join(5)
            assert not one.is_alive()


def test_the_code_that_is_somebodys_own_is_named_and_not_a_library() -> None:
    text = "class Mine:\n    def on_bar(self):\n        return ask(me)\n"
    through_a_library = functools.singledispatch(running_in)
    names: dict[str, Any] = {"ask": through_a_library, "me": threading.get_ident()}
    exec(compile(text, "/mine/mine.py", "exec"), names)  # noqa: S102 - as strategies are loaded
    assert names["Mine"]().on_bar() == "/mine/mine.py:3 (Mine.on_bar)"


def test_where_nothing_is_somebodys_own_the_innermost_is_named() -> None:
    text = "def main():\n    found.append(ask(me()))\n    over.set()\n"
    found: list[str] = []
    over = threading.Event()
    names: dict[str, Any] = {
        "ask": running_in,
        "me": threading.get_ident,
        "found": found,
        "over": over,
    }
    exec(compile(text, "/bin/ibkr-trader", "exec"), names)  # noqa: S102 - the script that starts us
    _thread.start_new_thread(names["main"], ())
    assert over.wait(5)
    assert found[0].endswith("(running_in)")


def test_a_thread_that_is_gone_is_no_fault() -> None:
    assert running_in(-1) == "a thread that has ended"


def test_it_is_said_on_standard_error_and_in_the_log(
    capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    times = iter((0.0, *(float(second) for second in range(1, 30))))
    watch = LoopWatch(now=lambda: next(times), leave=lambda _: None)
    with caplog.at_level(logging.ERROR):
        for _ in range(int(STILL)):
            watch.look()
    assert "the trader has stood still for 10 s" in capfd.readouterr().err
    assert "the trader has stood still for 10 s" in caplog.text
