"""What is said of a change while it is typed: what the guard would say, and what it may cost."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from ibkr_trader.cli import weighing
from ibkr_trader.core.enums import Side
from ibkr_trader.core.errors import RiskCheckError
from ibkr_trader.execution.placing import Wait
from tests.cli.screen_parts import seat
from tests.execution.parts import FallibleBroker, request
from tests.scenarios.crash_child import bracket

if TYPE_CHECKING:
    from pathlib import Path


async def test_a_tighter_stop_lowers_risk_and_it_is_said_by_how_much(tmp_path: Path) -> None:
    async with seat(tmp_path) as one:
        _, _, stop = await one.desk.submit_group(bracket(), wait=Wait.FILLED)
        found = await one.weigh(stop, stop="147.50")
        assert (found["reduces"], found["fault"]) == (True, "")
        notes = found["notes"]
        assert "tick 0.01" in notes
        assert "last 149.99" in notes
        assert "risk 49.90 → 24.90" in notes
        assert any(one.startswith("heat 49.90 → 24.90 of ") for one in notes)


async def test_a_wider_stop_is_no_lower_risk(tmp_path: Path) -> None:
    async with seat(tmp_path) as one:
        _, _, stop = await one.desk.submit_group(bracket(), wait=Wait.FILLED)
        found = await one.weigh(stop, stop="144.00")
        assert (found["reduces"], found["fault"]) == (False, "")
        assert "risk 49.90 → 59.90" in found["notes"]


async def test_a_target_in_another_world_is_no_lower_risk(tmp_path: Path) -> None:
    """A slip of the finger: it can only close, and yet no limit has room for what it is worth."""
    async with seat(tmp_path) as one:
        _, target, _ = await one.desk.submit_group(bracket(), wait=Wait.FILLED)
        near = await one.weigh(target, limit="154.00")
        assert (near["reduces"], near["is_open"]) == (True, True)
        far = await one.weigh(target, limit="155154")
        assert far["reduces"] is not True
        assert any("worst_case_exposure" in note for note in far["notes"]) or far["fault"]


async def test_a_smaller_stop_opens_nothing_and_is_no_lower_risk(tmp_path: Path) -> None:
    """The guard lets it pass as an exit; but one share without a stop may end 20 % away."""
    async with seat(tmp_path) as one:
        _, _, stop = await one.desk.submit_group(bracket(), wait=Wait.FILLED)
        found = await one.weigh(stop, quantity="9")
        assert (found["reduces"], found["fault"]) == (False, "")
        assert "risk 49.90 → 74.91" in found["notes"]


async def test_a_keener_entry_is_no_lower_risk_though_less_is_lost_at_its_end(
    tmp_path: Path,
) -> None:
    """Of a short entry 20 % of a lower price are less; yet it trades sooner than before."""
    async with seat(tmp_path) as one:
        order = await one.desk.submit_order(request(side=Side.SELL, limit="153.00"))
        found = await one.weigh(order, limit="152.00")
        assert "risk 306.00 → 304.00" in found["notes"]
        assert (found["reduces"], found["fault"]) == (False, "")


async def test_a_larger_entry_is_no_lower_risk_and_shows_its_limit(tmp_path: Path) -> None:
    async with seat(tmp_path) as one:
        order = await one.desk.submit_order(request(limit="140.00"))
        found = await one.weigh(order, quantity="50")
        assert (found["reduces"], found["fault"]) == (False, "")
        assert any("10 → 50 of 100" in note for note in found["notes"])
        too_many = await one.weigh(order, quantity="500")
        assert too_many["reduces"] is None
        assert "the limit is 100" in too_many["fault"]


async def test_what_is_weighed_is_what_a_change_would_meet(tmp_path: Path) -> None:
    async with seat(tmp_path) as one:
        order = await one.desk.submit_order(request(limit="140.00"))
        found = await one.weigh(order, limit="140.005", quantity="5000")
        with pytest.raises(RiskCheckError) as denied:
            await one.desk.modify_order(
                order.order_id, limit_price=Decimal("140.005"), quantity=Decimal(5000)
            )
        assert found["fault"] == denied.value.message
        assert ";" in found["fault"]  # every reason, not the first


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"stop": "1,5"}, "stop '1,5' must have a point"),
        ({"quantity": "0"}, "quantity '0' must be a whole number"),
        ({"limit": "1e9"}, "limit '1e9' must be a price"),
        ({}, "nothing is changed"),
    ],
)
async def test_what_cannot_be_meant_is_said(
    tmp_path: Path, typed: dict[str, str], words: str
) -> None:
    async with seat(tmp_path) as one:
        order = await one.desk.submit_order(request(limit="140.00"))
        found = await one.weigh(order, **typed)
        assert found["reduces"] is None
        assert words in found["fault"]


async def test_every_fault_of_what_was_typed_is_said(tmp_path: Path) -> None:
    async with seat(tmp_path) as one:
        found = await one.weigh("1-single", quantity="x", stop="y")
        assert "quantity 'x'" in found["fault"]
        assert "stop 'y'" in found["fault"]


async def test_an_order_that_is_unknown_or_over_is_said(tmp_path: Path) -> None:
    async with seat(tmp_path) as one:
        assert "unknown" in (await one.weigh("9-stop", stop="145"))["fault"]
        order = await one.desk.submit_order(request(limit="140.00"))
        await one.desk.cancel_order(order.order_id)
        found = await one.weigh(order, limit="141.00")
        assert found["reduces"] is None
        assert found["fault"] == "1-single is CANCELLED"


async def test_weighing_sends_nothing_and_writes_nothing(tmp_path: Path) -> None:
    async with seat(tmp_path) as one:
        _, _, stop = await one.desk.submit_group(bracket(), wait=Wait.FILLED)
        broker, journal = one.trader.broker, one.trader.journal
        assert isinstance(broker, FallibleBroker)
        sent, written = broker.sent, journal.state.last_record
        await one.weigh(stop, stop="147.50")
        await one.weigh(stop, quantity="500")
        assert (broker.sent, journal.state.last_record) == (sent, written)


async def test_a_market_that_says_nothing_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(weighing, "PATIENCE", 0.01)

    async def silent(*_: object, **__: object) -> None:
        await asyncio.Event().wait()

    async with seat(tmp_path) as one:
        _, _, stop = await one.desk.submit_group(bracket(), wait=Wait.FILLED)
        monkeypatch.setattr(one.trader, "study", silent)
        one.trader.outlook._heard.clear()
        async with asyncio.timeout(5):
            found = await one.weigh(stop, stop="147.50")
        assert (found["reduces"], found["fault"]) == (True, "")
        assert not any(note.startswith("last") for note in found["notes"])
