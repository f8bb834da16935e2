"""Official clients: contracts, quotes and bars."""

from __future__ import annotations

import pytest

from tests.clients.desk import AAPL, Desk

pytestmark = pytest.mark.clients

BID, ASK, LAST = 1, 2, 4
NO_SUCH_STOCK = AAPL | {"symbol": "ZZZZ"}


def test_a_stock_is_qualified(desk: Desk) -> None:
    desk.call("reqContractDetails", 7, {"$Contract": AAPL})
    found = desk.expect("contractDetails", reqId=7)["contractDetails"]
    assert found["contract"]["conId"] == 265598
    assert found["contract"]["primaryExchange"] == "NASDAQ"
    assert found["longName"] == "APPLE INC"
    assert found["minTick"] == 0.01
    assert found["timeZoneId"] == "US/Eastern"
    assert "SMART" in found["validExchanges"].split(",")
    assert len(found["marketRuleIds"].split(",")) == len(found["validExchanges"].split(","))
    assert found["tradingHours"].startswith("20")
    desk.expect("contractDetailsEnd", reqId=7)
    desk.call("reqContractDetails", 8, {"$Contract": {"conId": 265598}})
    desk.expect("contractDetails", contractDetails={"contract": {"symbol": "AAPL"}})


def test_an_unknown_stock_is_200_and_no_end(desk: Desk) -> None:
    desk.call("reqContractDetails", 7, {"$Contract": NO_SUCH_STOCK})
    refused = desk.expect("error", reqId=7, errorCode=200)
    assert refused["errorString"] == "No security definition has been found for the request"
    desk.call("reqCurrentTime")
    desk.expect("currentTime")
    assert not desk.driver.told("contractDetailsEnd")
    desk.call("reqMktData", 8, {"$Contract": NO_SUCH_STOCK}, "", False, False, [])
    desk.expect("error", reqId=8, errorCode=200)


def test_a_snapshot_has_both_sides_and_an_end(desk: Desk) -> None:
    desk.call("reqMktData", 9, {"$Contract": AAPL}, "", True, False, [])
    desk.expect("marketDataType", reqId=9, marketDataType=1)
    desk.expect("tickSnapshotEnd", reqId=9)
    prices = {tick["tickType"]: tick["price"] for tick in desk.driver.told("tickPrice")}
    assert 140 < prices[BID] < prices[ASK] < 160
    assert prices[BID] <= prices[LAST] <= prices[ASK]
    sizes = [tick["size"] for tick in desk.driver.told("tickSize")]
    assert all(float(size) >= 0 for size in sizes)


def test_quotes_stream_until_they_are_cancelled(desk: Desk) -> None:
    desk.call("reqMktData", 9, {"$Contract": AAPL}, "", False, False, [])
    for _ in range(3):
        desk.expect("tickPrice", reqId=9)
    first = len(desk.driver.told("tickPrice")) + len(desk.driver.told("tickSize"))
    desk.expect("tickString", reqId=9)
    desk.expect("tickSize", reqId=9)  # the market moved
    assert len(desk.driver.told("tickPrice")) + len(desk.driver.told("tickSize")) > first
    desk.call("cancelMktData", 9)
    desk.call("cancelMktData", 9)
    desk.expect("error", reqId=9, errorCode=300)


def test_bars_of_a_day(desk: Desk) -> None:
    request = [{"$Contract": AAPL}, "", "2 D", "30 mins", "TRADES", 1, 1, False, []]
    desk.call("reqHistoricalData", 11, *request)
    desk.expect("historicalDataEnd", reqId=11)
    bars = [told["bar"] for told in desk.driver.told("historicalData")]
    assert len(bars) > 13, "a whole day and the begun one"
    for bar in bars:
        assert bar["low"] <= min(bar["open"], bar["close"])
        assert bar["high"] >= max(bar["open"], bar["close"])
        assert bar["low"] <= float(bar[desk.release.average]) <= bar["high"]
        assert float(bar["volume"]) > 0
    dates = [bar["date"] for bar in bars]
    assert dates == sorted(dates)
    zoned = desk.release.version >= 174
    assert all(date.endswith(" US/Eastern") == zoned for date in dates)


def test_bars_of_an_unknown_stock_are_refused(desk: Desk) -> None:
    request = [{"$Contract": NO_SUCH_STOCK}, "", "1 D", "1 hour", "TRADES", 1, 1, False, []]
    desk.call("reqHistoricalData", 12, *request)
    desk.expect("error", reqId=12, errorCode=200)


def test_real_time_bars_come_every_five_seconds(desk: Desk) -> None:
    desk.call("reqRealTimeBars", 13, {"$Contract": AAPL}, 5, "TRADES", 1, [])
    bar = desk.expect("realtimeBar", reqId=13)
    assert bar["time"] % 5 == 0
    low, high = bar["low"], bar.get("high", bar.get("high_"))
    assert low <= bar["close"] <= high
    desk.call("cancelRealTimeBars", 13)
