"""Why an order or a position is as it is: who asked, what was said, and all that came of it."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from ibkr_trader.cli import explaining
from ibkr_trader.cli.failure import Failure
from ibkr_trader.core import events as ev
from ibkr_trader.core.errors import RiskCheckError
from ibkr_trader.execution import long_reading
from ibkr_trader.execution.placing import Wait
from tests.cli.screen_parts import Seat, seat
from tests.execution.parts import AAPL, START, request
from tests.scenarios.crash_child import bracket

if TYPE_CHECKING:
    from pathlib import Path


async def lines(one: Seat, about: object) -> list[str]:
    found = await one.ask("details", about=str(about))
    assert isinstance(found, dict), found
    return list(found["lines"])


async def test_an_order_is_explained_from_who_asked_to_the_brokers_last_word(
    tmp_path: Path,
) -> None:
    async with seat(tmp_path) as one:
        entry, target, stop = await one.desk.submit_group(bracket(), wait=Wait.FILLED)
        for action in ("modify 1-stop: stop 146", "cancel 11-stop", "cancel 1-stop.2"):
            event = ev.OperatorEvent(
                at=START, operator="ann", action=action, command="revise.modify"
            )
            one.trader.record.write([event])
        await one.desk.modify_order(stop.order_id, stop_price=Decimal(146))
        told = await lines(one, stop.order_id)
        text = "\n".join(told)
        assert told[0] == "1-stop  SELL 10 AAPL STOP 146.00  GTC"
        assert f"id {stop.order_id}, the broker's #" in text
        assert "hangs from 1-entry" in text
        for member in (entry, target, stop):
            assert f"  {member.order_id.partition('-')[2]}  " in text
        assert any(line.startswith("  sent ") and " EST" in line for line in told)
        at = told.index("history:")
        assert told.index("its way:") < at
        history = [line.partition("  ")[2] for line in told[at + 1 :]]
        stamped = [line for line in history if "EST" in line]
        assert "cli: bracket of 3" in history[0]
        assert any(line.endswith("sent 1-stop SELL 10 AAPL STOP 145.00") for line in stamped)
        assert any("library: change to quantity 10, stop price 146" in line for line in history)
        assert any(line.endswith("changing 1-stop to SELL 10 AAPL STOP 146.00") for line in stamped)
        assert any("the broker has SELL 10 AAPL STOP 146.00" in line for line in stamped)
        keys = [line for line in stamped if "ann: " in line]
        assert [line.partition("ann: ")[2] for line in keys] == ["modify 1-stop: stop 146"]
        assert "1-target SELL" not in "\n".join(history)  # the history is of this order alone


async def test_a_fill_a_commission_and_a_denial_are_in_the_history(tmp_path: Path) -> None:
    async with seat(tmp_path) as one:
        entry, _, stop = await one.desk.submit_group(bracket(), wait=Wait.FILLED)
        with pytest.raises(RiskCheckError):
            await one.desk.modify_order(stop.order_id, quantity=Decimal(500))
        text = "\n".join(await lines(one, entry.order_id))
        assert "filled 1-entry BUY 10 AAPL @ 150.01" in text
        assert "FILLED, filled 10 of 10 at 150.01" in text
        assert "commission 1.00 USD" in text
        assert "denied 1-stop: " in "\n".join(await lines(one, stop.order_id))


async def test_a_position_is_explained_with_its_orders_and_fills(tmp_path: Path) -> None:
    async with seat(tmp_path) as one:
        await one.desk.submit_group(bracket(), wait=Wait.FILLED)
        text = "\n".join(await lines(one, AAPL))
        assert "+10 AAPL at 150.01, now 149.99" in text
        assert "stop 145.00, target 155.00, covered 10 of 10" in text
        assert "1-stop  SELL 10 AAPL STOP 145.00" in text
        assert "filled 1-entry BUY 10 AAPL @ 150.01" in text
        assert "sent 1-entry BUY 10 AAPL MARKET" in text


async def test_what_is_not_there_is_an_error(tmp_path: Path) -> None:
    async with seat(tmp_path) as one:
        for about in ("9-stop", str(AAPL), ""):
            answer = await one.ask("details", about=about)
            assert isinstance(answer, Failure), about
            assert answer.code != "bug"


async def test_a_long_journal_is_read_from_near_its_end_and_in_small_steps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(long_reading, "TURN", 1)
    async with seat(tmp_path) as one:
        order = await one.desk.submit_order(request(limit="140.00"))
        turns, is_over = 0, False

        async def others() -> None:
            nonlocal turns
            while not is_over:
                turns += 1
                await asyncio.sleep(0)

        async with asyncio.TaskGroup() as group:
            group.create_task(others())
            told = await explaining.explain(one.desk, order.order_id, utc=False)
            is_over = True
        assert turns >= 3
        assert any("sent 1-single" in line for line in told)
        monkeypatch.setattr(long_reading, "RECORDS", 1)
        monkeypatch.setattr(explaining, "RECORDS", 1)
        told = await explaining.explain(one.desk, order.order_id, utc=False)
        assert "older than the last 1 records" in "\n".join(told)
        assert not any("sent 1-single" in line for line in told)
