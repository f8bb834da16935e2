"""Every request that ib_insync's real client can send is read as what it means."""

from decimal import Decimal

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ib_insync import Contract, ExecutionFilter, ScannerSubscription
from ib_insync.objects import WshEventData

from ibkr_trader.sim.gateway import account_requests as account
from ibkr_trader.sim.gateway import market_requests as market
from ibkr_trader.sim.gateway import order_requests as orders
from ibkr_trader.sim.gateway import reference_requests as reference
from ibkr_trader.sim.gateway.contracts import WireContract
from ibkr_trader.sim.gateway.items import MalformedMessage
from ibkr_trader.sim.gateway.requests import REQUESTS, UnknownMessage, decode
from tests.sim.gateway.samples import AAPL, BAG, NEUTRAL, client_at

VERSIONS = [157, 163, 164, 170, 176]
WIRE_AAPL = WireContract(
    con_id=265598, symbol="AAPL", sec_type="STK", strike=Decimal("0.0"), exchange="SMART",
    currency="USD",
)  # fmt: skip

CASES: list[tuple[str, tuple[object, ...], msgspec.Struct]] = [
    ("cancelOrder", (7,), orders.CancelOrder(order_id=7)),
    ("reqGlobalCancel", (), orders.GlobalCancel()),
    ("reqOpenOrders", (), orders.ReqOpenOrders()),
    ("reqAllOpenOrders", (), orders.ReqAllOpenOrders()),
    ("reqAutoOpenOrders", (True,), orders.ReqAutoOpenOrders(auto_bind=True)),
    ("reqCompletedOrders", (False,), orders.ReqCompletedOrders(api_only=False)),
    (
        "reqExecutions",
        (3, ExecutionFilter(clientId=2, symbol="AAPL", side="BUY")),
        orders.ReqExecutions(req_id=3, client_id=2, symbol="AAPL", side="BUY"),
    ),
    ("reqIds", (1,), account.ReqIds()),
    ("reqManagedAccts", (), account.ReqManagedAccounts()),
    ("reqCurrentTime", (), account.ReqCurrentTime()),
    ("setServerLogLevel", (5,), account.SetServerLogLevel(level=5)),
    ("reqPositions", (), account.ReqPositions()),
    ("cancelPositions", (), account.CancelPositions()),
    (
        "reqPositionsMulti",
        (4, "SIM", "M"),
        account.ReqPositionsMulti(req_id=4, account="SIM", model_code="M"),
    ),
    ("cancelPositionsMulti", (4,), account.CancelPositionsMulti(req_id=4)),
    (
        "reqAccountUpdates",
        (True, "SIM"),
        account.ReqAccountUpdates(subscribe=True, account="SIM"),
    ),
    (
        "reqAccountUpdatesMulti",
        (4, "SIM", "", False),
        account.ReqAccountUpdatesMulti(
            req_id=4, account="SIM", model_code="", ledger_only=False
        ),
    ),
    ("cancelAccountUpdatesMulti", (4,), account.CancelAccountUpdatesMulti(req_id=4)),
    (
        "reqAccountSummary",
        (4, "All", "NetLiquidation,$LEDGER:ALL"),
        account.ReqAccountSummary(req_id=4, group="All", tags="NetLiquidation,$LEDGER:ALL"),
    ),
    ("cancelAccountSummary", (4,), account.CancelAccountSummary(req_id=4)),
    ("reqPnL", (4, "SIM", ""), account.ReqPnl(req_id=4, account="SIM", model_code="")),
    ("cancelPnL", (4,), account.CancelPnl(req_id=4)),
    (
        "reqPnLSingle",
        (4, "SIM", "", 265598),
        account.ReqPnlSingle(req_id=4, account="SIM", model_code="", con_id=265598),
    ),
    ("cancelPnLSingle", (4,), account.CancelPnlSingle(req_id=4)),
    ("requestFA", (1,), account.RequestFa(fa_type=1)),
    ("replaceFA", (4, 1, "<x/>"), account.ReplaceFa(fa_type=1, xml="<x/>", req_id=4)),
    ("reqSoftDollarTiers", (4,), account.ReqSoftDollarTiers(req_id=4)),
    ("reqFamilyCodes", (), account.ReqFamilyCodes()),
    (
        "reqMktData",
        (4, AAPL, "233", False, False, []),
        market.ReqMktData(req_id=4, contract=WIRE_AAPL, generic_ticks="233"),
    ),
    ("cancelMktData", (4,), market.CancelMktData(req_id=4)),
    ("reqMarketDataType", (3,), market.ReqMarketDataType(data_type=3)),
    (
        "reqRealTimeBars",
        (4, AAPL, 5, "TRADES", True, []),
        market.ReqRealTimeBars(
            req_id=4, contract=WIRE_AAPL, bar_size=5, what="TRADES", use_rth=True
        ),
    ),
    ("cancelRealTimeBars", (4,), market.CancelRealTimeBars(req_id=4)),
    (
        "reqHistoricalData",
        (4, AAPL, "", "1 D", "5 mins", "TRADES", True, 1, True, []),
        market.ReqHistoricalData(
            req_id=4,
            contract=WIRE_AAPL,
            include_expired=False,
            end="",
            bar_size="5 mins",
            duration="1 D",
            use_rth=True,
            what="TRADES",
            format_date=1,
            keep_up_to_date=True,
        ),
    ),
    ("cancelHistoricalData", (4,), market.CancelHistoricalData(req_id=4)),
    (
        "reqHeadTimeStamp",
        (4, AAPL, "TRADES", True, 1),
        market.ReqHeadTimestamp(
            req_id=4,
            contract=WIRE_AAPL,
            include_expired=False,
            use_rth=True,
            what="TRADES",
            format_date=1,
        ),
    ),
    ("cancelHeadTimeStamp", (4,), market.CancelHeadTimestamp(req_id=4)),
    (
        "reqHistogramData",
        (4, AAPL, True, "3 days"),
        market.ReqHistogram(req_id=4, contract=WIRE_AAPL, use_rth=True, period="3 days"),
    ),
    ("cancelHistogramData", (4,), market.CancelHistogram(req_id=4)),
    (
        "reqHistoricalTicks",
        (4, AAPL, "s", "e", 10, "TRADES", True, False, []),
        market.ReqHistoricalTicks(
            req_id=4,
            contract=WIRE_AAPL,
            start="s",
            end="e",
            count=10,
            what="TRADES",
            use_rth=True,
            ignore_size=False,
        ),
    ),
    (
        "reqTickByTickData",
        (4, AAPL, "BidAsk", 0, True),
        market.ReqTickByTick(
            req_id=4, contract=WIRE_AAPL, tick_type="BidAsk", count=0, ignore_size=True
        ),
    ),
    ("cancelTickByTickData", (4,), market.CancelTickByTick(req_id=4)),
    (
        "reqMktDepth",
        (4, AAPL, 5, True, []),
        market.ReqMktDepth(req_id=4, contract=WIRE_AAPL, rows=5, is_smart=True),
    ),
    ("cancelMktDepth", (4, True), market.CancelMktDepth(req_id=4, is_smart=True)),
    (
        "calculateImpliedVolatility",
        (4, AAPL, 1.5, 150.0, []),
        market.CalculateOption(
            req_id=4, contract=WIRE_AAPL, value=Decimal("1.5"), under_price=Decimal("150.0")
        ),
    ),
    ("cancelCalculateImpliedVolatility", (4,), market.CancelCalculation(req_id=4)),
    (
        "reqContractDetails",
        (4, AAPL),
        reference.ReqContractDetails(req_id=4, contract=WIRE_AAPL),
    ),
    ("reqMatchingSymbols", (4, "APP"), reference.ReqMatchingSymbols(req_id=4, pattern="APP")),
    ("reqMarketRule", (26,), reference.ReqMarketRule(rule_id=26)),
    (
        "reqSecDefOptParams",
        (4, "AAPL", "", "STK", 265598),
        reference.ReqSecDefOptParams(
            req_id=4, symbol="AAPL", exchange="", sec_type="STK", con_id=265598
        ),
    ),
    ("reqMktDepthExchanges", (), reference.ReqMktDepthExchanges()),
    (
        "reqSmartComponents",
        (4, "a6"),
        reference.ReqSmartComponents(req_id=4, bbo_exchange="a6"),
    ),
    ("reqNewsBulletins", (True,), reference.ReqNewsBulletins(all_messages=True)),
    ("cancelNewsBulletins", (), reference.CancelNewsBulletins()),
    ("reqNewsProviders", (), reference.ReqNewsProviders()),
    (
        "reqNewsArticle",
        (4, "P", "A", []),
        reference.ReqNewsArticle(req_id=4, provider="P", article_id="A"),
    ),
    (
        "reqHistoricalNews",
        (4, 265598, "P", "s", "e", 10, []),
        reference.ReqHistoricalNews(
            req_id=4, con_id=265598, providers="P", start="s", end="e", total=10
        ),
    ),
    (
        "reqScannerSubscription",
        (4, ScannerSubscription(50, "STK", "STK.US", "TOP_PERC_GAIN"), [], []),
        reference.ReqScannerSubscription(
            req_id=4, number_of_rows=50, instrument="STK", location="STK.US",
            scan_code="TOP_PERC_GAIN",
        ),
    ),
    ("cancelScannerSubscription", (4,), reference.CancelScanner(req_id=4)),
    ("reqScannerParameters", (), reference.ReqScannerParameters()),
    ("reqFundamentalData", (4, AAPL, "ReportSnapshot", []), reference.ReqFundamentalData(req_id=4)),
    ("cancelFundamentalData", (4,), reference.CancelFundamentalData(req_id=4)),
    ("queryDisplayGroups", (4,), reference.DisplayGroupRequest(req_id=4)),
    ("subscribeToGroupEvents", (4, 1), reference.DisplayGroupRequest(req_id=4)),
    ("updateDisplayGroup", (4, "x"), reference.DisplayGroupRequest(req_id=4)),
    ("unsubscribeFromGroupEvents", (4,), reference.DisplayGroupRequest(req_id=4)),
    ("reqWshMetaData", (4,), reference.ReqWshData(req_id=4)),
    ("cancelWshMetaData", (4,), reference.CancelWshData(req_id=4)),
    ("reqWshEventData", (4, WshEventData(conId=1)), reference.ReqWshData(req_id=4)),
    ("cancelWshEventData", (4,), reference.CancelWshData(req_id=4)),
    ("verifyRequest", ("x", "1"), reference.Verify()),
]  # fmt: skip


