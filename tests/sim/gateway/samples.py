"""Orders as ib_insync users write them, one of every shape that the wire has."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from ib_insync import (
    ComboLeg,
    Contract,
    DeltaNeutralContract,
    ExecutionCondition,
    MarginCondition,
    Order,
    OrderComboLeg,
    PercentChangeCondition,
    PriceCondition,
    Stock,
    TagValue,
    TimeCondition,
    VolumeCondition,
)
from ib_insync.client import Client
from ib_insync.decoder import Decoder

AAPL = Stock("AAPL", "SMART", "USD", conId=265598)
ATS = Stock("AAPL", "IBKRATS", "USD")


class Recorder:
    """Stands where ib_insync's wrapper stands and keeps what the decoder calls."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, tuple[Any, ...]]] = []

    def __getattr__(self, name: str) -> Callable[..., None]:
        if name.startswith("_"):
            raise AttributeError(name)

        def record(*args: object) -> None:
            self.calls.append((name, args))

        return record


def hear(fields: list[str], version: int) -> Recorder:
    """Return what ib_insync's own decoder makes of a message."""
    recorder: Any = Recorder()
    recorder.ib = SimpleNamespace(TimezoneTWS="UTC")
    decoder: Any = Decoder(recorder, version)
    decoder.interpret(fields)
    heard: Recorder = recorder
    return heard


def client_at(version: int) -> tuple[Any, list[tuple[str, ...]]]:
    """Return a real ib_insync client at `version`, and the frames it sends, as fields."""
    sent: list[tuple[str, ...]] = []
    client: Any = Client(Recorder())
    client._serverVersion = version  # what the handshake would set
    client.connState = Client.CONNECTED
    client.sendMsg = lambda text: sent.append(tuple(text.split("\0")[:-1]))
    return client, sent


def buy(order_type: str = "LMT", **fields: Any) -> Order:
    """Return an order to buy 100, with whatever else."""
    values: dict[str, Any] = {"action": "BUY", "totalQuantity": 100.0, "orderType": order_type}
    if order_type in ("LMT", "STP LMT", "LOC", "LIT"):
        values["lmtPrice"] = 150.25
    return Order(**(values | fields))


BAG = Contract(
    symbol="AAPL",
    secType="BAG",
    exchange="SMART",
    currency="USD",
    comboLegs=[
        ComboLeg(conId=1, ratio=1, action="BUY", exchange="SMART", openClose=1),
        ComboLeg(conId=2, ratio=2, action="SELL", exchange="CBOE", exemptCode=5),
    ],
)
NEUTRAL = Contract(
    symbol="AAPL",
    secType="OPT",
    exchange="SMART",
    currency="USD",
    lastTradeDateOrContractMonth="20270115",
    strike=150.5,
    right="C",
    multiplier="100",
    deltaNeutralContract=DeltaNeutralContract(conId=7, delta=0.5, price=12.5),
)
CONDITIONS = [
    PriceCondition(1, "a", True, 151.5, 265598, "SMART", 2),
    TimeCondition(3, "o", True, "20261121 10:00:00 US/Eastern"),
    MarginCondition(4, "a", False, 30),
    ExecutionCondition(5, "a", "STK", "SMART", "MSFT"),
    VolumeCondition(6, "a", True, 100000, 265598, "SMART"),
    PercentChangeCondition(7, "a", False, 2.5, 265598, "SMART"),
]

