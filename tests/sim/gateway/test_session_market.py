"""Quotes, bars and contracts through a real socket and the real ib_insync."""

import asyncio

import pytest
from ib_insync import IB, Contract, Forex, Option, ScannerSubscription, Stock
from ib_insync.wrapper import RequestError

from tests.sim.gateway.desk import AAPL, ACCOUNT, OPENED, Desk, raw_messages


async def settled(ib: IB) -> None:
    await ib.reqCurrentTimeAsync()


async def test_contract_details(ib: IB) -> None:
    [details] = await ib.reqContractDetailsAsync(Stock("AAPL", "SMART", "USD"))
    assert details.contract is not None
    assert details.contract.conId == AAPL.conId
    assert details.longName.startswith("APPLE")
    assert details.minTick == 0.01
    assert len(details.validExchanges.split(",")) == len(details.marketRuleIds.split(","))
    assert details.timeZoneId == "US/Eastern"
    [today, *_] = details.liquidSessions()
    assert today.start.astimezone(OPENED.tzinfo).strftime("%Y%m%d %H%M") == "20261120 1430"
    rule = await ib.reqMarketRuleAsync(int(details.marketRuleIds.split(",")[0]))
    assert rule is not None
    assert rule[0].increment == 0.01


async def test_contracts_that_are_none_or_several(ib: IB) -> None:
    with pytest.raises(RequestError) as none:
        await ib.reqContractDetailsAsync(Stock("ZZZZ", "SMART", "USD"))
    assert none.value.code == 200
    twins = await ib.reqContractDetailsAsync(Stock("TWIN", "SMART", "USD"))
    assert len(twins) == 2
    with pytest.raises(RequestError) as ambiguous:
        await ib.reqHeadTimeStampAsync(Stock("TWIN", "SMART", "USD"), "TRADES", True, 1)
    assert "ambiguous" in ambiguous.value.message


async def test_a_contract_is_known_by_its_id_alone_and_by_its_local_symbol(ib: IB) -> None:
    [by_id] = await ib.qualifyContractsAsync(Contract(conId=AAPL.conId))
    assert by_id.symbol == "AAPL"
    [euro] = await ib.qualifyContractsAsync(Forex("EURUSD"))
    assert (euro.symbol, euro.localSymbol, euro.exchange) == ("EUR", "EUR.USD", "IDEALPRO")


async def test_options_are_found_by_their_chain(ib: IB) -> None:
    [chain] = await ib.reqSecDefOptParamsAsync("AAPL", "", "STK", AAPL.conId)
    assert chain.multiplier == "100"
    option = Option("AAPL", chain.expirations[0], chain.strikes[0], "C", "SMART")
    [found] = await ib.reqContractDetailsAsync(option)
    assert found.contract is not None
    assert (found.contract.strike, found.contract.right) == (chain.strikes[0], "C")
    assert (found.underConId, found.contract.multiplier) == (AAPL.conId, "100")


async def test_quotes_follow_the_market(desk: Desk, ib: IB) -> None:
    ticker = ib.reqMktData(AAPL)
    await settled(ib)
    assert (ticker.bid, ticker.ask, ticker.bidSize) == (149.99, 150.01, 1000)
    assert (ticker.marketDataType, ticker.minTick) == (1, 0.01)
    desk.quote("150.09", "150.11", size=200)
    await settled(ib)
    assert (ticker.bid, ticker.ask, ticker.askSize) == (150.09, 150.11, 200)
    ib.cancelMktData(AAPL)
    await settled(ib)
    desk.quote("151.00", "151.02")
    await settled(ib)
    assert ticker.bid == 150.09
    assert not desk.exchange.market.watched


@pytest.mark.parametrize(("symbol", "shares"), [("AAPL", 5_000_000), ("LOCT", 0), ("HARD", 0)])
async def test_shares_to_borrow_are_told_to_who_asks(ib: IB, symbol: str, shares: int) -> None:
    stock = Stock(symbol, "SMART", "USD")
    await ib.qualifyContractsAsync(stock)
    ticker = ib.reqMktData(stock, "236")
    await settled(ib)
    assert ticker.shortableShares == shares
    ib.cancelMktData(stock)
    again = ib.reqMktData(stock)
    await settled(ib)
    assert again is ticker
    assert ticker.bid > 0


async def test_a_snapshot_ends(desk: Desk, ib: IB) -> None:
    [ticker] = await asyncio.wait_for(ib.reqTickersAsync(AAPL), 5)
    assert (ticker.bid, ticker.ask) == (149.99, 150.01)
    assert not desk.exchange.market.watched


async def test_quotes_without_permission(ib: IB) -> None:
    errors: list[int] = []
    ib.errorEvent += lambda _, code, *__: errors.append(code)
    forbidden = Stock("NOPE", "SMART", "USD")
    await ib.qualifyContractsAsync(forbidden)
    ib.reqMktData(forbidden)
    await settled(ib)
    assert errors == [354]
    ib.reqMarketDataType(3)
    ticker = ib.reqMktData(forbidden, snapshot=False)
    await settled(ib)
    assert errors == [354, 10167]
    assert ticker.marketDataType == 3
    assert ticker.bid > 0


async def test_single_ticks_and_the_book(desk: Desk, ib: IB) -> None:
    ticks = ib.reqTickByTickData(AAPL, "BidAsk")
    book = ib.reqMktDepth(AAPL)
    await settled(ib)
    assert ticks.tickByTicks[-1].bidPrice == 149.99  # type: ignore[union-attr] # BidAsk was asked for
    assert (book.domBids[0].price, book.domAsks[0].price) == (149.99, 150.01)
    desk.quote("150.00", "150.02")
    await settled(ib)
    assert (book.domBids[0].price, book.domAsks[0].price) == (150.00, 150.02)
    ib.cancelTickByTickData(AAPL, "BidAsk")
    ib.cancelMktDepth(AAPL)
    await settled(ib)
    assert not desk.exchange.market.watched


