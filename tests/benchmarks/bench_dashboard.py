"""The dashboard: what a frame costs, and what a terminal that stands still costs the trader."""

from __future__ import annotations

import asyncio
import io
import os
import time
from collections.abc import Iterator
from decimal import Decimal

import msgspec
from rich.console import Console
from rich.live import Live
from rich.table import Table as RichTable

from ibkr_trader.dashboard.inputs import Saw, Ticked
from ibkr_trader.dashboard.model import Model
from ibkr_trader.dashboard.palette import palette
from ibkr_trader.dashboard.row_cache import RowCache
from ibkr_trader.dashboard.scene import Glimpse, OrderRow
from ibkr_trader.dashboard.state import update
from ibkr_trader.dashboard.terminal.pump import Pump
from ibkr_trader.dashboard.terminal.screen import Screen
from ibkr_trader.dashboard.view import view
from tests.benchmarks.harness import Goal, Sample, Table, version
from tests.dashboard.scenes import head, order

WIDTH, HEIGHT = 120, 40
FRAMES = 20
STALL = 8.0  # seconds
CENT = Decimal("0.01")


def rows(count: int, turn: int) -> tuple[OrderRow, ...]:
    """Return so many orders, every one of them changed since the last turn."""
    return tuple(
        msgspec.structs.replace(
            order(number), filled=Decimal(turn), terms=f"{140 + turn % 9}.{number % 90 + 10}"
        )
        for number in range(1, count + 1)
    )


class Drawn:
    """Our dashboard on a terminal that takes everything: from a glimpse to the bytes."""

    def __init__(self, count: int) -> None:
        self.sink = os.open(os.devnull, os.O_WRONLY)
        self.pump = Pump(self.sink)
        look = palette(is_light=False, colours="256")
        self.screen = Screen(self.pump, look, (WIDTH, HEIGHT), colors="256")
        self.cache, self.model, self.turn = RowCache(), Model(), 0
        self.glimpses = [
            Glimpse(head=head(), is_first=turn == 0, orders=rows(count, turn))
            for turn in range(FRAMES)
        ]

    def frame(self) -> None:
        """Draw the next frame."""
        glimpse = self.glimpses[self.turn % FRAMES]
        self.turn += 1
        self.model, _ = update(self.model, Saw(glimpse))
        self.screen.show(view(self.model, WIDTH, HEIGHT, self.cache))

    def sample(self) -> Sample:
        """Return the processor's seconds that a frame takes, the writing thread's included."""

        def work() -> float:
            began = time.process_time()
            for _ in range(FRAMES):
                self.frame()
            self.pump.drain(5)
            return (time.process_time() - began) / FRAMES

        return work

    def close(self) -> None:
        """End the writing thread."""
        self.screen.close()
        self.pump.close(1)
        os.close(self.sink)


def redrawn(count: int) -> Sample:
    """Return what Rich's `Live` takes to draw a table of all orders again."""
    console = Console(file=io.StringIO(), width=WIDTH, height=HEIGHT, force_terminal=True)
    turns = [rows(count, turn) for turn in range(FRAMES)]

    def table(shown: tuple[OrderRow, ...]) -> RichTable:
        made = RichTable(title="Active Orders")
        for name in (
            "ID",
            "Symbol",
            "Side",
            "Qty",
            "Filled",
            "Type",
            "Price",
            "Status",
            "Group",
            "Rule",
        ):
            made.add_column(name)
        for one in shown:
            made.add_row(
                one.short, one.symbol, one.side, str(one.quantity), str(one.filled), one.kind,
                one.terms, one.status, one.group, one.rule,
            )  # fmt: skip
        return made

    def work() -> float:
        live = Live(console=console, auto_refresh=False, screen=True)
        began = time.process_time()
        with live:
            for shown in turns:
                live.update(table(shown), refresh=True)
        return (time.process_time() - began) / FRAMES

    return work


def lag(*, reads: bool) -> Sample:
    """Return the longest time that a loop stood still beside a dashboard on a pty."""

    async def measured() -> float:
        master, slave = os.openpty()
        pump = Pump(slave)
        screen = Screen(pump, palette(is_light=False, colours="256"), (WIDTH, HEIGHT), colors="256")
        cache, model, worst, turn = RowCache(), Model(), 0.0, 0
        loop = asyncio.get_running_loop()
        if reads:
            loop.add_reader(master, lambda: os.read(master, 65_536))
        ends = loop.time() + STALL
        while (began := loop.time()) < ends:
            turn += 1
            model, _ = update(model, Ticked(began))
            glimpse = Glimpse(head=head(), is_first=True, orders=rows(50, turn))
            model, _ = update(model, Saw(glimpse))
            screen.show(view(model, WIDTH, HEIGHT, cache))
            await asyncio.sleep(0.1)
            worst = max(worst, loop.time() - began - 0.1)
        screen.close()
        pump.discard()
        pump.close(0.2)
        os.close(slave)
        os.close(master)
        return worst

    return lambda: asyncio.run(measured())


def tables() -> Iterator[Table]:
    """Measure frames and stalls."""
    fifty, many = Drawn(50), Drawn(500)
    rich, ours = "Rich Live redraws the table", "ours, 50 orders"
    yield Table(
        title=f"a frame of {WIDTH}x{HEIGHT}, 50 orders, every one changed (processor's time)",
        unit="ms",
        rows={rich: redrawn(50), ours: fifty.sample(), "ours, 500 orders": many.sample()},
        goals=(
            Goal(row=ours, of=rich, at_most=0.15),
            Goal(row=ours, at_most=5),
            Goal(row="ours, 500 orders", of=ours, at_most=1.5),
        ),
        peers=(version("rich"),),
        notes=("5 ms a frame are 2 % of a core at 4 frames a second",),
        rounds=15,
    )
    fifty.close()
    many.close()
    still = "the terminal stands still"
    yield Table(
        title=f"the longest lag of a loop in {STALL:g} s of ten frames a second",
        unit="ms",
        rows={"the terminal reads": lag(reads=True), still: lag(reads=False)},
        goals=(Goal(row=still, at_most=50),),
        rounds=1,
        warm_up=0,
    )