SHAPES: dict[str, tuple[Contract, Order]] = {
    "market": (AAPL, buy("MKT")),
    "limit": (AAPL, buy()),
    "stop": (AAPL, buy("STP", auxPrice=149.5)),
    "stop limit": (AAPL, buy("STP LMT", auxPrice=149.5)),
    "trail amount": (AAPL, buy("TRAIL", auxPrice=2.5, trailStopPrice=147.0)),
    "trail percent": (AAPL, buy("TRAIL", trailingPercent=1.5)),
    "trail limit": (
        AAPL,
        buy("TRAIL LIMIT", auxPrice=2.5, trailStopPrice=147.0, lmtPriceOffset=0.1),
    ),
    "touched": (AAPL, buy("LIT", auxPrice=148.0)),
    "at the close": (AAPL, buy("LOC", tif="DAY")),
    "bracket child": (AAPL, buy(parentId=9, transmit=False, outsideRth=True, tif="GTC")),
    "oca": (AAPL, buy(ocaGroup="one", ocaType=2, orderRef="ref-1")),
    "gtd": (AAPL, buy(tif="GTD", goodTillDate="20261231 16:00:00 US/Eastern")),
    "adjustable": (
        AAPL,
        buy(
            "STP",
            auxPrice=149.5,
            adjustedOrderType="TRAIL",
            triggerPrice=155.0,
            adjustedStopPrice=153.0,
            adjustedTrailingAmount=1.5,
            adjustableTrailingUnit=100,
        ),
    ),
    "algo": (
        AAPL,
        buy(algoStrategy="Adaptive", algoParams=[TagValue("adaptivePriority", "Normal")]),
    ),
    "bag": (
        BAG,
        buy(
            orderComboLegs=[OrderComboLeg(1.25), OrderComboLeg()],
            smartComboRoutingParams=[TagValue("NonGuaranteed", "1")],
        ),
    ),
    "conditions": (
        AAPL,
        buy(conditions=CONDITIONS, conditionsIgnoreRth=True, conditionsCancelOrder=True),
    ),
    "scale": (
        AAPL,
        buy(
            scaleInitLevelSize=10,
            scaleSubsLevelSize=5,
            scalePriceIncrement=0.25,
            scalePriceAdjustValue=0.1,
            scalePriceAdjustInterval=60,
            scaleProfitOffset=0.5,
            scaleAutoReset=True,
            scaleInitPosition=1,
            scaleInitFillQty=2,
            scaleRandomPercent=True,
        ),
    ),
    "hedge": (AAPL, buy("MKT", hedgeType="P", hedgeParam="2")),
    "delta neutral": (
        NEUTRAL,
        buy(
            "VOL",
            volatility=0.35,
            volatilityType=2,
            deltaNeutralOrderType="LMT",
            deltaNeutralAuxPrice=1.5,
            deltaNeutralConId=265598,
            deltaNeutralSettlingFirm="F",
            deltaNeutralClearingAccount="C",
            deltaNeutralClearingIntent="IB",
            deltaNeutralOpenClose="O",
            deltaNeutralShortSale=True,
            deltaNeutralShortSaleSlot=1,
            deltaNeutralDesignatedLocation="L",
            continuousUpdate=True,
            referencePriceType=1,
        ),
    ),
    "peg bench": (
        AAPL,
        buy(
            "PEG BENCH",
            referenceContractId=1,
            isPeggedChangeAmountDecrease=True,
            peggedChangeAmount=0.5,
            referenceChangeAmount=1.5,
            referenceExchangeId="NYSE",
            startingPrice=150.0,
            stockRefPrice=149.0,
            stockRangeLower=140.0,
            stockRangeUpper=160.0,
        ),
    ),
    "peg mid": (ATS, buy("PEG MID", midOffsetAtWhole=0.5, midOffsetAtHalf=0.25, minTradeQty=10)),
    "peg best": (
        ATS,
        buy(
            "PEG BEST",
            minCompeteSize=50,
            competeAgainstBestOffset=float("inf"),
            midOffsetAtWhole=0.5,
            midOffsetAtHalf=0.25,
            minTradeQty=5,
        ),
    ),
    "what if": (AAPL, buy(whatIf=True)),
    "odds and ends": (
        AAPL,
        buy(
            totalQuantity=12.5,
            account="SIM0000001",
            origin=1,
            hidden=True,
            allOrNone=True,
            sweepToFill=True,
            blockOrder=True,
            displaySize=10,
            triggerMethod=4,
            goodAfterTime="20261121 11:00:00 US/Eastern",
            rule80A="I",
            minQty=5,
            percentOffset=0.01,
            discretionaryAmt=0.05,
            nbboPriceCap=151.0,
            eTradeOnly=True,
            firmQuoteOnly=True,
            notHeld=True,
            solicited=True,
            randomizeSize=True,
            randomizePrice=True,
            cashQty=1000.0,
            usePriceMgmtAlgo=True,
            isOmsContainer=True,
            discretionaryUpToLimitPrice=True,
            dontUseAutoPriceForHedge=True,
            modelCode="M",
            shortSaleSlot=2,
            designatedLocation="X",
            exemptCode=3,
            settlingFirm="S",
            faGroup="G",
            faMethod="NetLiq",
            faPercentage="50",
            delta=0.5,
            optOutSmartRouting=True,
            clearingAccount="C",
            clearingIntent="Away",
            duration=30,
            postToAts=1,
            autoCancelParent=True,
            orderMiscOptions=[TagValue("a", "b")],
        ),
    ),
}
