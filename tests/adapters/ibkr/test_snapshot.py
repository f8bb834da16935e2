from __future__ import annotations

from decimal import Decimal

import pytest

from ibkr_trader.adapters.ibkr.requests import RequestFailed
from ibkr_trader.core import events as ev
from ibkr_trader.core.commands import CancelOrder, ModifyOrder
from ibkr_trader.core.enums import OrderStatus
from ibkr_trader.core.errors import BrokerUnavailable
from tests.adapters.ibkr.conftest import Rig
from tests.adapters.ibkr.orders import GROUP, SINGLE, approved, field, placed
from tests.adapters.ibkr.stub_gateway import (
    ACCOUNT,
    CONTRACT,
    StubGateway,
    execution,
    open_order,
    order_status,
)


async def test_an_empty_account_is_an_empty_snapshot(rig: Rig) -> None:
    snapshot = await rig.broker.snapshot()
    assert (snapshot.epoch, snapshot.account) == (1, ACCOUNT)
    assert (snapshot.open_orders, snapshot.fills, snapshot.positions) == ((), (), ())


@pytest.mark.parametrize(
    ("request_id", "end"),
    [
        (16, "openOrderEnd"),
        (99, "completedOrdersEnd"),
        (7, "execDetailsEnd"),
        (61, "positionEnd"),
        (6, "accountDownloadEnd"),
    ],
)
async def test_a_missing_end_is_never_an_empty_answer(request_id: int, end: str, rig: Rig) -> None:
    rig.gateway.answers[request_id] = lambda _: []
    with pytest.raises(BrokerUnavailable, match=f"{end} is missing"):
        await rig.broker.snapshot()


@pytest.mark.parametrize("renewals", [1, 2, 3])
async def test_a_link_that_is_renewed_meanwhile_is_asked_again(renewals: int, rig: Rig) -> None:
    """IBKR's line drops and comes back within the answer: of which time it is, nobody knows."""
    left = iter(range(renewals))

    def answer(_: list[str]) -> list[tuple[object, ...]]:
        renewed = [(4, 2, -1, 1100, "lost", ""), (4, 2, -1, 1102, "restored", "")]
        return [*(renewed if next(left, None) is not None else []), (53, 1)]

    rig.gateway.answers[16] = answer
    if renewals < 3:
        assert (await rig.broker.snapshot()).epoch == 1 + renewals
    else:
        with pytest.raises(BrokerUnavailable, match="renewed again and again"):
            await rig.broker.snapshot()
    assert rig.gateway.count(16) == min(3, renewals + 1)


def answer_fully(gateway: StubGateway) -> None:
    """Let the stub hold two orders, a corrected execution, a position and some money."""
    gateway.answers[16] = lambda _: [
        open_order(5, ref=SINGLE, limit="150.5"),
        order_status(5, "Submitted", filled=4, remaining=6, average=150.5),
        open_order(3, "PreSubmitted", client_id=0, perm_id=42, type="STP", aux="99.5"),
        (53, 1),
    ]
    gateway.answers[7] = lambda fields: [
        execution(5, "0001.01.01", request_id=fields[2], shares=4, ref=SINGLE),
        execution(5, "0001.01.02", request_id=fields[2], shares=5, ref=SINGLE),
        execution(5, "0001.01.01", request_id=fields[2], shares=4, ref=SINGLE),
        (59, 1, "0001.01.02", "1.0", "USD", "1.7976931348623157E308", "", ""),
        (55, 1, fields[2]),
    ]
    gateway.answers[61] = lambda _: [
        (61, 3, ACCOUNT, *CONTRACT, "5", "150.25"),
        (61, 3, "SIM0000009", *CONTRACT, "7", "1"),
        (62, 1),
    ]
    gateway.answers[6] = lambda _: [
        (6, 2, "NetLiquidation", "100000.50", "USD", ACCOUNT),
        (6, 2, "RealizedPnL", "12.5", "BASE", ACCOUNT),
        (6, 2, "Cushion", "1", "", ACCOUNT),
        (54, 1, ACCOUNT),
    ]


async def test_a_snapshot_holds_orders_fills_positions_and_money(rig: Rig) -> None:
    answer_fully(rig.gateway)
    mark = len(rig.events)
    snapshot = await rig.broker.snapshot()
    ours, foreign = snapshot.open_orders
    assert (ours.order_id, ours.status) == (SINGLE, OrderStatus.PARTIALLY_FILLED)
    assert (ours.filled, ours.reported_filled) == (Decimal(5), Decimal(4))
    assert (ours.spec.group_id, ours.spec.broker_order_id, ours.perm_id) == (GROUP, 5, 905)
    assert (foreign.order_id, foreign.is_foreign) == ("foreign-42", True)
    assert foreign.spec.stop_price == Decimal("99.5")
    (fill,) = snapshot.fills
    assert (fill.fill_id, fill.revision, fill.quantity) == ("0001.01", 2, Decimal(5))
    assert (fill.commission, fill.realized_pnl) == (Decimal("1.0"), None)
    (position,) = snapshot.positions
    assert (position.quantity, position.average_cost) == (Decimal(5), Decimal("150.25"))
    assert snapshot.values is not None
    assert snapshot.values.net_liquidation == Decimal("100000.50")
    assert snapshot.values.realized_pnl == Decimal("12.5")
    await rig.settle()
    assert not [e for e in rig.events[mark:] if isinstance(e, ev.AcceptEvent | ev.FillEvent)]


