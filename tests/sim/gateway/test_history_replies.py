"""Lists, bars and single ticks, as ib_insync's own decoder reads them."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from ibkr_trader.sim.gateway import account_replies as account
from ibkr_trader.sim.gateway import contract_replies as contracts
from ibkr_trader.sim.gateway import history_replies as history
from ibkr_trader.sim.gateway import reference_replies as reference
from ibkr_trader.sim.gateway import tick_replies as ticks
from ibkr_trader.sim.gateway.contracts import WireContract
from ibkr_trader.sim.gateway.replies import fields_of
from tests.sim.gateway.samples import hear

VERSIONS = [157, 163, 164, 170, 176]
AAPL = WireContract(
    con_id=265598,
    symbol="AAPL",
    sec_type="STK",
    exchange="SMART",
    primary_exchange="NASDAQ",
    currency="USD",
    local_symbol="AAPL",
    trading_class="NMS",
)
D = Decimal
BAR = history.HistoricalBar(
    date="20261120",
    open=D("150"),
    high=D("151.5"),
    low=D("149.25"),
    close=D("150.75"),
    volume=D("100000"),
    average=D("150.5"),
    count=42,
)


def heard(reply: msgspec.Struct, version: int) -> list[tuple[str, tuple[Any, ...]]]:
    return hear(fields_of(reply, version), version).calls


@pytest.mark.parametrize("version", VERSIONS)
def test_reference_lists(version: int) -> None:
    rule = contracts.MarketRule(rule_id=26, increments=((D(0), D("0.01")),))
    [(_, args)] = heard(rule, version)
    assert args[0] == 26 or args[0] == "26"
    assert (args[1][0].lowEdge, args[1][0].increment) == (0.0, 0.01)
    sample = contracts.SymbolSample(
        con_id=265598,
        symbol="AAPL",
        sec_type="STK",
        primary_exchange="NASDAQ",
        currency="USD",
        derivatives=("OPT", "CFD"),
        description="APPLE INC",
    )
    [(_, args)] = heard(contracts.SymbolSamples(req_id=1, samples=(sample, sample)), version)
    assert len(args[1]) == 2
    assert args[1][1].derivativeSecTypes == ["OPT", "CFD"]
    depth = contracts.DepthExchanges(exchanges=(("NYSE", "STK", "NYSE", "Deep", 1),))
    [(_, args)] = heard(depth, version)
    assert args[0][0].exchange == "NYSE"
    smart = contracts.SmartComponents(req_id=1, components=((0, "NYSE", "N"),))
    [(_, args)] = heard(smart, version)
    assert args[1][0].exchangeLetter == "N"
    codes = account.FamilyCodes(codes=(("SIM", "F"),))
    [(_, args)] = heard(codes, version)
    assert args[0][0].accountID == "SIM"


@pytest.mark.parametrize("version", VERSIONS)
def test_bars_and_past_ticks(version: int) -> None:
    data = history.HistoricalData(req_id=3, start="s", end="e", bars=(BAR, BAR))
    calls = heard(data, version)
    assert [name for name, _ in calls] == ["historicalData"] * 2 + ["historicalDataEnd"]
    bar = calls[0][1][1]
    assert (bar.open, bar.high, bar.low, bar.close) == (150.0, 151.5, 149.25, 150.75)
    assert (bar.volume, bar.average, bar.barCount) == (100000.0, 150.5, 42)
    [(_, args)] = heard(history.HistoricalUpdate(req_id=3, bar=BAR), version)
    assert (args[1].high, args[1].low, args[1].close) == (151.5, 149.25, 150.75)
    mids = history.HistoricalMids(req_id=3, ticks=((1795000000, "", D(150), D(0)),))
    [(_, args)] = heard(mids, version)
    assert args[1][0].price == 150.0
    quotes = history.HistoricalBidAsks(req_id=3, ticks=((1795000000, 0, D(1), D(2), D(3), D(4)),))
    [(_, args)] = heard(quotes, version)
    assert args[1][0].sizeAsk == 4.0
    trades = history.HistoricalLasts(req_id=3, ticks=((1795000000, 0, D(1), D(2), "N", ""),))
    [(_, args)] = heard(trades, version)
    assert args[1][0].exchange == "N"
    histogram = history.Histogram(req_id=3, bins=((D("150.5"), 10),))
    [(_, args)] = heard(histogram, version)
    assert (args[1][0].price, args[1][0].count) == (150.5, 10)
    schedule = history.HistoricalSchedule(
        req_id=3, start="a", end="b", time_zone="US/Eastern", sessions=(("a", "b", "c"),)
    )
    [(_, args)] = heard(schedule, version)
    assert args[4][0].refDate == "c"


@pytest.mark.parametrize("version", VERSIONS)
def test_single_ticks_and_scanner_rows(version: int) -> None:
    last = ticks.TickLast(req_id=1, tick_type=1, at=5, price=D(1), size=D(2), exchange="N")
    [(_, args)] = heard(last, version)
    assert args[:5] == (1, 1, 5, 1.0, 2.0)
    quote = ticks.TickBidAsk(req_id=1, at=5, bid=D(1), ask=D(2), bid_size=D(3), ask_size=D(4))
    [(_, args)] = heard(quote, version)
    assert args[:6] == (1, 5, 1.0, 2.0, 3.0, 4.0)
    found = reference.ScannerRow(rank=0, contract=AAPL, market_name="NMS")
    calls = heard(reference.ScannerData(req_id=1, rows=(found,)), version)
    assert calls[0][1][2].contract.tradingClass == "NMS"
    assert calls[-1][0] == "scannerDataEnd"
