"""The loop of a dashboard, and nothing else: inputs go into the reducer, effects come out.

The trader is behind `Link`, the terminal behind `Surface`. A frame is drawn when something has
changed, at most fifty times a second, and whatever the terminal does not take is left out.
"""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING, Protocol

from ibkr_trader.core.errors import TraderError
from ibkr_trader.dashboard.effects import Act, Leave, Repaint, Reply
from ibkr_trader.dashboard.inputs import (
    Answered,
    Linked,
    Outcome,
    Pressed,
    Questioned,
    Saw,
    Ticked,
)
from ibkr_trader.dashboard.layout import is_too_small
from ibkr_trader.dashboard.state import update
from ibkr_trader.dashboard.steps import replaced
from ibkr_trader.dashboard.view import RowCache, view

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence

    from ibkr_trader.dashboard.effects import Effect
    from ibkr_trader.dashboard.inputs import Input
    from ibkr_trader.dashboard.model import Model
    from ibkr_trader.dashboard.scene import Glimpse
    from ibkr_trader.dashboard.spans import Line

_FRAME = 0.02  # seconds between two frames: a burst of keys is one picture
_TICK, _STAGED_TICK = 0.5, 0.05  # seconds
_AGAIN = 1.0  # seconds before the trader is looked for again
_BLIND = frozenset({"escape", "q", "ctrl-l"})
_LAST_WORDS = 3.0  # seconds for what was sent to be answered, when the screen closes


class Link(Protocol):
    """The way to the trader."""

    def watch(self) -> AsyncGenerator[Glimpse]:
        """Yield how things stand, until the trader is gone.

        Raises:
            TraderError: When it is, or if there is none.
        """
        ...

    async def act(
        self, act: Act, *, answer: Callable[[str, bool], Awaitable[str | None]]
    ) -> Outcome:
        """Have the trader run a command; `answer` is asked what it asks, None means no."""
        ...


class Surface(Protocol):
    """The terminal, as far as the loop has to do with it."""

    @property
    def size(self) -> tuple[int, int]:
        """Columns and rows."""
        ...

    @property
    def dropped(self) -> int:
        """How many frames it was too slow for."""
        ...

    def show(self, lines: Sequence[Line]) -> None:
        """Draw a frame, without ever waiting."""
        ...

    def repaint(self) -> None:
        """Draw everything with the next frame: something else has written there."""
        ...


class Shell:
    """One dashboard at one terminal."""

    def __init__(self, link: Link, surface: Surface, model: Model) -> None:
        self._link = link
        self._surface = surface
        self._model = model
        self._cache = RowCache()
        self._dirty = asyncio.Event()
        self._left: asyncio.Future[Leave] = asyncio.get_running_loop().create_future()
        self._asked: dict[int, asyncio.Future[str | None]] = {}
        self._acts: set[asyncio.Task[None]] = set()
        self._group: asyncio.TaskGroup | None = None

    @property
    def model(self) -> Model:
        """What is shown."""
        return self._model

    def hear(self, given: Input) -> None:
        """Take an input, and do what follows from it."""
        if isinstance(given, Pressed) and not self._is_seen(given.key):
            return
        for one in (Ticked(asyncio.get_running_loop().time()), given):
            self._model, effects = update(self._model, one)
            for effect in effects:
                self._do(effect)
        self._dirty.set()

    def _is_seen(self, key: str) -> bool:
        """Whether a key counts: where nothing can be seen, only what leaves does."""
        return key in _BLIND or not is_too_small(*self._surface.size)

    def refresh(self) -> None:
        """Draw a frame, though nothing has changed."""
        self._dirty.set()

    def leave(self, *, ends_trader: bool = False) -> None:
        """Close the screen: the terminal is gone, or the process is told to end."""
        self._do(Leave(ends_trader=ends_trader))

    async def run(self) -> Leave:
        """Keep the screen until it is left, and return how."""
        async with asyncio.TaskGroup() as group:
            self._group = group
            works = [
                group.create_task(work) for work in (self._watch(), self._tick(), self._paint())
            ]
            left = await self._left
            if self._acts:  # what was sent must not be given up in the middle
                await asyncio.wait(self._acts, timeout=_LAST_WORDS)
            for task in (*works, *self._acts):
                task.cancel()
        return left

    def _do(self, effect: Effect) -> None:
        match effect:
            case Act() if self._group is not None:
                task = self._group.create_task(self._carry_out(effect))
                self._acts.add(task)
                task.add_done_callback(self._acts.discard)
            case Reply(call=call, text=text):
                asked = self._asked.pop(call, None)
                if asked is not None and not asked.done():
                    asked.set_result(text)
            case Leave() if not self._left.done():
                self._left.set_result(effect)
            case Repaint():
                self._surface.repaint()
            case _:
                pass

    async def _carry_out(self, act: Act) -> None:
        async def answer(question: str, is_typed: bool) -> str | None:  # noqa: FBT001 - the port's own
            asked = self._asked[act.call] = asyncio.get_running_loop().create_future()
            self.hear(Questioned(act.call, question, is_typed=is_typed))
            typed: str | None = await asked
            return typed

        try:
            outcome = await self._link.act(act, answer=answer)
        except TraderError as error:
            lines = (error.message, *((f"fix: {error.hint}",) if error.hint else ()))
            outcome = Outcome(is_done=False, code="error", lines=lines)
        self._asked.pop(act.call, None)
        self.hear(Answered(act.call, outcome))

    async def _watch(self) -> None:
        """Follow the trader, and look for it again and again when it is gone."""
        while True:
            try:
                async with aclosing(self._link.watch()) as glimpses:
                    async for glimpse in glimpses:
                        self.hear(Saw(glimpse))
                words = "the trader has closed the line"
            except TraderError as error:
                words = error.message
            self.hear(Linked(is_up=False, words=words))
            await asyncio.sleep(_AGAIN)

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(_TICK if self._model.staged is None else _STAGED_TICK)
            before = self._model
            self._model, effects = update(before, Ticked(asyncio.get_running_loop().time()))
            for effect in effects:
                self._do(effect)
            if effects or before.staged or replaced(self._model, now=before.now) != before:
                self._dirty.set()

    async def _paint(self) -> None:
        while True:
            width, height = self._surface.size
            self._model = replaced(self._model, frames=self._surface.dropped)
            self._surface.show(view(self._model, width, height, self._cache))
            await asyncio.sleep(_FRAME)
            await self._dirty.wait()
            self._dirty.clear()
