# ruff: noqa: N815 - the attributes repeat the client library's own names
"""The client library's values, as far as we read or write them.

Prices are declared as what we put in (text, in plain notation) or take out (a float); the
library's encoder passes text through untouched, so no price of ours is ever a float.
"""

from __future__ import annotations

from typing import Any, Protocol

Figure = Any  # a float when read, canonical text when written


class LibContract(Protocol):
    """A contract, as the library has it."""

    secType: str
    conId: int
    symbol: str
    lastTradeDateOrContractMonth: str
    strike: Figure
    right: str
    multiplier: str
    exchange: str
    primaryExchange: str
    currency: str
    localSymbol: str
    tradingClass: str


class LibOrder(Protocol):
    """An order, as the library has it."""

    orderId: int
    clientId: int
    permId: int
    action: str
    totalQuantity: Figure
    orderType: str
    lmtPrice: Figure
    auxPrice: Figure
    tif: str
    ocaGroup: str
    ocaType: int
    orderRef: str
    transmit: bool
    parentId: int
    outsideRth: bool
    account: str
    openClose: str
    trailStopPrice: Figure
    trailingPercent: Figure
    goodAfterTime: str
    lmtPriceOffset: Figure
    adjustedOrderType: str
    triggerPrice: Figure
    adjustedStopPrice: Figure
    adjustedStopLimitPrice: Figure
    adjustedTrailingAmount: Figure
    adjustableTrailingUnit: int
    whatIf: bool
    filledQuantity: Figure


class LibOrderState(Protocol):
    """What the gateway adds to an order."""

    status: str
    warningText: str
    initMarginAfter: Figure
    maintMarginAfter: Figure
    equityWithLoanAfter: Figure
    initMarginChange: Figure
    commission: Figure
    minCommission: Figure
    maxCommission: Figure
    commissionCurrency: str
    completedTime: str
    completedStatus: str


class LibDetails(Protocol):
    """What the gateway says of a contract."""

    contract: LibContract
    longName: str
    industry: str
    minTick: Figure
    minSize: Figure
    orderTypes: str
    validExchanges: str
    marketRuleIds: str
    timeZoneId: str
    tradingHours: str
    liquidHours: str


class LibBar(Protocol):
    """A historical bar."""

    date: str
    open: Figure
    high: Figure
    low: Figure
    close: Figure
    volume: Figure


class LibIncrement(Protocol):
    """One step of a price grid."""

    lowEdge: Figure
    increment: Figure


class LibFilter(Protocol):
    """Which executions are asked for."""

    acctCode: str
