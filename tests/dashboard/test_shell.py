"""The loop: inputs in, acts out, frames drawn; with a trader and a terminal made of values."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

import pytest

from ibkr_trader.core.errors import TraderError
from ibkr_trader.dashboard.effects import Act, Leave
from ibkr_trader.dashboard.inputs import Interrupted, Outcome, Pressed
from ibkr_trader.dashboard.model import Model, TypedDialog
from ibkr_trader.dashboard.scene import Glimpse
from ibkr_trader.dashboard.shell import Shell
from ibkr_trader.dashboard.spans import Line
from tests.dashboard import play


class Trader:
    """Shows one picture, and remembers what it was asked to do."""

    def __init__(self, glimpse: Glimpse) -> None:
        self.glimpse = glimpse
        self.acts: list[Act] = []
        self.answers: list[str | None] = []
        self.looks = 0
        self.question = ""
        self.fails = False
        self.ends = asyncio.Event()

    async def watch(self) -> AsyncGenerator[Glimpse]:
        self.looks += 1
        yield self.glimpse
        await self.ends.wait()
        self.ends.clear()
        raise TraderError("the trader has gone home")

    async def act(
        self, act: Act, *, answer: Callable[[str, bool], Awaitable[str | None]]
    ) -> Outcome:
        self.acts.append(act)
        if self.fails:
            raise TraderError("that is not possible", hint="try something else")
        if self.question:
            self.answers.append(await answer(self.question, True))
        return Outcome(is_done=True, lines=("it is done",))


class Easel:
    """A terminal of any size that keeps its last frame."""

    def __init__(self) -> None:
        self.size, self.dropped = (120, 40), 0
        self.lines: Sequence[Line] = ()
        self.drawn = asyncio.Event()
        self.repaints = 0

    def show(self, lines: Sequence[Line]) -> None:
        self.lines = lines
        self.drawn.set()

    def repaint(self) -> None:
        self.repaints += 1

    async def until(self, words: str) -> None:
        async with asyncio.timeout(10):
            while words not in "\n".join("".join(s.text for s in line) for line in self.lines):
                self.drawn.clear()
                await self.drawn.wait()


@asynccontextmanager
async def running(glimpse: Glimpse) -> AsyncGenerator[tuple[Shell, Trader, Easel]]:
    trader, easel = Trader(glimpse), Easel()
    shell = Shell(trader, easel, Model(operator="ann"))
    async with asyncio.TaskGroup() as group:
        task = group.create_task(shell.run())
        await easel.until("17-stop")
        yield shell, trader, easel
        if not task.done():
            shell.leave()


@pytest.fixture
def picture() -> Glimpse:
    return play.glimpse(
        play.stop(), play.entry(), positions=(play.guarded(),), is_first=True
    ).glimpse


async def test_a_key_becomes_an_act_and_its_outcome_a_line(picture: Glimpse) -> None:
    async with running(picture) as (shell, trader, easel):
        for key in ("j", "c"):
            shell.hear(Pressed(key))
        await easel.until("it is done")
        (act,) = trader.acts
        assert act.command == "revise.cancel"
        assert not shell.model.calls


async def test_what_the_trader_refuses_is_said(picture: Glimpse) -> None:
    async with running(picture) as (shell, trader, easel):
        trader.fails = True
        for key in ("j", "c"):
            shell.hear(Pressed(key))
        await easel.until("fix: try something else")


async def test_a_question_is_answered_by_typing(picture: Glimpse) -> None:
    async with running(picture) as (shell, trader, easel):
        trader.question = "Type the account's id:"
        for key in ("j", "c"):
            shell.hear(Pressed(key))
        await easel.until("Type the account's id:")
        assert isinstance(shell.model.dialog, TypedDialog)
        for key in ("x", "y", "enter"):
            shell.hear(Pressed(key))
        await easel.until("it is done")
        assert trader.answers == ["xy"]


async def test_a_trader_that_is_gone_is_looked_for_again(
    picture: Glimpse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ibkr_trader.dashboard.shell._AGAIN", 0.01)
    async with running(picture) as (_, trader, easel):
        trader.ends.set()
        await easel.until("17-stop")
        async with asyncio.timeout(10):
            while trader.looks < 2:
                easel.drawn.clear()
                await easel.drawn.wait()


async def test_on_a_terminal_too_small_only_leaving_counts(picture: Glimpse) -> None:
    async with running(picture) as (shell, trader, easel):
        easel.size = (40, 10)
        for key in ("j", "c", "x", "y", "h", "y", "a"):
            shell.hear(Pressed(key))
        assert (trader.acts, shell.model.dialog) == ([], None)
        easel.size = (80, 24)
        shell.hear(Pressed("x"))
        assert shell.model.dialog is not None
        easel.size = (40, 10)
        shell.hear(Pressed("escape"))
        assert shell.model.dialog is None
        shell.hear(Pressed("q"))


async def test_ctrl_l_draws_everything_anew(picture: Glimpse) -> None:
    async with running(picture) as (shell, _, easel):
        shell.hear(Pressed("ctrl-l"))
        assert easel.repaints == 1


async def test_leaving_says_how(picture: Glimpse) -> None:
    trader, easel = Trader(picture), Easel()
    shell = Shell(trader, easel, Model())
    async with asyncio.TaskGroup() as group:
        task = group.create_task(shell.run())
        await easel.until("17-stop")
        shell.hear(Interrupted())
    assert task.result() == Leave(is_interrupted=True)


async def test_frames_that_were_left_out_are_counted(picture: Glimpse) -> None:
    async with running(picture) as (shell, _, easel):
        easel.dropped = 7
        shell.refresh()
        async with asyncio.timeout(10):
            while shell.model.frames != 7:
                easel.drawn.clear()
                await easel.drawn.wait()
