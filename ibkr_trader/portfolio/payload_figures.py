"""How things stand, as it is told to others: one position, or the day's result.

A snapshot is made when somebody asks, from the picture of that moment.
"""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal
from typing import TYPE_CHECKING

from ibkr_trader.core.accounts import masked
from ibkr_trader.core.contracts import ticker
from ibkr_trader.core.models import ZERO
from ibkr_trader.core.text import SENTENCES, plain, undivided
from ibkr_trader.portfolio.currency import currency_of
from ibkr_trader.portfolio.payloads import PnLSnapshot, PositionSnapshot, SymbolPnL
from ibkr_trader.portfolio.protection import protection

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from ibkr_trader.core.models import Order, Position
    from ibkr_trader.portfolio.pnl import ContractPnl, DayPnl
    from ibkr_trader.portfolio.state import PortfolioState

_PLAIN = Decimal("0.000001")  # what is smaller would be written with an exponent


def figure(value: Decimal) -> Decimal:
    """Return a figure as it is told: its text has no exponent, and eight decimals at most.

    Raises:
        ValueError: If it is no number.
    """
    if not value.is_finite():
        raise ValueError(f"{value} cannot be told: it is no number")
    exponent = int(value.as_tuple().exponent)
    if exponent > 0:
        return value.quantize(Decimal(1))
    value = undivided(value)
    return value.quantize(_PLAIN, rounding=ROUND_HALF_EVEN) if "E" in str(value) else value


def maybe(value: Decimal | None) -> Decimal | None:
    """Return a figure as it is told, or None where nobody knows it."""
    return None if value is None else figure(value)


def named(moment: datetime) -> str:
    """Return a moment as a part of an id: to the microsecond, and in UTC as every time here."""
    return f"{moment:%Y%m%dT%H%M%S.%f}"


def position_snapshot(
    position: Position,
    orders: Iterable[Order],
    *,
    at: datetime,
    cause: str = "",
    event_id: str = "",
) -> PositionSnapshot:
    """Return how a position stands, and what of it working stops would end.

    Args:
        position: What is held, perhaps nothing.
        orders: The live orders, of any contract.
        at: The moment that it is of.
        cause: The order whose execution has moved it.
        event_id: Its name; by itself it is the contract's and the moment's.
    """
    contract, guard = position.contract, protection(position, orders)
    return PositionSnapshot(
        event_id=event_id or f"position.{contract.con_id}.{named(at)}",
        at=at,
        account=masked(position.account),
        symbol=ticker(contract),
        con_id=contract.con_id,
        sec_type=contract.sec_type,
        currency=contract.currency,
        multiplier=figure(contract.multiplier),
        quantity=figure(position.quantity),
        average_cost=figure(position.average_cost),
        market_price=maybe(position.market_price),
        market_value=maybe(position.market_value),
        unrealized_pnl=maybe(position.unrealized_pnl),
        realized_pnl=figure(position.realized_pnl),
        stop_price=maybe(guard.stop),
        covered=figure(guard.covered),
        cause=cause,
    )


def pnl_snapshot(
    pnl: DayPnl, portfolio: PortfolioState, *, account: str, at: datetime
) -> PnLSnapshot:
    """Return the day's result, by symbol and in all, as it stands at `at`."""
    values = portfolio.values
    found: dict[str, list[ContractPnl]] = {}
    for one in pnl.contracts.values():
        found.setdefault(one.contract.symbol, []).append(one)
    return PnLSnapshot(
        event_id=f"pnl.{named(at)}",
        at=at,
        account=masked(account),
        currency=currency_of(portfolio),
        since=pnl.since,
        realized=figure(pnl.realized),
        unrealized=figure(pnl.unrealized),
        commission=figure(pnl.commission),
        net=maybe(pnl.net),
        by_symbol=tuple(_symbol(symbol, parts) for symbol, parts in sorted(found.items())),
        net_liquidation=None if values is None else maybe(values.net_liquidation),
        notes=tuple(plain(note, limit=SENTENCES) for note in pnl.notes),
    )


def _symbol(symbol: str, parts: list[ContractPnl]) -> SymbolPnL:
    is_known = not any(one.is_foreign for one in parts)
    gains = [one.unrealized for one in parts]
    nets = [one.net for one in parts]
    return SymbolPnL(
        symbol=symbol.replace(" ", "."),
        realized=figure(sum((one.realized for one in parts), ZERO)) if is_known else None,
        unrealized=_sum(gains),
        commission=figure(sum((one.commission for one in parts), ZERO)),
        net=_sum(nets),
    )


def _sum(parts: list[Decimal | None]) -> Decimal | None:
    known = [one for one in parts if one is not None]
    return figure(sum(known, ZERO)) if len(known) == len(parts) else None
