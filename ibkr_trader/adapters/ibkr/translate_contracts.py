"""Contracts, their price grids and trading hours: the client library's values <-> ours."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import TYPE_CHECKING

from ibkr_trader.adapters.ibkr.translate_values import decimal, plain, zone_of
from ibkr_trader.core.enums import SecType
from ibkr_trader.core.models import ZERO, Contract, ContractDetails, PriceBand, Session

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ibkr_trader.adapters.ibkr.lib_types import LibContract, LibDetails, LibIncrement

_SEC_TYPES: Mapping[str, SecType] = MappingProxyType({kind.value: kind for kind in SecType})
_RIGHTS = {"C": "C", "CALL": "C", "P": "P", "PUT": "P"}
_ONE = Decimal(1)


def contract_of(contract: LibContract) -> Contract:
    """Return the library's contract as ours.

    Raises:
        ValueError: If a figure of it makes no sense.
    """
    return make_contract(
        con_id=contract.conId,
        symbol=contract.symbol,
        sec_type=contract.secType,
        expiry=contract.lastTradeDateOrContractMonth,
        strike=decimal(contract.strike),
        right=contract.right,
        multiplier=decimal(contract.multiplier or None),
        exchange=contract.exchange,
        primary_exchange=contract.primaryExchange,
        currency=contract.currency,
        local_symbol=contract.localSymbol,
        trading_class=contract.tradingClass,
    )


def make_contract(
    *,
    con_id: int,
    symbol: str,
    sec_type: str,
    expiry: str,
    strike: Decimal | None,
    right: str,
    multiplier: Decimal | None,
    exchange: str,
    currency: str,
    local_symbol: str,
    trading_class: str,
    primary_exchange: str = "",
) -> Contract:
    """Return a contract from what TWS states of it, without what does not belong to its kind."""
    kind = _SEC_TYPES.get(sec_type, SecType.OTHER)
    has_strike = kind is SecType.OPTION or sec_type == "FOP"
    return Contract(
        con_id=con_id,
        symbol=symbol,
        sec_type=kind,
        expiry=expiry.split(maxsplit=1)[0] if expiry else "",
        strike=strike if has_strike else None,
        right=_RIGHTS.get(right, "") if has_strike else "",
        multiplier=multiplier or _ONE,
        exchange=exchange or "SMART",  # a position names no venue
        primary_exchange=primary_exchange,
        currency=currency,
        local_symbol=local_symbol,
        trading_class=trading_class,
    )


def fill_in_contract(contract: Contract, wire: LibContract) -> None:
    """Write `contract` into the library's empty `wire`.

    One that is resolved is named by its id and venue alone, so that nothing can contradict.
    """
    wire.conId = contract.con_id
    wire.exchange = contract.exchange
    wire.secType = contract.sec_type.value
    wire.symbol = contract.symbol
    wire.currency = contract.currency
    wire.strike = ""
    if contract.sec_type in (SecType.OPTION, SecType.FUTURE):
        wire.lastTradeDateOrContractMonth = contract.expiry
        wire.multiplier = "" if contract.multiplier == _ONE else plain(contract.multiplier)
        wire.tradingClass = contract.trading_class
    if contract.sec_type is SecType.OPTION:
        wire.strike = "" if contract.strike is None else plain(contract.strike)
        wire.right = contract.right
    if not contract.con_id:
        wire.localSymbol = contract.local_symbol
        wire.primaryExchange = contract.primary_exchange


def details_of(details: LibDetails) -> tuple[ContractDetails, int | None]:
    """Return what the gateway says of a contract, and the market rule that holds its bands.

    Raises:
        ValueError: If its hours or figures make no sense.
    """
    contract = contract_of(details.contract)
    tick = decimal(details.minTick)
    bands = (PriceBand(ZERO, tick),) if tick else ()
    return (
        ContractDetails(
            contract=contract,
            long_name=details.longName,
            industry=details.industry,
            bands=bands,
            min_size=decimal(details.minSize) or _ONE,
            order_types=frozenset(details.orderTypes.split(",")),
            time_zone=details.timeZoneId,
            liquid_sessions=sessions_of(details.liquidHours, details.timeZoneId),
            trading_sessions=sessions_of(details.tradingHours, details.timeZoneId),
        ),
        _market_rule(details, contract.exchange),
    )


def _market_rule(details: LibDetails, exchange: str) -> int | None:
    rules = [rule for rule in details.marketRuleIds.split(",") if rule]
    venues = details.validExchanges.split(",")
    if len(rules) == 1:
        return int(rules[0])  # one for every venue
    by_venue = dict(zip(venues, rules, strict=False))
    return int(by_venue[exchange]) if exchange in by_venue else None


def bands_of(increments: Iterable[LibIncrement]) -> tuple[PriceBand, ...]:
    """Return a price grid, lowest band first.

    Raises:
        ValueError: If a step of it is nothing.
    """
    bands = []
    for step in increments:
        increment = decimal(step.increment)
        if not increment or increment < ZERO:
            raise ValueError(f"{step.increment!r} is no price increment")
        bands.append(PriceBand(decimal(step.lowEdge) or ZERO, increment))
    return tuple(sorted(bands, key=lambda band: band.low_edge))


def sessions_of(hours: str, zone: str) -> tuple[Session, ...]:
    """Return the sessions that TWS writes as `20261123:0930-20261123:1600;20261126:CLOSED`.

    Raises:
        ValueError: If the text or its zone makes no sense.
    """
    days = [day for day in hours.split(";") if day and not day.endswith("CLOSED")]
    if not days:
        return ()
    tz = zone_of(zone)

    def at(text: str, *, day: str) -> datetime:
        date, _, time = text.rpartition(":")
        naive = datetime.strptime(f"{date or day}{time}", "%Y%m%d%H%M")  # noqa: DTZ007 - the zone follows
        return naive.replace(tzinfo=tz)

    sessions: list[Session] = []
    for entry in days:
        day = entry.partition(":")[0]
        spans: Sequence[str] = entry.split(",")
        for span in spans:
            opens, _, closes = span.partition("-")
            start, end = at(opens, day=day), at(closes, day=day)
            if end <= start:
                end += timedelta(days=1)
            sessions.append(Session(start.astimezone(UTC), end.astimezone(UTC)))
    return tuple(sorted(sessions, key=lambda session: session.opens))
