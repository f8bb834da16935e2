"""Official clients: an order from its first message to its last, alone and in a bracket."""

from __future__ import annotations

from typing import Any

import pytest

from tests.clients.conftest import Connect
from tests.clients.desk import AAPL, Desk, Fields

pytestmark = pytest.mark.clients

UNSET = 1.7976931348623157e308
RESTING: Fields = {
    "action": "BUY",
    "totalQuantity": 10,
    "orderType": "LMT",
    "lmtPrice": 100,
    "tif": "DAY",
}
MARKET: Fields = {"action": "BUY", "totalQuantity": 10, "orderType": "MKT", "tif": "DAY"}
BRACKET_EXITS: list[Fields] = [
    {"orderType": "LMT", "lmtPrice": 170, "transmit": False},
    {"orderType": "STP", "auxPrice": 130, "transmit": True},
]


def bracket(desk: Desk, **entry: Any) -> list[int]:
    """Place an entry and two exits as TWS wants it; return the three ids."""
    parent = desk.place(AAPL, **{**MARKET, **entry, "transmit": False})
    exits = [
        desk.place(AAPL, action="SELL", totalQuantity=10, tif="DAY", parentId=parent, **leg)
        for leg in BRACKET_EXITS
    ]
    return [parent, *exits]


def statuses(desk: Desk, order_id: int) -> list[str]:
    """Return every status that an order was told to have, repeats left out."""
    seen = [e["status"] for e in desk.driver.told("orderStatus") if e["orderId"] == order_id]
    return [s for i, s in enumerate(seen) if i == 0 or s != seen[i - 1]]


def test_a_resting_limit_is_placed_modified_and_cancelled(desk: Desk) -> None:
    order_id = desk.place(AAPL, **RESTING, orderRef="mine:1")
    shown = desk.expect("openOrder", orderId=order_id, orderState={"status": "Submitted"})
    assert shown["contract"]["conId"] == 265598
    assert shown["order"]["orderRef"] == "mine:1"
    assert shown["order"]["clientId"] == desk.client_id
    desk.expect("orderStatus", orderId=order_id, status="Submitted", filled=0, remaining=10)
    perm_id = shown["order"]["permId"]
    desk.place(AAPL, order_id, **(RESTING | {"totalQuantity": 12, "lmtPrice": 101.5}))
    changed = desk.expect("openOrder", orderId=order_id, order={"lmtPrice": 101.5})
    assert float(changed["order"]["totalQuantity"]) == 12
    assert changed["order"]["permId"] == perm_id
    desk.expect("orderStatus", orderId=order_id, status="Submitted", remaining=12, permId=perm_id)
    desk.cancel(order_id)
    desk.expect("orderStatus", orderId=order_id, status="Cancelled", filled=0)
    desk.expect("error", reqId=order_id, errorCode=202)
    assert statuses(desk, order_id) == ["PreSubmitted", "Submitted", "PendingCancel", "Cancelled"]
    assert not desk.driver.told("execDetails")


def test_a_market_order_fills_and_every_message_tells_it(desk: Desk) -> None:
    order_id = desk.place(AAPL, **MARKET, orderRef="mine:2")
    desk.expect("openOrder", orderId=order_id)
    filled = desk.expect("execDetails", reqId=-1, execution={"orderId": order_id})["execution"]
    assert filled["side"] == "BOT"
    assert float(filled["shares"]) == 10
    assert 140 < filled["price"] < 160
    assert filled["acctNumber"] == "SIM0000001"
    assert filled["orderRef"] == "mine:2"
    desk.expect("openOrder", orderId=order_id, orderState={"status": "Filled"})
    done = desk.expect("orderStatus", orderId=order_id, status="Filled", filled=10, remaining=0)
    assert done["avgFillPrice"] == filled["price"]
    assert done["permId"] == filled["permId"]
    charge = desk.charged(filled["execId"])
    assert charge[desk.release.fee] == 1.0
    assert charge["currency"] == "USD"
    assert charge["realizedPNL"] == UNSET, "an opening trade realizes nothing"


