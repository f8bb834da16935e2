"""Official clients: the conversation itself, from the handshake to the last request they know."""

from __future__ import annotations

from pathlib import Path

import pytest

from ibkr_trader.sim.gateway.background import GatewayInfo, start_background, stop
from tests.clients.conftest import Connect
from tests.clients.desk import AAPL, Desk, Fields, official

pytestmark = pytest.mark.clients

IT = {"$Contract": AAPL}
APPLE_ID = 265598
UNKNOWN_MESSAGE = 505
MORNING = "$MORNING"  # a moment of the gateway's own day, before it opened
SCAN = {
    "$ScannerSubscription": {
        "instrument": "STK",
        "locationCode": "STK.US.MAJOR",
        "scanCode": "TOP_PERC_GAIN",
    }
}


def test_the_gateway_speaks_the_version_that_the_client_knows(desk: Desk) -> None:
    connected = desk.driver.told("$connected")[0]
    assert connected["version"] == desk.release.version
    assert desk.next_id == 1
    [accounts] = desk.driver.told("managedAccounts")
    assert accounts["accountsList"].startswith("SIM")
    for code in (2104, 2106, 2158):
        desk.expect("error", reqId=-1, errorCode=code)


def test_a_client_id_is_for_one_client_at_a_time(
    desk: Desk, gateway: GatewayInfo, home: Path
) -> None:
    second = official(desk.release, gateway.port, home=home, client_id=desk.client_id)
    second.expect("error", reqId=-1, errorCode=326)
    second.expect("connectionClosed")
    assert second.close() == 0
    assert not second.faults
    desk.call("reqCurrentTime")
    desk.expect("currentTime")


def test_ids_go_on_where_the_client_left_off(connect: Connect) -> None:
    first = connect(client_id=5)
    order_id = first.place(AAPL, 41, action="BUY", totalQuantity=1, orderType="LMT", lmtPrice=100)
    first.expect("orderStatus", orderId=order_id, status="Submitted")
    first.driver.close()
    again = connect(client_id=5)
    assert again.next_id > order_id
    again.call("reqIds", 1)
    again.expect("nextValidId", orderId=again.next_id)


def test_orders_and_ids_outlive_a_restart_of_the_gateway(
    desk: Desk, connect: Connect, gateway: GatewayInfo, gateway_folder: Path
) -> None:
    order: Fields = {
        "action": "BUY",
        "totalQuantity": 1,
        "orderType": "LMT",
        "lmtPrice": 100,
        "tif": "GTC",
    }
    order_id = desk.place(AAPL, **order)
    shown = desk.expect("openOrder", orderId=order_id, orderState={"status": "Submitted"})
    assert stop(gateway_folder)
    desk.expect("connectionClosed")
    again = connect(client_id=1, port=start_background(state_dir=gateway_folder).port)
    assert again.next_id > order_id
    again.call("reqOpenOrders")
    again.expect("openOrder", orderId=order_id, order={"permId": shown["order"]["permId"]})
    again.cancel(order_id)
    again.expect("orderStatus", orderId=order_id, status="Cancelled")