async def test_bars_of_a_day_agree_with_the_day(ib: IB) -> None:
    bars = await ib.reqHistoricalDataAsync(AAPL, "", "2 D", "5 mins", "TRADES", useRTH=True)
    days = {str(bar.date)[:10] for bar in bars}
    assert len(days) == 2
    assert all(bar.low <= bar.open <= bar.high for bar in bars)
    daily = await ib.reqHistoricalDataAsync(AAPL, "", "5 D", "1 day", "TRADES", useRTH=True)
    assert [str(bar.date) for bar in daily][-1] == "2026-11-20"
    assert len(daily) == 5
    weekly = await ib.reqHistoricalDataAsync(AAPL, "", "3 M", "1 week", "TRADES", useRTH=True)
    assert 12 <= len(weekly) <= 15
    assert max(bar.high for bar in daily) >= daily[-1].high


async def test_the_watchdog_probe_is_answered(ib: IB) -> None:
    """Both client libraries ask this of a gateway to see whether it is alive."""
    euro = Forex("EURUSD")
    bars = await ib.reqHistoricalDataAsync(euro, "", "30 S", "5 secs", "MIDPOINT", useRTH=False)
    assert bars
    assert bars[0].volume == -1


@pytest.mark.parametrize(
    ("size", "duration", "what"),
    [("7 mins", "1 D", "TRADES"), ("1 day", "1 D", "OPTION_VOLUME"), ("1 secs", "1 Y", "TRADES")],
)
async def test_bars_that_cannot_be_had_are_162(ib: IB, size: str, duration: str, what: str) -> None:
    with pytest.raises(RequestError) as refused:
        await ib.reqHistoricalDataAsync(AAPL, "", duration, size, what, useRTH=True)
    assert refused.value.code == 162


async def test_bars_that_are_kept_up_to_date(desk: Desk, ib: IB) -> None:
    bars = await ib.reqHistoricalDataAsync(
        AAPL, "", "600 S", "1 min", "TRADES", useRTH=True, keepUpToDate=True
    )
    before = len(bars)
    seen = raw_messages(ib)
    for _ in range(24):
        desk.wait(5)
    await settled(ib)
    assert len(bars) == before + 2
    updates = [fields for fields in seen if fields[0] == "90"]
    assert len(updates) == 24, "only the bar under way is told again"
    ib.cancelHistoricalData(bars)
    await settled(ib)


async def test_real_time_bars_come_every_five_seconds(desk: Desk, ib: IB) -> None:
    bars = ib.reqRealTimeBars(AAPL, 5, "TRADES", False)
    await settled(ib)
    for _ in range(3):
        desk.wait(5)
    await settled(ib)
    assert [bar.time.second % 5 for bar in bars] == [0, 0, 0]
    assert [bar.time for bar in bars] == sorted(bar.time for bar in bars)
    ib.cancelRealTimeBars(bars)
    await settled(ib)
    desk.wait(5)
    await settled(ib)
    assert len(bars) == 3


async def test_the_past_in_other_forms(ib: IB) -> None:
    head = await ib.reqHeadTimeStampAsync(AAPL, "TRADES", True, 1)
    assert head.year < 2026
    histogram = await ib.reqHistogramDataAsync(AAPL, True, "1 day")
    assert sum(line.count for line in histogram) > 0
    ticks = await ib.reqHistoricalTicksAsync(
        AAPL, "", "20261120 10:00:00 US/Eastern", 10, "TRADES", True
    )
    assert len(ticks) == 10
    schedule = await ib.reqHistoricalScheduleAsync(AAPL, 3)
    assert [session.refDate for session in schedule.sessions] == [
        "20261118",
        "20261119",
        "20261120",
    ]


async def test_searching_and_scanning(ib: IB) -> None:
    found = await ib.reqMatchingSymbolsAsync("micro") or []
    assert "MSFT" in {item.contract.symbol for item in found if item.contract}
    rows = await ib.reqScannerDataAsync(
        ScannerSubscription(
            numberOfRows=5, instrument="STK", locationCode="STK.US", scanCode="MOST_ACTIVE"
        )
    )
    assert [row.rank for row in rows] == [0, 1, 2, 3, 4]
    assert "MOST_ACTIVE" in await ib.reqScannerParametersAsync()


async def test_the_account_in_its_forms(ib: IB) -> None:
    assert ib.managedAccounts() == [ACCOUNT]
    values = {v.tag: v for v in ib.accountValues() if v.currency != "BASE"}
    assert float(values["NetLiquidation"].value) == 1_000_000
    summary = {v.tag: v.value for v in await ib.accountSummaryAsync()}
    assert float(summary["NetLiquidation"]) == 1_000_000
    assert "CashBalance" in summary
    pnl = ib.reqPnL(ACCOUNT)
    await settled(ib)
    assert pnl.dailyPnL == 0


async def test_profit_follows_the_market(desk: Desk, ib: IB) -> None:
    from ib_insync import MarketOrder

    ib.placeOrder(AAPL, MarketOrder("BUY", 10))
    await settled(ib)
    pnl = ib.reqPnL(ACCOUNT)
    single = ib.reqPnLSingle(ACCOUNT, "", AAPL.conId)
    desk.quote("160.00", "160.02")
    desk.wait(2)
    await settled(ib)
    assert pnl.unrealizedPnL > 90
    assert single.position == 10
    assert single.value == pytest.approx(1600, abs=1)
    desk.wait(200)
    await settled(ib)
    [item] = ib.portfolio()
    assert item.marketPrice == pytest.approx(160, abs=0.05)
