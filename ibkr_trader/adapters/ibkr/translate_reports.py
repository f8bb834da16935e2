"""The messages that come most often, read from their fields straight into our types.

Statuses, executions, commissions, positions, ticks: text becomes `Decimal` without a float
in between, and at a fraction of what the client library's decoder takes (it looks at each
of a dataclass's fields by reflection). Layouts are facts of the protocol and the same at
every version from 157 to 200; fields that newer versions append are ignored.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from ibkr_trader.adapters.ibkr import messages as m
from ibkr_trader.adapters.ibkr.translate_contracts import make_contract
from ibkr_trader.adapters.ibkr.translate_values import amount, moment, number, whole
from ibkr_trader.core.enums import SecType, Side
from ibkr_trader.core.models import ZERO

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from decimal import Decimal

    from ibkr_trader.core.models import Contract

_SIDES = {"BOT": Side.BUY, "BUY": Side.BUY, "SLD": Side.SELL, "SELL": Side.SELL}


def status_report(fields: list[str]) -> m.StatusReport:
    """Read orderStatus (3)."""
    _, order_id, status, filled, remaining, average, perm_id, parent_id, _, client, why, *_ = fields
    return m.StatusReport(
        order_id=int(order_id),
        status=status,
        filled=amount(filled),
        remaining=amount(remaining),
        average_price=number(average) or None,
        perm_id=whole(perm_id),
        parent_id=whole(parent_id),
        client_id=whole(client),
        held_for=why,
    )


def execution(fields: list[str]) -> m.Execution:
    """Read execDetails (11)."""
    request_id, order_id = fields[1:3]
    exec_id, time, account, exchange, side, shares, price, perm_id, client_id = fields[14:23]
    quantity, paid = number(shares), number(price)
    if quantity is None or paid is None or not exec_id:
        raise ValueError("an execution without id, quantity or price")
    return m.Execution(
        request_id=int(request_id),
        order_id=whole(order_id),
        contract=_contract(tuple(fields[3:14])),
        exec_id=exec_id,
        at=moment(time, zone="US/Eastern"),
        account=account,
        exchange=exchange,
        side=_SIDES[side],
        quantity=quantity,
        price=paid,
        perm_id=whole(perm_id),
        client_id=whole(client_id),
        ref=fields[26],
        is_liquidation=whole(fields[23]) != 0,
    )


def commission(fields: list[str]) -> m.Commission:
    """Read commissionReport (59)."""
    _, _, exec_id, paid, currency, realized, *_ = fields
    return m.Commission(
        exec_id=exec_id, commission=number(paid), currency=currency, realized_pnl=number(realized)
    )


def position(fields: list[str]) -> m.PositionReport:
    """Read position (61)."""
    contract = _contract(tuple(fields[3:14]))
    cost = amount(fields[15])
    if contract.sec_type is not SecType.STOCK:
        cost /= contract.multiplier  # stated with the multiplier in it
    return m.PositionReport(
        account=fields[2], contract=contract, quantity=amount(fields[14]), average_cost=cost
    )


def tick_price(fields: list[str]) -> m.Tick:
    """Read tickPrice (1), which carries the size of its side."""
    _, _, request_id, tick_type, price, size, *_ = fields
    return m.Tick(int(request_id), int(tick_type), _quoted(price), number(size))


def tick_size(fields: list[str]) -> m.Tick:
    """Read tickSize (2)."""
    _, _, request_id, tick_type, size, *_ = fields
    return m.Tick(int(request_id), int(tick_type), number(size))


def tick_generic(fields: list[str]) -> m.Tick:
    """Read tickGeneric (45)."""
    _, _, request_id, tick_type, value, *_ = fields
    return m.Tick(int(request_id), int(tick_type), number(value))


def _quoted(price: str) -> Decimal | None:
    value = number(price)  # -1 and 0 are TWS's ways to say that nobody quotes
    return value if value is not None and value > ZERO else None


@lru_cache(maxsize=4096)
def _contract(fields: tuple[str, ...]) -> Contract:
    con_id, symbol, sec_type, expiry, strike, right, multiplier, exchange, currency, *names = fields
    local_symbol, trading_class = names
    return make_contract(
        con_id=whole(con_id),
        symbol=symbol,
        sec_type=sec_type,
        expiry=expiry,
        strike=number(strike),
        right=right,
        multiplier=number(multiplier),
        exchange=exchange,
        currency=currency,
        local_symbol=local_symbol,
        trading_class=trading_class,
    )


READERS: Mapping[int, Callable[[list[str]], m.Message]] = {
    1: tick_price,
    2: tick_size,
    3: status_report,
    11: execution,
    45: tick_generic,
    59: commission,
    61: position,
}
