"""What is printed while a screen is up never reaches the terminal, and is lost nowhere."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ibkr_trader.cli.printed import MOST_WAITING, kept_off
from tests.dashboard.terminal.pyte_screen import PyteScreen


class Desk:
    """A process whose standard streams are a terminal, and the person who sees it."""

    def __init__(self, screen: PyteScreen) -> None:
        self.screen = screen
        self.said: list[str] = []
        self.heard = asyncio.Event()

    def say(self, text: str) -> None:
        self.said.append(text)
        self.heard.set()

    async def hear(self, count: int) -> None:
        """Wait until so many lines were said."""
        async with asyncio.timeout(10):
            while len(self.said) < count:
                self.heard.clear()
                await self.heard.wait()


@contextmanager
def seated() -> Iterator[Desk]:
    """Give this process a terminal; no fixture, as pytest takes the streams again after those."""
    master, slave = os.openpty()
    before = [os.dup(1), os.dup(2)]
    screen = PyteScreen(master, columns=80, rows=24)
    try:
        os.dup2(slave, 1)
        os.dup2(slave, 2)
        yield Desk(screen)
    finally:
        for number, old in zip((1, 2), before, strict=True):
            os.dup2(old, number)
            os.close(old)
        os.close(slave)
        screen.hang_up()


async def test_both_streams_are_told_and_the_terminal_is_another_way(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with seated() as desk:
        caplog.set_level(logging.INFO)
        with kept_off(desk.say) as terminal:
            os.write(1, b"one\ntw")
            os.write(1, b"o\n\n   \n")
            await desk.hear(2)
            os.write(2, b"three \xff\r\n")
            await desk.hear(3)
            os.write(terminal, b"a frame")
            desk.screen.wait_for("a frame")
        assert desk.said == ["one", "two", "three \ufffd"]
        assert [one.getMessage() for one in caplog.records] == [
            f"printed: {one}" for one in desk.said
        ]
        os.write(1, b" and after")
        os.write(2, b" it, too")
        desk.screen.wait_for("a frame and after it, too")
        assert "three" not in desk.screen.text


async def test_half_a_line_is_said_at_the_end() -> None:
    with seated() as desk:
        with kept_off(desk.say):
            os.write(1, b"no end")
        assert desk.said == ["no end"]


async def test_what_python_holds_back_is_not_left_for_the_shell(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with seated() as desk, os.fdopen(1, "w", closefd=False) as stream:
        monkeypatch.setattr("sys.stdout", stream)
        with kept_off(desk.say):
            stream.write("held back")
        assert desk.said == ["held back"]


async def test_a_flood_makes_nobody_wait_and_is_counted() -> None:
    with seated() as desk:
        count = 20 * MOST_WAITING
        with kept_off(desk.say):
            for number in range(count):  # the loop has no time for any of them
                os.write(1, f"{number}\n".encode())
        notice, *lines = desk.said
        assert notice == f"… {count - MOST_WAITING} lines left out; the log has them"
        assert lines == [str(number) for number in range(count - MOST_WAITING, count)]


async def test_a_line_without_an_end_is_cut() -> None:
    with seated() as desk:
        with kept_off(desk.say):
            os.write(1, b"x" * 5_000)
        assert [len(one) for one in desk.said] == [2_000, 2_000, 1_000]


async def test_a_child_that_still_has_the_stream_holds_nothing_up() -> None:
    with seated() as desk:
        with kept_off(desk.say):
            child = await asyncio.create_subprocess_exec(
                sys.executable,
                "-c",
                "print('here', flush=True); input()",
                stdin=asyncio.subprocess.PIPE,
            )
            await desk.hear(1)
        assert desk.said == ["here"]
        await child.communicate(b"\n")


async def test_what_leads_to_a_file_stays_there(tmp_path: Path) -> None:
    with seated() as desk:
        file = os.open(tmp_path / "err", os.O_CREAT | os.O_WRONLY)
        os.dup2(file, 2)
        os.close(file)
        with kept_off(desk.say):
            os.write(2, b"into the file\n")
        assert desk.said == []
        assert (tmp_path / "err").read_text() == "into the file\n"


async def test_nothing_stays_open() -> None:
    with seated() as desk:

        def opened() -> list[str]:
            return [one.name for one in Path("/proc/self/fd").iterdir()]

        before = len(opened())
        with pytest.raises(RuntimeError, match="broken"), kept_off(desk.say):
            raise RuntimeError("broken")
        assert len(opened()) == before
