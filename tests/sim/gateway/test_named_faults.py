"""What befalls orders and prices: taken for less, held, told Inactive, living twice."""

from __future__ import annotations

import pytest
from ib_insync import IB, LimitOrder, MarketOrder, StopOrder

from ibkr_trader.sim.floor_rules import Nap
from ibkr_trader.sim.gateway.acts import CannotDo
from ibkr_trader.sim.orders import SimOrder
from tests.sim.gateway.desk import (
    AAPL,
    AAPL_ID,
    EXEC,
    OPEN,
    PRICE,
    STATUS,
    Desk,
    Do,
    Message,
    codes,
    order,
    raw_messages,
    settle,
)


def statuses(messages: list[Message]) -> list[str]:
    return list(dict.fromkeys(fields[2] for fields in messages if fields[0] == STATUS))


def working(desk: Desk) -> list[SimOrder]:
    return list(desk.exchange.orders.working())


@pytest.mark.parametrize(
    ("fate", "told", "lives"),
    [("live", ["10349"], True), ("dead", ["10349", "202"], False)],
)
async def test_10349_is_a_note_or_the_end(
    desk: Desk, ib: IB, do: Do, fate: str, told: list[str], lives: bool
) -> None:
    do(f"10349 {fate}")
    said = raw_messages(ib)
    ib.placeOrder(AAPL, order(LimitOrder, 100))
    await settle(desk, ib)
    assert codes(said) == told
    assert bool(working(desk)) is lives
    assert statuses(said)[-1] == ("Submitted" if lives else "Cancelled")


async def test_a_cancel_that_waits_is_not_hurried(desk: Desk, ib: IB, do: Do) -> None:
    """Until then it is listed as pending, works, and is not hurried by being asked again."""
    do("cancel-ack-only-at-open")
    trade = ib.placeOrder(AAPL, order(LimitOrder, 100))
    await settle(desk, ib)
    said = raw_messages(ib)
    for _ in range(2):
        ib.cancelOrder(trade.order)
        await settle(desk, ib)
    desk.wait(3600)
    await settle(desk, ib)
    assert statuses(said) == ["PendingCancel"]
    assert codes(said) == []
    assert [t.orderStatus.status for t in await ib.reqOpenOrdersAsync()] == ["PendingCancel"]
    assert len(working(desk)) == 1
    desk.wait(4 * 24 * 3600)
    await settle(desk, ib)
    assert working(desk) == []
    assert statuses(said)[-1] == "Cancelled"


async def test_an_order_is_inactive_and_then_works(desk: Desk, ib: IB, do: Do) -> None:
    do("inactive-then-live 30 --order entry")
    said = raw_messages(ib)
    ib.placeOrder(AAPL, order(MarketOrder, ref="k7qav-2-other"))
    ib.placeOrder(AAPL, order(MarketOrder))
    await settle(desk, ib)
    assert statuses(said)[-1] == "Inactive"
    assert [o.terms.order_ref for o in working(desk)] == ["k7qav-1-entry"]
    assert [t.order.orderRef for t in await ib.reqOpenOrdersAsync()] == ["k7qav-1-entry"]
    desk.wait(29)
    assert len(working(desk)) == 1
    desk.wait(1)
    await settle(desk, ib)
    assert working(desk) == []
    assert [f[2] for f in said if f[0] == STATUS][-1] == "Filled"


async def test_a_stop_can_be_inactive_for_ever_and_be_cancelled(desk: Desk, ib: IB, do: Do) -> None:
    do("inactive-then-live never --order stop")
    stop = StopOrder("SELL", 10, 140, tif="GTC", orderRef="k7qav-1-stop")
    trade = ib.placeOrder(AAPL, stop)
    await settle(desk, ib)
    desk.quote("130.00", "130.02")
    assert len(working(desk)) == 1, "it does not trigger"
    stop.auxPrice = 139
    ib.placeOrder(AAPL, stop)
    await settle(desk, ib)
    assert len(working(desk)) == 1, "a change does not wake it"
    ib.cancelOrder(trade.order)
    await settle(desk, ib)
    assert working(desk) == []


async def test_a_short_sale_is_held(desk: Desk, do: Do) -> None:
    assert do("held LOCT 30").text == do("locate LOCT 30").text


async def test_an_order_lives_twice_under_one_name(desk: Desk, ib: IB, do: Do) -> None:
    ib.placeOrder(AAPL, order(LimitOrder, 100))
    await settle(desk, ib)
    said = raw_messages(ib)
    answer = do("two-permids entry")
    await settle(desk, ib)
    one, two = working(desk)
    assert one.terms.order_ref == two.terms.order_ref
    assert answer.data["perm_ids"] == [one.perm_id, two.perm_id]
    assert statuses(said) == [], "its client hears nothing"
    assert len(await ib.reqAllOpenOrdersAsync()) == 2, "and finds it"
    with pytest.raises(CannotDo, match="means several"):
        do("two-permids entry")


async def test_an_order_is_taken_for_less(desk: Desk, ib: IB, do: Do) -> None:
    do("resize-481 6")
    said = raw_messages(ib)
    ib.placeOrder(AAPL, order(LimitOrder, 100))
    await settle(desk, ib)
    assert codes(said) == ["481"]
    (taken,) = working(desk)
    assert taken.quantity == 6
    assert {f[f.index("LMT") - 1] for f in said if f[0] == OPEN} == {"6"}