# What a client asks, the callback that answers, and what that must hold; a code is a refusal.
Asked = tuple[str, list[object], str, Fields]
ASKED: list[Asked] = [
    ("reqCurrentTime", [], "currentTime", {}),
    ("reqManagedAccts", [], "managedAccounts", {"accountsList": "SIM0000001"}),
    ("reqMatchingSymbols", [101, "AAP"], "symbolSamples", {"reqId": 101}),
    ("reqMarketRule", [26], "marketRule", {"marketRuleId": 26}),
    (
        "reqSecDefOptParams",
        [102, "AAPL", "", "STK", APPLE_ID],
        "securityDefinitionOptionParameterEnd",
        {"reqId": 102},
    ),
    ("reqMktDepthExchanges", [], "mktDepthExchanges", {}),
    ("reqSmartComponents", [103, "SIM"], "smartComponents", {"reqId": 103}),
    ("reqHeadTimeStamp", [104, IT, "TRADES", 1, 1], "headTimestamp", {"reqId": 104}),
    ("reqHistogramData", [105, IT, True, "1 day"], "histogramData", {"reqId": 105}),
    (
        "reqHistoricalTicks",
        [106, IT, "", MORNING, 10, "TRADES", 1, True, []],
        "historicalTicksLast",
        {"reqId": 106, "done": True},
    ),
    (
        "reqHistoricalTicks",
        [107, IT, "", MORNING, 10, "BID_ASK", 1, True, []],
        "historicalTicksBidAsk",
        {"reqId": 107, "done": True},
    ),
    ("reqTickByTickData", [108, IT, "BidAsk", 1, True], "tickByTickBidAsk", {"reqId": 108}),
    ("cancelTickByTickData", [108], "", {}),
    ("reqMktDepth", [109, IT, 5, True, []], "updateMktDepthL2", {"reqId": 109}),
    ("cancelMktDepth", [109, True], "", {}),
    ("reqPnL", [110, "SIM0000001", ""], "pnl", {"reqId": 110}),
    ("cancelPnL", [110], "", {}),
    ("reqPnLSingle", [111, "SIM0000001", "", APPLE_ID], "pnlSingle", {"reqId": 111}),
    ("cancelPnLSingle", [111], "", {}),
    ("reqPositionsMulti", [112, "SIM0000001", ""], "positionMultiEnd", {"reqId": 112}),
    (
        "reqAccountUpdatesMulti",
        [113, "SIM0000001", "", False],
        "accountUpdateMultiEnd",
        {"reqId": 113},
    ),
    ("reqAccountUpdates", [True, ""], "accountDownloadEnd", {"accountName": "SIM0000001"}),
    ("reqAccountUpdates", [False, ""], "", {}),
    ("reqFamilyCodes", [], "familyCodes", {}),
    ("reqSoftDollarTiers", [114], "softDollarTiers", {"reqId": 114}),
    ("requestFA", [1], "error", {"reqId": -1, "errorCode": 321}),
    ("reqNewsProviders", [], "newsProviders", {}),
    (
        "reqHistoricalNews",
        [115, APPLE_ID, "SIM", "", "", 5, []],
        "error",
        {"reqId": 115, "errorCode": 10276},
    ),
    ("reqNewsArticle", [116, "SIM", "SIM$1", []], "error", {"reqId": 116, "errorCode": 10172}),
    ("reqScannerParameters", [], "scannerParameters", {}),
    (
        "calculateImpliedVolatility",
        [117, IT, 1.5, 150.0, []],
        "error",
        {"reqId": 117, "errorCode": 321},
    ),
    ("reqAutoOpenOrders", [True], "error", {"errorCode": 321}),
    ("setServerLogLevel", [2], "", {}),
    ("reqNewsBulletins", [True], "", {}),
    ("cancelNewsBulletins", [], "", {}),
    ("cancelHistoricalData", [998], "error", {"reqId": 998, "errorCode": 366}),
    ("cancelMktData", [999], "error", {"reqId": 999, "errorCode": 300}),
    ("queryDisplayGroups", [120], "error", {"reqId": 120, "errorCode": 321}),
    ("calculateOptionPrice", [121, IT, 0.3, 150.0, []], "error", {"reqId": 121, "errorCode": 321}),
    ("reqScannerSubscription", [122, SCAN, [], []], "scannerDataEnd", {"reqId": 122}),
    ("cancelScannerSubscription", [122], "", {}),
]
ONLY_157: list[Asked] = [
    ("reqFundamentalData", [118, IT, "ReportSnapshot", []], "error", {"errorCode": 430}),
    (
        "exerciseOptions",
        [123, IT, 1, 1, "SIM0000001", 0],
        "error",
        {"reqId": 123, "errorCode": 321},
    ),
]
ONLY_178: list[Asked] = [
    ("reqUserInfo", [119], "userInfo", {"reqId": 119}),
    ("reqWshMetaData", [124], "error", {"reqId": 124, "errorCode": 10279}),
    (
        "exerciseOptions",
        [123, IT, 1, 1, "SIM0000001", 0, "", "", False],
        "error",
        {"reqId": 123, "errorCode": 321},
    ),
    (
        "reqHistoricalData",
        [125, IT, "", "1 W", "1 day", "SCHEDULE", 1, 1, False, []],
        "historicalSchedule",
        {"reqId": 125},
    ),
]


def test_nothing_is_ignored_in_silence(desk: Desk) -> None:
    """Every request is answered or refused, and the one after it is answered too."""
    own = ONLY_157 if desk.release.version == 157 else ONLY_178
    day = desk.driver.told("$connected")[0]["time"].split()[0]
    for call, args, event, content in ASKED + own:
        desk.call(call, *(f"{day} 09:45:00 US/Eastern" if a == MORNING else a for a in args))
        if event:
            desk.expect(event, **content)
    desk.call("reqCurrentTime")
    desk.expect("currentTime")
    assert UNKNOWN_MESSAGE not in {e["errorCode"] for e in desk.driver.told("error")}