async def test_what_a_snapshot_only_repeats_is_no_news(rig: Rig) -> None:
    await placed(rig)
    rig.gateway.answers[16] = lambda _: [
        open_order(5, ref=SINGLE),
        order_status(5, "Submitted"),
        (53, 1),
    ]
    mark = len(rig.events)
    await rig.broker.snapshot()
    await rig.settle()
    assert [e for e in rig.events[mark:] if isinstance(e, ev.OrderEvent)] == []
    rig.gateway.answers[16] = lambda _: [
        open_order(5, ref=SINGLE, limit="151.0"),
        order_status(5, "Submitted", filled=2),
        (53, 1),
    ]
    await rig.broker.snapshot()
    await rig.until(ev.StatusEvent, lambda event: event.filled == 2)
    kinds = [type(e) for e in rig.events[mark:] if isinstance(e, ev.OrderEvent)]
    assert kinds == [ev.AcceptEvent, ev.StatusEvent]


async def test_an_order_adopted_from_a_snapshot_can_be_changed_and_cancelled(rig: Rig) -> None:
    rig.gateway.answers[16] = lambda _: [open_order(5, ref=SINGLE, parent=0), (53, 1)]
    await rig.broker.snapshot()
    await rig.broker.send(approved(ModifyOrder(order_id=SINGLE, quantity=Decimal(20))))
    assert field(await rig.gateway.heard(3), "quantity") == "20"
    await rig.broker.send(approved(CancelOrder(order_id=SINGLE)))
    assert (await rig.gateway.heard(4))[2] == "5"


async def test_positions_are_asked_again_if_something_executes_meanwhile(rig: Rig) -> None:
    held = ["0"]

    def positions(_: list[str]) -> list[tuple[object, ...]]:
        if rig.gateway.count(61) == 1:
            return [
                (61, 3, ACCOUNT, *CONTRACT, held[0], "0"),
                (62, 1),
                execution(5, "0002.01.01", ref=SINGLE),
            ]
        return [(61, 3, ACCOUNT, *CONTRACT, "10", "150.25"), (62, 1)]

    rig.gateway.answers[61] = positions
    rig.gateway.answers[6] = lambda _: [(54, 1, ACCOUNT)]
    snapshot = await rig.broker.snapshot()
    assert [p.quantity for p in snapshot.positions] == [Decimal(10)]
    assert [f.fill_id for f in snapshot.fills] == ["0002.01"]
    assert (await rig.until(ev.FillEvent)).fill.fill_id == "0002.01"


async def test_a_position_is_news_though_the_snapshot_it_came_into_never_ends(rig: Rig) -> None:
    """The broker's last word on what is held must be as good as if nobody had asked."""
    rig.gateway.answers[61] = lambda _: [
        (61, 3, "SIM0000009", *CONTRACT, "7", "1"),
        (61, 3, ACCOUNT, *CONTRACT, "2", "150.25"),
        (61, 3, ACCOUNT, *CONTRACT, "0", "0"),
    ]
    with pytest.raises(BrokerUnavailable, match="positionEnd is missing"):
        await rig.broker.snapshot()
    await rig.until(ev.PositionReportEvent, lambda event: event.position.quantity == 0)
    told = [e.position for e in rig.events if isinstance(e, ev.PositionReportEvent)]
    assert [(one.account, one.quantity) for one in told] == [
        (ACCOUNT, Decimal(2)),
        (ACCOUNT, Decimal(0)),
    ]


async def test_a_snapshot_fails_if_a_part_of_it_cannot_be_read(rig: Rig) -> None:
    rig.gateway.answers[7] = lambda fields: [(11, fields[2], 5, "truncated"), (55, 1, fields[2])]
    with pytest.raises(BrokerUnavailable, match="could not be read"):
        await rig.broker.snapshot()


async def test_a_snapshot_fails_if_an_open_order_cannot_be_read(rig: Rig) -> None:
    rig.gateway.answers[16] = lambda _: [open_order(5)[:60], (53, 1)]
    with pytest.raises(BrokerUnavailable, match="could not be read"):
        await rig.broker.snapshot()


async def test_a_snapshot_fails_if_the_link_is_lost(rig: Rig) -> None:
    def reset(_: list[str]) -> list[tuple[object, ...]]:
        rig.gateway.reset()
        return []

    rig.gateway.answers[61] = reset
    with pytest.raises(BrokerUnavailable):
        await rig.broker.snapshot()


async def test_a_refused_question_is_a_typed_failure(rig: Rig) -> None:
    rig.gateway.answers[7] = lambda fields: [(4, 2, fields[2], 321, "Error validating request", "")]
    with pytest.raises(RequestFailed, match="321") as caught:
        await rig.broker.snapshot()
    assert caught.value.code == 321


async def test_two_live_orders_of_one_reference_are_two(rig: Rig) -> None:
    rig.gateway.answers[16] = lambda _: [
        open_order(5, ref=SINGLE),
        order_status(5, "Submitted"),
        open_order(8, ref=SINGLE),
        order_status(8, "Submitted", filled=3),
        (53, 1),
    ]
    snapshot = await rig.broker.snapshot()
    assert [order.perm_id for order in snapshot.open_orders] == [905, 908]
    assert [int(order.reported_filled) for order in snapshot.open_orders] == [0, 3]


async def test_orders_of_another_account_are_not_ours_to_count(rig: Rig) -> None:
    other = open_order(6, ref="somebody else", client_id=9, perm_id=42)
    row = tuple("SIM0000009" if part == ACCOUNT else part for part in other)
    rig.gateway.answers[16] = lambda _: [open_order(5, ref=SINGLE), row, (53, 1)]
    snapshot = await rig.broker.snapshot()
    assert [order.order_id for order in snapshot.open_orders] == [SINGLE]
