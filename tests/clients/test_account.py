"""Official clients: what an account holds, what it did, and what became of its orders."""

from __future__ import annotations

import pytest

from tests.clients.conftest import Connect
from tests.clients.desk import AAPL, Desk, Fields

pytestmark = pytest.mark.clients

ACCOUNT = "SIM0000001"
MARKET: Fields = {"action": "BUY", "totalQuantity": 10, "orderType": "MKT", "tif": "DAY"}
RESTING: Fields = {
    "action": "BUY",
    "totalQuantity": 5,
    "orderType": "LMT",
    "lmtPrice": 100,
    "tif": "DAY",
}


def bought(desk: Desk, symbol: str = "AAPL") -> Fields:
    """Buy ten at the market; return the execution, once its commission is known."""
    order_id = desk.place(AAPL | {"symbol": symbol}, **MARKET)
    told = desk.expect("execDetails", reqId=-1, execution={"orderId": order_id})
    fill: Fields = told["execution"]
    desk.charged(fill["execId"])
    return fill


def test_executions_are_told_with_their_commissions(desk: Desk) -> None:
    apple, microsoft = bought(desk), bought(desk, "MSFT")
    heard = len(desk.driver.heard)
    desk.call("reqExecutions", 21, {"$ExecutionFilter": {}})
    for fill in (apple, microsoft):
        desk.expect("execDetails", reqId=21, execution={"execId": fill["execId"]})
        assert desk.charged(fill["execId"])[desk.release.fee] == 1.0
    desk.expect("execDetailsEnd", reqId=21)
    assert len(desk.driver.told("execDetails", since=heard)) == 2
    heard = len(desk.driver.heard)
    desk.call("reqExecutions", 22, {"$ExecutionFilter": {"symbol": "MSFT"}})
    desk.expect("execDetailsEnd", reqId=22)
    [only] = desk.driver.told("execDetails", since=heard)
    assert only["execution"]["execId"] == microsoft["execId"]
    desk.call("reqExecutions", 23, {"$ExecutionFilter": {"clientId": 77}})
    desk.expect("execDetailsEnd", reqId=23)


def test_positions_are_told_and_followed(desk: Desk) -> None:
    desk.call("reqPositions")
    desk.expect("positionEnd")
    assert not desk.driver.told("position")
    fill = bought(desk)
    held = desk.expect("position", account=ACCOUNT, contract={"symbol": "AAPL"}, position=10)
    assert held["contract"]["conId"] == 265598
    assert held["avgCost"] == pytest.approx(fill["price"] + 0.1, abs=0.001)
    desk.place(AAPL, **(MARKET | {"action": "SELL"}))
    desk.expect("position", contract={"symbol": "AAPL"}, position=0)


def test_a_summary_has_what_was_asked_for(desk: Desk) -> None:
    tags = "AccountType,NetLiquidation,TotalCashValue,BuyingPower,InitMarginReq,MaintMarginReq"
    desk.call("reqAccountSummary", 31, "All", tags)
    desk.expect("accountSummaryEnd", reqId=31)
    rows = {row["tag"]: row for row in desk.driver.told("accountSummary")}
    assert set(rows) == set(tags.split(","))
    assert {row["account"] for row in rows.values()} == {ACCOUNT}
    assert float(rows["NetLiquidation"]["value"]) == 1000000
    assert rows["NetLiquidation"]["currency"] == "USD"
    desk.call("cancelAccountSummary", 31)


def test_account_updates_tell_cash_and_portfolio(desk: Desk) -> None:
    fill = bought(desk)
    desk.call("reqAccountUpdates", True, ACCOUNT)
    desk.expect("accountDownloadEnd", accountName=ACCOUNT)
    [held] = desk.driver.told("updatePortfolio")
    assert held["contract"]["symbol"] == "AAPL"
    assert float(held["position"]) == 10
    assert held["accountName"] == ACCOUNT
    values = {(v["key"], v["currency"]): v["val"] for v in desk.driver.told("updateAccountValue")}
    paid = fill["price"] * 10 + 1
    assert float(values["TotalCashValue", "USD"]) == pytest.approx(1000000 - paid, abs=0.011)
    desk.call("reqAccountUpdates", False, ACCOUNT)


def test_completed_orders_tell_how_each_ended(desk: Desk) -> None:
    fill = bought(desk)
    order_id = desk.place(AAPL, **RESTING)
    resting = desk.expect("openOrder", orderId=order_id, orderState={"status": "Submitted"})
    desk.cancel(order_id)
    desk.expect("error", reqId=order_id, errorCode=202)
    desk.call("reqCompletedOrders", False)
    desk.expect("completedOrdersEnd")
    ended = {e["order"]["permId"]: e for e in desk.driver.told("completedOrder")}
    assert set(ended) == {fill["permId"], resting["order"]["permId"]}
    filled, cancelled = ended[fill["permId"]], ended[resting["order"]["permId"]]
    assert filled["orderState"]["status"] == "Filled"
    assert filled["orderState"]["completedStatus"] == "Filled Size: 10"
    assert float(filled["order"]["filledQuantity"]) == 10
    assert cancelled["orderState"]["status"] == "Cancelled"
    assert cancelled["order"]["lmtPrice"] == 100


def test_what_one_client_did_the_next_one_finds(connect: Connect) -> None:
    first = connect(client_id=1)
    fill = bought(first)
    first.place(AAPL, **RESTING)
    first.expect("orderStatus", status="Submitted")
    first.driver.close()
    second = connect(client_id=2)
    second.call("reqExecutions", 41, {"$ExecutionFilter": {}})
    found = second.expect("execDetails", execution={"execId": fill["execId"]})["execution"]
    assert (found["clientId"], found["permId"]) == (1, fill["permId"])
    second.expect("execDetailsEnd")
    second.call("reqPositions")
    second.expect("position", contract={"symbol": "AAPL"}, position=10)
    second.call("reqAllOpenOrders")
    second.expect("openOrder", order={"clientId": 1, "lmtPrice": 100})
