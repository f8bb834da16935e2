"""When something happens that was planned: at a moment, a message, a fill, a byte, a halt."""

from datetime import datetime, time
from decimal import Decimal

import msgspec

from ibkr_trader.sim.gateway.fault_rules import When
from ibkr_trader.sim.gateway.transport_faults import OneWay


class _Trigger(
    msgspec.Struct, frozen=True, kw_only=True, tag_field="trigger", forbid_unknown_fields=True
):
    """What is waited for."""


class Moment(_Trigger, frozen=True, tag="moment"):
    """The exchange's clock reaches a moment: one of these three is given.

    Attributes:
        at: This one.
        clock: The next time it is so late in New York.
        after: So many seconds from now.
    """

    at: datetime | None = None
    clock: time | None = None
    after: float | None = None


class Passing(_Trigger, frozen=True, tag="passing"):
    """A message comes by; what was planned happens just before it goes on."""

    when: When


class Filled(_Trigger, frozen=True, tag="filled"):
    """So much of an order, in percent, has traded; before anybody is told of the fill."""

    percent: Decimal
    order: str = "*"


class Connected(_Trigger, frozen=True, tag="connected"):
    """A client starts the API for the n-th time since the gateway was started."""

    number: int
    client: int | None = None


class Halted(_Trigger, frozen=True, tag="halted"):
    """Trading of an instrument stops, or goes on."""

    symbol: str
    halted: bool = True


class Byte(_Trigger, frozen=True, tag="byte"):
    """So many bytes of a connection have arrived, one way.

    They count from the connection's beginning, or from the planning if that was later.
    """

    at: int
    way: OneWay = "s2c"
    client: int | None = None


Trigger = Moment | Passing | Filled | Connected | Halted | Byte
