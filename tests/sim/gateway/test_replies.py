"""Every reply is read by ib_insync's own decoder as what it means."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from ibkr_trader.sim.gateway import account_replies as account
from ibkr_trader.sim.gateway import contract_replies as contracts
from ibkr_trader.sim.gateway import history_replies as history
from ibkr_trader.sim.gateway import order_replies as orders
from ibkr_trader.sim.gateway import reference_replies as reference
from ibkr_trader.sim.gateway import tick_replies as ticks
from ibkr_trader.sim.gateway.completed_order import CompletedOrder
from ibkr_trader.sim.gateway.contracts import WireContract
from ibkr_trader.sim.gateway.kinds import number_text
from ibkr_trader.sim.gateway.open_order import OpenOrder
from ibkr_trader.sim.gateway.replies import REPLIES, encode, fields_of, handshake
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

SAMPLES: list[tuple[msgspec.Struct, str, tuple[object, ...]]] = [
    (orders.ErrorMessage(req_id=-1, code=2104, text="farm ok"), "error", (-1, 2104, "farm ok", "")),
    (
        orders.OrderStatusReply(
            order_id=5,
            status="Submitted",
            filled=D(3),
            remaining=D(7),
            avg_fill_price=D("150.25"),
            perm_id=99,
            parent_id=4,
            last_fill_price=D("150.3"),
            client_id=1,
            why_held="trigger",
        ),
        "orderStatus",
        (5, "Submitted", 3.0, 7.0, 150.25, 99, 4, 150.3, 1, "trigger", 0.0),
    ),
    (orders.OpenOrderEnd(), "openOrderEnd", ()),
    (orders.ExecDetailsEnd(req_id=7), "execDetailsEnd", (7,)),
    (orders.OrderBound(perm_id=1, client_id=0, order_id=2), "orderBound", (1, 0, 2)),
    (orders.CompletedOrdersEnd(), "completedOrdersEnd", ()),
    (account.ManagedAccounts(accounts="SIM0000001"), "managedAccounts", ("SIM0000001",)),
    (account.NextValidId(order_id=12), "nextValidId", (12,)),
    (account.CurrentTime(seconds=1795000000), "currentTime", (1795000000,)),
    (account.UserInfo(req_id=3), "userInfo", (3, "")),
    (account.PositionEnd(), "positionEnd", ()),
    (account.PositionMultiEnd(req_id=2), "positionMultiEnd", (2,)),
    (
        account.AccountValue(key="NetLiquidation", value="1", currency="USD", account="SIM"),
        "updateAccountValue",
        ("NetLiquidation", "1", "USD", "SIM"),
    ),
    (account.AccountUpdateTime(clock="10:00"), "updateAccountTime", ("10:00",)),
    (account.AccountDownloadEnd(account="SIM"), "accountDownloadEnd", ("SIM",)),
    (
        account.AccountUpdateMulti(
            req_id=1, account="SIM", model_code="", key="k", value="v", currency="USD"
        ),
        "accountUpdateMulti",
        (1, "SIM", "", "k", "v", "USD"),
    ),
    (account.AccountUpdateMultiEnd(req_id=1), "accountUpdateMultiEnd", (1,)),
    (
        account.AccountSummary(req_id=1, account="SIM", tag="t", value="v", currency="USD"),
        "accountSummary",
        (1, "SIM", "t", "v", "USD"),
    ),
    (account.AccountSummaryEnd(req_id=1), "accountSummaryEnd", (1,)),
    (
        account.Pnl(req_id=1, daily=D("1.5"), unrealized=D(-2), realized=D(0)),
        "pnl",
        (1, 1.5, -2.0, 0.0),
    ),
    (
        account.PnlSingle(
            req_id=1, position=D(10), daily=D(1), unrealized=D(2), realized=D(3), value=D(1500)
        ),
        "pnlSingle",
        (1, 10.0, 1.0, 2.0, 3.0, 1500.0),
    ),
    (account.SoftDollarTiers(req_id=1), "softDollarTiers", (1, [])),
    (contracts.ContractDetailsEnd(req_id=4), "contractDetailsEnd", (4,)),
    (
        contracts.OptionParameters(
            req_id=1,
            exchange="SMART",
            under_con_id=265598,
            trading_class="AAPL",
            multiplier="100",
            expirations=("20270115",),
            strikes=(D("150"), D("152.5")),
        ),
        "securityDefinitionOptionParameter",
        (1, "SMART", "265598", "AAPL", "100", ["20270115"], [150.0, 152.5]),
    ),
    (contracts.OptionParametersEnd(req_id=1), "securityDefinitionOptionParameterEnd", (1,)),
    (ticks.MarketDataType(req_id=1, data_type=3), "marketDataType", (1, 3)),
    (
        ticks.TickReqParams(req_id=1, min_tick=D("0.01"), bbo_exchange="9c0001"),
        "tickReqParams",
        (1, 0.01, "9c0001", 3),
    ),
    (
        ticks.TickPrice(req_id=1, tick_type=1, price=D("150.01"), size=D(300)),
        "priceSizeTick",
        (1, 1, 150.01, 300.0),
    ),
    (ticks.TickSize(req_id=1, tick_type=8, size=D(12345)), "tickSize", (1, 8, 12345.0)),
    (ticks.TickGeneric(req_id=1, tick_type=49, value=D(0)), "tickGeneric", (1, 49, 0.0)),
    (ticks.TickString(req_id=1, tick_type=45, text="17950"), "tickString", (1, 45, "17950")),
    (ticks.TickSnapshotEnd(req_id=1), "tickSnapshotEnd", (1,)),
    (
        ticks.TickOption(req_id=1, tick_type=13),
        "tickOptionComputation",
        (1, 13, 1, -1.0, -2.0, -1.0, -1.0, -2.0, -2.0, -2.0, -1.0),
    ),
    (
        ticks.Depth(req_id=1, position=0, operation=0, side=1, price=D("150"), size=D(100)),
        "updateMktDepth",
        (1, 0, 0, 1, 150.0, 100.0),
    ),
    (
        ticks.DepthL2(
            req_id=1,
            position=0,
            market_maker="NSDQ",
            operation=0,
            side=1,
            price=D("150"),
            size=D(100),
            is_smart=True,
        ),
        "updateMktDepthL2",
        (1, 0, "NSDQ", 0, 1, 150.0, 100.0, True),
    ),
    (ticks.TickMid(req_id=1, at=17950, price=D("150.5")), "tickByTickMidPoint", (1, 17950, 150.5)),
    (
        history.RealTimeBar(
            req_id=1,
            at=1795000000,
            open=D(1),
            high=D(2),
            low=D("0.5"),
            close=D("1.5"),
            volume=D(100),
            average=D("1.25"),
            count=7,
        ),
        "realtimeBar",
        (1, 1795000000, 1.0, 2.0, 0.5, 1.5, 100.0, 1.25, 7),
    ),
    (history.HeadTimestamp(req_id=1, time="19801212"), "headTimestamp", (1, "19801212")),
    (
        reference.NewsBulletin(message_id=1, kind=1, text="hello", exchange="NYSE"),
        "updateNewsBulletin",
        (1, 1, "hello", "NYSE"),
    ),
    (reference.NewsProviders(), "newsProviders", ([],)),
    (reference.NewsArticle(req_id=1, kind=0, text="t"), "newsArticle", (1, 0, "t")),
    (
        reference.TickNews(req_id=1, at_millis=5, provider="P", article_id="A", headline="H"),
        "tickNews",
        (1, 5, "P", "A", "H", ""),
    ),
    (
        reference.HistoricalNews(req_id=1, time="t", provider="P", article_id="A", headline="H"),
        "historicalNews",
        (1, "t", "P", "A", "H"),
    ),
    (reference.HistoricalNewsEnd(req_id=1), "historicalNewsEnd", (1, False)),
    (reference.ScannerParameters(xml="<x/>"), "scannerParameters", ("<x/>",)),
    (reference.ReceiveFa(fa_type=1, xml="<x/>"), "receiveFA", (1, "<x/>")),
    (reference.ReplaceFaEnd(req_id=1, text="t"), "replaceFAEnd", (1, "t")),
]  # fmt: skip


def heard(reply: msgspec.Struct, version: int) -> list[tuple[str, tuple[Any, ...]]]:
    return hear(fields_of(reply, version), version).calls


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(("reply", "method", "args"), SAMPLES, ids=lambda value: str(value)[:30])
def test_ib_insync_hears_what_was_said(
    reply: msgspec.Struct, method: str, args: tuple[object, ...], version: int
) -> None:
    assert heard(reply, version) == [(method, args)]


def test_sizes_are_whole_below_163_and_fractional_from_there() -> None:
    tick = ticks.TickSize(req_id=1, tick_type=8, size=D("1.5"))
    assert fields_of(tick, 162)[-1] == "1"
    assert fields_of(tick, 163)[-1] == "1.5"


@pytest.mark.parametrize(
    ("value", "text"),
    [("100", "100"), ("100.0", "100"), ("1E+2", "100"), ("-0.0", "0"), ("0.10", "0.1")],
)
def test_numbers_are_plain(value: str, text: str) -> None:
    assert number_text(D(value)) == text


def test_every_reply_has_a_test_here() -> None:
    source = {type(reply) for reply, _, _ in SAMPLES}
    elsewhere = {
        OpenOrder, CompletedOrder, orders.ExecDetails, orders.CommissionReport,
        contracts.ContractDetailsReply, contracts.BondDetails, account.PositionReply,
        account.PositionMulti, account.PortfolioValue, contracts.MarketRule,
        contracts.SymbolSamples, contracts.DepthExchanges, contracts.SmartComponents,
        account.FamilyCodes, history.HistoricalData, history.HistoricalUpdate,
        history.HistoricalMids, history.HistoricalBidAsks, history.HistoricalLasts,
        history.Histogram, history.HistoricalSchedule, ticks.TickLast, ticks.TickBidAsk,
        reference.ScannerData, account.CurrentTimeMillis, history.HistoricalDataEnd,
    }  # fmt: skip
    assert source | elsewhere == set(REPLIES)


@pytest.mark.parametrize(
    ("reply", "fields"),
    [
        (account.CurrentTimeMillis(millis=5), ["109", "5"]),
        (history.HistoricalDataEnd(req_id=1, start="a", end="b"), ["108", "1", "a", "b"]),
        (
            orders.ErrorMessage(req_id=1, code=201, text="no", at_millis=7),
            ["4", "1", "201", "no", "", "7"],
        ),
        (history.HistoricalData(req_id=1, start="a", end="b", bars=()), ["17", "1", "0"]),
    ],
)
def test_messages_that_only_exist_from_196(reply: msgspec.Struct, fields: list[str]) -> None:
    assert fields_of(reply, 197) == fields


def test_the_handshake_is_one_frame_of_two_fields() -> None:
    assert handshake(176, "20261121 10:00:00 EST") == (
        (26).to_bytes(4, "big") + b"176\x0020261121 10:00:00 EST\0"
    )
    assert encode(account.NextValidId(order_id=1), 176)[:4] == (6).to_bytes(4, "big")