def frame_of(version: int, method: str, args: tuple[object, ...]) -> tuple[str, ...]:
    client, sent = client_at(version)
    getattr(client, method)(*args)
    return sent[0]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(("method", "args", "expected"), CASES, ids=[case[0] for case in CASES])
def test_ib_insync_is_understood(
    method: str, args: tuple[object, ...], expected: msgspec.Struct, version: int
) -> None:
    assert decode(frame_of(version, method, args), version) == expected


@pytest.mark.parametrize(("method", "args", "expected"), CASES, ids=[case[0] for case in CASES])
def test_every_missing_field_is_malformed(
    method: str, args: tuple[object, ...], expected: msgspec.Struct
) -> None:
    written = len(REQUESTS[int(frame_of(176, method, args)[0])].write(expected, 176))
    fields = frame_of(176, method, args)
    for length in range(1, written + 1):
        with pytest.raises(MalformedMessage):
            decode(fields[:length], 176)


def test_start_api_and_options_to_exercise() -> None:
    client, sent = client_at(176)
    client.clientId = 7
    client.startApi()
    client.exerciseOptions(4, NEUTRAL, 1, 2, "SIM", True)
    assert decode(sent[0], 176) == account.StartApi(client_id=7)
    exercise = decode(sent[1], 176)
    assert isinstance(exercise, orders.ExerciseOptions)
    assert exercise.contract.strike == Decimal("150.5")
    assert (exercise.quantity, exercise.override) == (Decimal(2), True)


