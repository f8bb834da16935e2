"""Cancelling many: one that cannot be sent must not keep the others alive."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ibkr_trader.cli import changing
from ibkr_trader.cli.exits import Exit
from ibkr_trader.cli.face import Face
from ibkr_trader.core.commands import CancelOrder
from ibkr_trader.core.errors import BrokerUnavailable
from ibkr_trader.execution.desk import Desk
from tests.execution.parts import Floor, request
from tests.execution.test_taking_over import FIRST, met

if TYPE_CHECKING:
    from ibkr_trader.risk.verdict import Approved


@pytest.mark.parametrize("refused", [0, 1, 2])
async def test_cancelling_all_goes_on_past_what_cannot_be_sent(
    refused: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    async with Floor().trader() as trader:
        face = Face(profile="sim", data_dir=str(tmp_path))
        desk = face.desk = Desk(trader, timeout=5)
        prices = ("148", "147", "146")
        orders = [await desk.submit_order(request(limit=price)) for price in prices]
        send = trader.broker.send

        async def stumble(approved: Approved) -> None:
            command = approved.command
            if isinstance(command, CancelOrder) and command.order_id == orders[refused].order_id:
                raise BrokerUnavailable("the link is closing")
            await send(approved)

        monkeypatch.setattr(trader.broker, "send", stumble)
        reply = await changing.cancel_orders(face, (), symbol="", timeout=5)
        assert reply.exit is Exit.INCOMPLETE
        assert {order["id"] for order in reply.data["orders"]} == {
            order.order_id for order in orders
        } - {orders[refused].order_id}
        assert set(trader.portfolio.orders) == {orders[refused].order_id}
    assert "not cancelled: the link is closing" in capsys.readouterr().out


async def test_what_only_a_lost_journal_calls_ours_is_named_and_left(tmp_path: Path) -> None:
    floor = Floor()
    async with floor.trader() as trader:
        trader.client_id = 1
        await met(floor, trader, FIRST)
        face = Face(profile="sim", data_dir=str(tmp_path))
        face.desk = Desk(trader, timeout=5)
        said = (
            f"Not cancelled, of a lost journal of ours: {FIRST}. Next: ibkr-trader reconcile takes "
            "over, then cancel again; or ibkr-trader close AAPL"
        )
        for symbol in ("", "AAPL"):
            reply = await changing.cancel_orders(face, (), symbol=symbol, timeout=5)
            assert reply.blocks[-1] == said
        assert said not in (await changing.cancel_orders(face, (), symbol="MSFT", timeout=5)).blocks
        assert len(trader.portfolio.orders) == 1


async def test_a_single_cancel_that_cannot_be_sent_is_its_own_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Floor().trader() as trader:
        face = Face(profile="sim", data_dir=str(tmp_path))
        desk = face.desk = Desk(trader, timeout=5)
        order = await desk.submit_order(request(limit="148"))
        monkeypatch.setattr(trader.broker, "is_gone", True)
        with pytest.raises(BrokerUnavailable):
            await changing.cancel_orders(face, (order.order_id,), symbol="", timeout=5)
        monkeypatch.setattr(trader.broker, "is_gone", False)
