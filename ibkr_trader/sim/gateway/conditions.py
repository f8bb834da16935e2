"""The six conditions that may hold an order back; one layout for every message that has them."""

from decimal import Decimal

import msgspec

from ibkr_trader.sim.gateway.items import Row
from ibkr_trader.sim.gateway.kinds import FLAG, INT, NUMBER, TEXT
from ibkr_trader.sim.gateway.layout import Layout, rows


class PriceCondition(msgspec.Struct, frozen=True, kw_only=True, tag="price"):
    """The price of a contract is above or below a level."""

    connector: str
    is_more: bool
    price: Decimal
    con_id: int
    exchange: str
    trigger_method: int


class TimeCondition(msgspec.Struct, frozen=True, kw_only=True, tag="time"):
    """It is later (or earlier) than a moment, in TWS's text."""

    connector: str
    is_more: bool
    time: str


class MarginCondition(msgspec.Struct, frozen=True, kw_only=True, tag="margin"):
    """The account's margin cushion is above or below a percentage."""

    connector: str
    is_more: bool
    percent: Decimal


class ExecutionCondition(msgspec.Struct, frozen=True, kw_only=True, tag="execution"):
    """Something traded in a symbol."""

    connector: str
    sec_type: str
    exchange: str
    symbol: str


class VolumeCondition(msgspec.Struct, frozen=True, kw_only=True, tag="volume"):
    """The day's volume of a contract is above or below a number."""

    connector: str
    is_more: bool
    volume: int
    con_id: int
    exchange: str


class ChangeCondition(msgspec.Struct, frozen=True, kw_only=True, tag="change"):
    """The day's change of a contract in percent is above or below a number."""

    connector: str
    is_more: bool
    change_percent: Decimal
    con_id: int
    exchange: str


Condition = (
    PriceCondition
    | TimeCondition
    | MarginCondition
    | ExecutionCondition
    | VolumeCondition
    | ChangeCondition
)

_HEAD = (Row("connector", TEXT), Row("is_more", FLAG))
_PLACE = (Row("con_id", INT), Row("exchange", TEXT))
CONDITIONS: dict[int, Layout[msgspec.Struct]] = {
    1: Layout(PriceCondition, *_HEAD, Row("price", NUMBER), *_PLACE, Row("trigger_method", INT)),
    3: Layout(TimeCondition, *_HEAD, Row("time", TEXT)),
    4: Layout(MarginCondition, *_HEAD, Row("percent", NUMBER)),
    5: Layout(ExecutionCondition, Row("connector", TEXT), *rows(TEXT, "sec_type exchange symbol")),
    6: Layout(VolumeCondition, *_HEAD, Row("volume", INT), *_PLACE),
    7: Layout(ChangeCondition, *_HEAD, Row("change_percent", NUMBER), *_PLACE),
}
