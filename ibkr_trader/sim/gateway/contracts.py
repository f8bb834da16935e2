"""Contracts as messages carry them: the twelve fields of requests, the eleven of replies.

`WireContract` is what a client wrote, possibly incomplete; the session resolves it to one of the
simulator's instruments before anything is done with it.
"""

from decimal import Decimal

import msgspec

from ibkr_trader.sim.gateway.items import Row
from ibkr_trader.sim.gateway.kinds import INT, MAYBE, MAYBE_ZERO, NUMBER, TEXT, ZERO
from ibkr_trader.sim.gateway.layout import Layout, rows


class WireContract(msgspec.Struct, frozen=True, kw_only=True):
    """A contract in TWS's own words; anything may be missing in a request."""

    con_id: int = 0
    symbol: str = ""
    sec_type: str = ""
    expiry: str = ""
    strike: Decimal | None = None
    right: str = ""
    multiplier: str = ""
    exchange: str = ""
    primary_exchange: str = ""
    currency: str = ""
    local_symbol: str = ""
    trading_class: str = ""


class ComboLeg(msgspec.Struct, frozen=True, kw_only=True):
    """One leg of a BAG, as orders carry it."""

    con_id: int = 0
    ratio: int = 0
    action: str = ""
    exchange: str = ""
    open_close: int = 0
    short_sale_slot: int = 0
    designated_location: str = ""
    exempt_code: int = -1


class DataLeg(msgspec.Struct, frozen=True, kw_only=True):
    """One leg of a BAG, as market data requests carry it."""

    con_id: int
    ratio: int
    action: str
    exchange: str


class DeltaNeutral(msgspec.Struct, frozen=True, kw_only=True):
    """The delta-neutral underlying of a contract."""

    con_id: int = 0
    delta: Decimal = ZERO
    price: Decimal = ZERO


_HEAD = (
    Row("con_id", INT),
    *rows(TEXT, "symbol sec_type expiry"),
)
_TAIL = rows(TEXT, "currency local_symbol trading_class")
CONTRACT12 = Layout(
    WireContract,
    *_HEAD,
    Row("strike", MAYBE),
    *rows(TEXT, "right multiplier exchange primary_exchange"),
    *_TAIL,
)
CONTRACT11 = Layout(
    WireContract,
    *_HEAD,
    Row("strike", MAYBE_ZERO),
    *rows(TEXT, "right multiplier exchange"),
    *_TAIL,
)
COMBO_LEG = Layout(
    ComboLeg,
    *rows(INT, "con_id ratio"),
    *rows(TEXT, "action exchange"),
    *rows(INT, "open_close short_sale_slot"),
    Row("designated_location", TEXT),
    Row("exempt_code", INT),
)
DATA_LEG = Layout(DataLeg, *rows(INT, "con_id ratio"), *rows(TEXT, "action exchange"))
DELTA_NEUTRAL = Layout(DeltaNeutral, Row("con_id", INT), *rows(NUMBER, "delta price"))


def is_bag(contract: WireContract) -> bool:
    """Whether the contract is a combination of legs."""
    return contract.sec_type == "BAG"
