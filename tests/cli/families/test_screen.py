"""What a dashboard asks of a trader: to be shown how it stands, at its own pace."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

from ibkr_trader.cli import watching
from ibkr_trader.cli.face import DESK_COMMANDS
from ibkr_trader.cli.failure import Failure
from ibkr_trader.core import events as ev
from tests.cli.screen_parts import Seat, seat
from tests.execution.parts import START, request

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    import pytest


def test_none_of_it_is_a_command_that_changes_anything() -> None:
    parts = {name: one for name, one in DESK_COMMANDS.items() if name.startswith("screen.")}
    assert parts.keys() == {"screen.watch", "screen.weigh", "screen.details"}
    assert not any(one.changes or one.acts for one in parts.values())
    assert [name for name, one in parts.items() if one.streams] == ["screen.watch"]


async def test_a_trader_that_keeps_nothing_for_screens_says_so(tmp_path: Path) -> None:
    async with seat(tmp_path, keeps=False) as one:
        for command, options in (("watch", {}), ("details", {"about": "1-stop"})):
            answer = await one.ask(command, **options)
            assert isinstance(answer, Failure)
            assert answer.code == "usage"


# -- watch ---------------------------------------------------------------------------------------


@asynccontextmanager
async def watching_it(one: Seat) -> AsyncIterator[None]:
    async with asyncio.TaskGroup() as group:
        task = group.create_task(one.ask("watch"))
        await one.screen.until_offered(1)
        yield
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
    assert task.cancelled()


async def _turns(count: int = 50) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def test_a_screen_is_shown_what_happens_and_nothing_while_nothing_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "LEAST", 0)
    monkeypatch.setattr(watching, "MOST", 60)
    async with seat(tmp_path) as one, watching_it(one):
        await _turns()
        assert one.screen.offered == 1
        await one.desk.submit_order(request(limit="140.00"))
        await one.screen.until_offered(2)
        await _turns()
        last = one.screen.glimpses[-1]
        assert one.screen.glimpses[0].is_first
        assert "sent 1-single BUY 10 AAPL LIMIT 140.00" in {
            line.text for glimpse in one.screen.glimpses for line in glimpse.feed
        }
        assert last.events == one.screen.glimpses[-1].events
        count = one.screen.offered
        await _turns()
        assert one.screen.offered == count


async def test_a_clock_goes_on_though_nothing_happens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "LEAST", 0.001)
    monkeypatch.setattr(watching, "MOST", 0.002)
    async with seat(tmp_path) as one, watching_it(one):
        await one.screen.until_offered(3)


async def test_a_storm_is_shown_at_a_pace_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "LEAST", 60)
    async with seat(tmp_path) as one, watching_it(one):
        for _ in range(1_000):
            one.trader.bus.publish(ev.TimeEvent(at=START))
        await _turns()
        assert one.screen.offered == 1


async def test_many_screens_share_the_pace_of_a_few(tmp_path: Path) -> None:
    assert [watching.pace(count) for count in (1, 4, 8, 64)] == [0.2, 0.2, 0.4, 3.2]
    async with seat(tmp_path) as one, watching_it(one):
        board = one.card.board
        assert board is not None
        with board.watched():
            assert board.watchers == 2
        assert board.watchers == 1


async def test_who_does_not_read_misses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "LEAST", 0)
    monkeypatch.setattr(watching, "MOST", 60)
    async with seat(tmp_path) as one, watching_it(one):
        screen = one.screen
        screen.reads = False
        order = await one.desk.submit_order(request(limit="140.00"))
        await screen.until_offered(2)
        await _turns()
        refused = screen.offered - 1
        screen.reads = True
        one.trader.bus.publish(ev.TimeEvent(at=START))
        await screen.until_offered(screen.offered + 1)
        (glimpse,) = screen.glimpses[1:]
        assert [row.order_id for row in glimpse.orders] == [order.order_id]
        assert glimpse.feed[0].text == "sent 1-single BUY 10 AAPL LIMIT 140.00"
        assert glimpse.skipped == refused >= 1


async def test_a_screen_that_has_gone_is_not_waited_for(tmp_path: Path) -> None:
    async with seat(tmp_path) as one:
        async with watching_it(one):
            pass
        assert one.card.board is not None
        assert one.card.board._flags == []