def test_a_closing_trade_tells_what_it_made(desk: Desk) -> None:
    bought, sold = (
        desk.expect("execDetails", execution={"orderId": order_id})["execution"]
        for order_id in (desk.place(AAPL, **(MARKET | {"action": a})) for a in ("BUY", "SELL"))
    )
    made = (sold["price"] - bought["price"]) * 10 - 2
    assert desk.charged(sold["execId"])["realizedPNL"] == pytest.approx(made, abs=0.011)


def test_a_large_order_fills_in_parts_that_add_up(desk: Desk) -> None:
    order_id = desk.place(AAPL, **(MARKET | {"totalQuantity": 2500}))
    desk.expect("orderStatus", orderId=order_id, status="Filled", filled=2500, remaining=0)
    fills = [told["execution"] for told in desk.driver.told("execDetails")]
    assert len(fills) > 1
    assert sum(float(fill["shares"]) for fill in fills) == 2500
    assert len({fill["execId"] for fill in fills}) == len(fills)
    assert [float(f["cumQty"]) for f in fills] == sorted(float(f["cumQty"]) for f in fills)
    partial = [e for e in desk.driver.told("orderStatus") if 0 < float(e["filled"]) < 2500]
    assert partial
    assert all(e["status"] == "Submitted" for e in partial)
    assert all(float(e["filled"]) + float(e["remaining"]) == 2500 for e in partial)


def test_a_bracket_waits_for_its_last_leg_then_protects_the_position(desk: Desk) -> None:
    parent = desk.place(AAPL, **MARKET, transmit=False)
    desk.call("reqCurrentTime")
    desk.expect("currentTime")
    assert not desk.driver.told("openOrder"), "nothing is said before the last leg"
    assert not desk.driver.told("orderStatus")
    profit, stop = (
        desk.place(AAPL, action="SELL", totalQuantity=10, tif="DAY", parentId=parent, **leg)
        for leg in BRACKET_EXITS
    )
    desk.expect("orderStatus", orderId=parent, status="Filled", filled=10)
    desk.call("reqOpenOrders")
    desk.expect("openOrderEnd")
    assert statuses(desk, profit) == ["PreSubmitted", "Submitted"]
    assert statuses(desk, stop) == ["PreSubmitted"]
    last = desk.driver.told("orderStatus")[-2:]
    assert [(e["orderId"], e["whyHeld"], e["parentId"]) for e in last] == [
        (profit, "", parent),
        (stop, "trigger", parent),
    ]


def test_one_exit_cancels_the_other(desk: Desk) -> None:
    parent, profit, stop = bracket(desk)
    desk.expect("orderStatus", orderId=parent, status="Filled")
    desk.expect("orderStatus", orderId=profit, status="Submitted")
    change = {"action": "SELL", "totalQuantity": 10, "orderType": "LMT", "tif": "DAY"}
    desk.place(AAPL, profit, **change, lmtPrice=120, parentId=parent)
    desk.expect("execDetails", execution={"orderId": profit, "side": "SLD"})
    desk.expect("orderStatus", orderId=stop, status="Cancelled")
    assert statuses(desk, profit)[-1] == "Filled"


def test_cancelling_the_entry_cancels_its_exits(desk: Desk) -> None:
    parent, profit, stop = bracket(desk, orderType="LMT", lmtPrice=100)
    desk.expect("orderStatus", orderId=profit, status="PreSubmitted", whyHeld="child")
    desk.expect("orderStatus", orderId=stop, status="PreSubmitted", whyHeld="child,trigger")
    desk.expect("orderStatus", orderId=parent, status="Submitted")
    desk.cancel(parent)
    desk.expect("orderStatus", orderId=parent, status="Cancelled")
    for leg in (profit, stop):
        desk.expect("error", reqId=leg, errorCode=202)
        assert statuses(desk, leg)[-1] == "Cancelled"


def test_a_global_cancel_takes_every_order(desk: Desk) -> None:
    ids = [desk.place(AAPL, **(RESTING | {"lmtPrice": 100 + n})) for n in range(3)]
    for order_id in ids:
        desk.expect("orderStatus", orderId=order_id, status="Submitted")
    desk.cancel_all()
    for order_id in ids:
        desk.expect("orderStatus", orderId=order_id, status="Cancelled")
        desk.expect("error", reqId=order_id, errorCode=202)
    heard = len(desk.driver.heard)
    desk.call("reqAllOpenOrders")
    desk.expect("openOrderEnd")
    assert not desk.driver.told("openOrder", since=heard)