@pytest.mark.parametrize("contract", [BAG, NEUTRAL])
def test_market_data_for_combinations_and_delta_neutral(contract: Contract) -> None:
    request = decode(frame_of(176, "reqMktData", (4, contract, "", True, False, [])), 176)
    assert isinstance(request, market.ReqMktData)
    assert len(request.legs) == len(contract.comboLegs or [])
    assert len(request.delta_neutral) == (contract.deltaNeutralContract is not None)
    assert request.snapshot


def test_user_info_exists_from_167() -> None:
    assert decode(("104", "5"), 167) == account.ReqUserInfo(req_id=5)
    with pytest.raises(UnknownMessage):
        decode(("104", "5"), 166)


@pytest.mark.parametrize("fields", [("999",), ("-5",), ("2147483647",), ("105",)])
def test_an_unknown_id_is_unknown(fields: tuple[str, ...]) -> None:
    with pytest.raises(UnknownMessage):
        decode(fields, 176)


@pytest.mark.parametrize("fields", [(), ("abc",), ("4", "1", "x", ""), ("1.5",), ("62", "1", "")])
def test_nonsense_is_malformed(fields: tuple[str, ...]) -> None:
    with pytest.raises(MalformedMessage):
        decode(fields, 176)


@settings(max_examples=300, deadline=None)
@given(
    number=st.sampled_from(sorted(REQUESTS)),
    fields=st.lists(st.sampled_from(["", "0", "1", "-1", "5", "BAG", "1e9", "x", "2147483647"]),
                    max_size=160),
    version=st.sampled_from([157, 176, 178, 189, 200]),
)  # fmt: skip
def test_no_fields_crash_the_reader(number: int, fields: list[str], version: int) -> None:
    try:
        decode([str(number), *fields], version)
    except (MalformedMessage, UnknownMessage):
        return
