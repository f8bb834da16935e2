"""The picture of the account, folded from events."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest

from ibkr_trader.core import events as ev
from ibkr_trader.core.commands import CancelOrder
from ibkr_trader.core.enums import DataType, Side, TradingState
from ibkr_trader.core.models import (
    AccountValues,
    FillId,
    GroupId,
    OrderId,
    Position,
)
from ibkr_trader.portfolio.horizon import LATE
from ibkr_trader.portfolio.state import PortfolioState, fold
from tests.orders.samples import (
    AAPL,
    ACCOUNT,
    AT,
    MSFT,
    fill,
    filled,
    later,
    spec,
    working,
    written,
)

ID = OrderId("memo-1-single")
E1 = FillId("e1")
BREACH = ev.Breach(check="size", message="too large")


def report(quantity: int, at: float = 0) -> ev.PositionReportEvent:
    position = Position(
        account=ACCOUNT, contract=AAPL, quantity=Decimal(quantity), average_cost=Decimal(150)
    )
    return ev.PositionReportEvent(at=later(at), position=position)


def synced(*quantities: int) -> ev.SyncEvent:
    positions = tuple(report(quantity).position for quantity in quantities)
    return ev.SyncEvent(at=AT, epoch=1, positions=positions)


def test_the_account_is_what_the_broker_states() -> None:
    values = AccountValues(account=ACCOUNT, net_liquidation=Decimal(100_000))
    assert fold([ev.AccountEvent(at=AT, values=values)]).values == values


def test_the_link_knows_when_it_was_lost() -> None:
    up = ev.ConnectEvent(at=AT, epoch=1)
    state = fold([up])
    assert (state.link.epoch, state.link.is_up, state.link.connected_at) == (1, True, AT)
    state = state.apply(ev.DisconnectEvent(at=later(5), epoch=1, reason="silence"))
    assert (state.link.is_up, state.link.lost_at) == (False, later(5))
    again = state.apply(ev.ConnectEvent(at=later(9), epoch=2))
    assert (again.link.epoch, again.link.lost_at, again.link.connected_at) == (
        2, later(5), later(9),
    )  # fmt: skip
    unnoticed = again.apply(ev.ConnectEvent(at=later(20), epoch=3))
    assert unnoticed.link.lost_at is None


@pytest.mark.parametrize(
    "event",
    [
        ev.StateEvent(at=AT, state=TradingState.HALTED, reason="halt"),
        ev.DataTypeEvent(at=AT, contract=AAPL, data_type=DataType.DELAYED),
        ev.DriftEvent(at=AT, subject="position AAPL", ours="1", theirs="2"),
        ev.VolumeEvent(at=AT, contract=AAPL, volume=Decimal(1)),
    ],
)
def test_what_is_not_its_business_changes_nothing(event: ev.BaseEvent) -> None:
    state = fold([synced(10)])
    assert state.apply(event) is state


def test_a_closing_is_known_until_it_ends_and_outlives_a_checkpoint() -> None:
    asked, other = (
        ev.CloseRequestEvent(at=AT, group_id=GroupId(name), contract=contract, account="SIM0000001")
        for name, contract in (("memo-8", AAPL), ("memo-9", MSFT))
    )
    state = fold([asked, other])
    assert state.closings == {AAPL.con_id: asked, MSFT.con_id: other}
    learned = msgspec.structs.replace(asked, stop=spec())
    state = state.apply(learned).apply(ev.CloseEndEvent(at=AT, group_id=GroupId("memo-9")))
    assert state.closings == {AAPL.con_id: learned}
    mark = ev.CheckpointEvent(at=AT, closings=tuple(state.closings.values()))
    assert fold([other, mark]).closings == {AAPL.con_id: learned}
    assert state.apply(ev.CloseEndEvent(at=AT, group_id=GroupId("memo-7"))).closings


def test_commands_in_a_journal_change_nothing() -> None:
    assert fold([CancelOrder(order_id=ID)]) == PortfolioState()


def test_a_new_day_forgets_the_old_one() -> None:
    old = [
        synced(5),
        written(spec()),
        filled(fill(10, at=later(1))),
        filled(fill(10, "160", key="c", side=Side.SELL, at=later(2))),
        filled(fill(3, "400", key="m", contract=MSFT, at=later(3))),
        filled(fill(3, "410", key="n", contract=MSFT, side=Side.SELL, at=later(4))),
    ]
    live = spec(group=GroupId("memo-2"), order_id=OrderId("memo-2-single"))
    state = fold(
        [
            *old,
            written(live),
            filled(fill(2, "150", key="o", order_id=live.order_id, at=later(3600))),
        ]
    )
    stale = ev.CommissionEvent(at=AT, order_id=ID, fill_id="gone", commission=Decimal(1))
    state = state.apply(stale).apply(working("memo-9-single"))  # nobody ever says what they are of
    assert state.begin_day(later(1800)).fills == state.fills, "they may be told again"
    state = msgspec.structs.replace(state, synced_at=later(1800) + LATE)
    today = state.begin_day(later(1800))
    assert not today.unclaimed
    assert not today.unclaimed_costs
    assert not today.closed
    assert today.orders.keys() == {live.order_id}
    assert today.groups.keys() == {"memo-2"}
    assert today.fills.keys() == {"o"}
    assert today.books.keys() == {AAPL.con_id}
    assert today.positions[AAPL.con_id].quantity == 7
    assert today.positions[AAPL.con_id].realized_pnl == 0
    assert not today.apply(
        filled(fill(9, "160", key="o", order_id=live.order_id, at=later(3600)))
    ).drift