def test_a_preview_shows_margins_and_places_nothing(desk: Desk) -> None:
    order_id = desk.place(AAPL, **MARKET, whatIf=True)
    state = desk.expect("openOrder", orderId=order_id, order={"whatIf": True})["orderState"]
    assert 0 < float(state["initMarginChange"]) < 1600
    assert 0 < float(state["maintMarginChange"]) <= float(state["initMarginChange"])
    before, after = float(state["initMarginBefore"]), float(state["initMarginAfter"])
    assert after - before == pytest.approx(float(state["initMarginChange"]))
    assert float(state["equityWithLoanBefore"]) == 1000000
    assert state[desk.release.fee] == 1.0
    desk.call("reqOpenOrders")
    desk.expect("openOrderEnd")
    assert not desk.driver.told("orderStatus")
    assert len(desk.driver.told("openOrder")) == 1
    assert not desk.driver.told("execDetails")


REFUSED: list[tuple[Fields, Fields, int]] = [
    ({"symbol": "ZZZZ"}, {}, 200),
    ({}, {"lmtPrice": 100.001}, 110),
    ({}, {"totalQuantity": 0}, 434),
    ({}, {"orderType": "NONSENSE"}, 321),
    ({}, {"orderType": "MIDPRICE"}, 387),
    ({}, {"action": "SELL", "totalQuantity": 20000, "lmtPrice": 151}, 201),
]


def test_what_cannot_be_placed_is_refused_with_its_code(desk: Desk) -> None:
    for contract, order, code in REFUSED:
        order_id = desk.place({**AAPL, **contract}, **{**RESTING, **order})
        desk.expect("error", reqId=order_id, errorCode=code)
    desk.call("reqAllOpenOrders")
    desk.expect("openOrderEnd")
    assert "Submitted" not in {e["status"] for e in desk.driver.told("orderStatus")}


def test_what_cannot_be_changed_or_cancelled_is_refused_with_its_code(desk: Desk) -> None:
    desk.cancel(4711)
    refused = desk.expect("error", reqId=4711, errorCode=10147)
    assert refused["errorString"] == "OrderId 4711 that needs to be cancelled is not found."
    order_id = desk.place(AAPL, **MARKET)
    desk.expect("orderStatus", orderId=order_id, status="Filled")
    desk.cancel(order_id)
    desk.expect("error", reqId=order_id, errorCode=10148)
    desk.place(AAPL, order_id, **RESTING)
    desk.expect("error", reqId=order_id, errorCode=104)
    assert statuses(desk, order_id)[-1] == "Filled"


def test_each_client_hears_of_its_own_orders_and_client_0_of_all(connect: Connect) -> None:
    owner, other, master = (connect(client_id=n) for n in (1, 2, 0))
    order_id = owner.place(AAPL, **RESTING)
    owner.expect("orderStatus", orderId=order_id, status="Submitted", clientId=1)
    master.expect("orderStatus", orderId=order_id, status="Submitted", clientId=1)
    other.call("reqOpenOrders")
    other.expect("openOrderEnd")
    assert not other.driver.told("openOrder")
    other.call("reqAllOpenOrders")
    other.expect("openOrder", orderId=order_id, order={"clientId": 1})
    other.expect("openOrderEnd")


def test_orders_stay_when_their_client_goes(connect: Connect) -> None:
    first = connect(client_id=3)
    order_id = first.place(AAPL, **RESTING)
    shown = first.expect("openOrder", orderId=order_id, orderState={"status": "Submitted"})
    first.driver.close()
    again = connect(client_id=3)
    again.call("reqOpenOrders")
    again.expect("openOrder", orderId=order_id, order={"permId": shown["order"]["permId"]})
    again.cancel(order_id)
    again.expect("orderStatus", orderId=order_id, status="Cancelled")