@pytest.mark.parametrize(("how", "waits"), [("300", 300), ("never", 100_000)])
async def test_an_order_waits_behind_a_question(
    desk: Desk, ib: IB, do: Do, how: str, waits: int
) -> None:
    do(f"precaution-hold {how}")
    said = raw_messages(ib)
    trade = ib.placeOrder(AAPL, order(LimitOrder, 100))
    await settle(desk, ib)
    desk.wait(200)
    assert (working(desk), statuses(said)) == ([], [])
    ib.cancelOrder(trade.order)
    await settle(desk, ib)
    assert codes(said) == ["10147"], "nobody knows it"
    assert do("look").text.startswith("fault 1: hold_back placeOrder")
    if how == "never":
        desk.wait(waits)
        assert working(desk) == []
        do("lift 1")
    else:
        desk.wait(100)
    assert len(working(desk)) == 1


async def test_a_cancel_waits_for_the_opening(desk: Desk, ib: IB, do: Do) -> None:
    trade = ib.placeOrder(AAPL, order(LimitOrder, 100))
    await settle(desk, ib)
    said = raw_messages(ib)
    do("cancel-ack-only-at-open")
    ib.cancelOrder(trade.order)
    await settle(desk, ib)
    assert statuses(said) == ["PendingCancel"]
    desk.wait(2 * 86400)  # a Friday's cancel; on Sunday nothing opens
    assert len(working(desk)) == 1
    desk.wait(86400)
    await settle(desk, ib)
    assert working(desk) == []
    assert statuses(said)[-1] == "Cancelled"


async def test_who_asks_once_more_for_what_has_filled_meanwhile_is_told(
    desk: Desk, ib: IB, do: Do
) -> None:
    trade = ib.placeOrder(AAPL, order(LimitOrder, 100))
    await settle(desk, ib)
    do("cancel-ack-only-at-open")
    ib.cancelOrder(trade.order)
    await settle(desk, ib)
    do(f"trade {trade.order.permId}")
    await settle(desk, ib)
    said = raw_messages(ib)
    ib.client.cancelOrder(trade.order.orderId)
    await settle(desk, ib)
    assert codes(said) == ["10148"], "it is over: nothing waits for the opening"


async def test_a_correction_is_told_before_its_execution(desk: Desk, ib: IB, do: Do) -> None:
    do("exec-correction-first")
    said = raw_messages(ib)
    ib.placeOrder(AAPL, order(MarketOrder))
    await settle(desk, ib)
    (execution,) = desk.exchange.orders.executions()
    do(f"correct {execution.exec_id} --quantity 7")
    await settle(desk, ib)
    told = [next(f for f in m if f.count(".") == 3) for m in said if m[0] == EXEC]
    assert [name[-2:] for name in told] == ["02", "01"]


@pytest.mark.parametrize(
    ("words", "kinds", "price"),
    [
        ("bad-tick bid-ask -1", {"1", "2"}, "-1"),
        ("bad-tick last nan", {"4"}, "NaN"),
        ("bad-tick bid 1500", {"1"}, "1500"),
    ],
)
async def test_prices_are_told_wrong(
    desk: Desk, ib: IB, do: Do, words: str, kinds: set[str], price: str
) -> None:
    do(words)
    said = raw_messages(ib)
    ib.reqMktData(AAPL)
    await settle(desk, ib)
    ticks = {fields[3]: fields[4] for fields in said if fields[0] == PRICE}
    assert {kind for kind, told in ticks.items() if told == price} == kinds
    assert len(ticks) > len(kinds)
    said.clear()
    do("lift")
    desk.quote("151.00", "151.02")
    await settle(desk, ib)
    assert {fields[4] for fields in said if fields[0] == PRICE} >= {"151", "151.02"}


async def test_a_band_cancels_what_is_far_through_the_market(desk: Desk, ib: IB, do: Do) -> None:
    assert do("band 5").text == "a band of 5 %"
    said = raw_messages(ib)
    ib.placeOrder(AAPL, order(LimitOrder, 200))
    await settle(desk, ib)
    assert "202" in codes(said)
    assert do("band off").text == "no band"


async def test_a_limit_pauses_trading_for_a_while(desk: Desk, do: Do) -> None:
    do("luld AAPL 5m")
    assert desk.exchange.market.tape(AAPL_ID).halted
    desk.wait(299)
    assert desk.exchange.market.tape(AAPL_ID).halted
    desk.wait(1)
    assert not desk.exchange.market.tape(AAPL_ID).halted


async def test_an_acknowledgement_is_lost_and_the_order_works(desk: Desk, ib: IB, do: Do) -> None:
    do("accept-no-ack")
    said = raw_messages(ib)
    ib.placeOrder(AAPL, order(LimitOrder, 100))
    await settle(desk, ib)
    assert statuses(said) == []
    assert len(working(desk)) == 1


async def test_a_nap_is_a_second_at_least(desk: Desk) -> None:
    now = desk.server.engine.floor.now
    with pytest.raises(ValueError, match="a second at least"):
        desk.exchange.tws_acts.put_to_sleep(Nap(seconds=0), now=now)
