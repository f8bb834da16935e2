"""The closed sets of the domain: sides, order types, lifetimes, states.

Values are the words of the field (TWS's and NautilusTrader's), so that a journal, a
JSON answer and a table on the screen all say the same thing.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from decimal import Decimal


class Side(StrEnum):
    """Which way an order trades; quantities are always positive."""

    BUY = "BUY"
    SELL = "SELL"

    @classmethod
    def holding(cls, held: Decimal) -> Side:
        """The side that a signed position has come from, and that adds to it; nothing is a sale."""
        return cls.BUY if held > 0 else cls.SELL

    @classmethod
    def closing(cls, held: Decimal) -> Side:
        """The side that takes from a signed position."""
        return cls.holding(held).opposite

    @property
    def opposite(self) -> Side:
        """The side that undoes this one."""
        return Side.SELL if self is Side.BUY else Side.BUY

    @property
    def sign(self) -> int:
        """+1 for a buy, -1 for a sell: what a fill does to a signed position."""
        return 1 if self is Side.BUY else -1


class OrderType(StrEnum):
    """How an order finds its price."""

    MARKET = "MARKET"
    LIMIT = "LIMIT"
    STOP = "STOP"
    STOP_LIMIT = "STOP_LIMIT"
    TRAIL = "TRAIL"
    TRAIL_LIMIT = "TRAIL_LIMIT"
    MARKET_IF_TOUCHED = "MARKET_IF_TOUCHED"
    LIMIT_IF_TOUCHED = "LIMIT_IF_TOUCHED"
    MARKET_ON_CLOSE = "MARKET_ON_CLOSE"
    LIMIT_ON_CLOSE = "LIMIT_ON_CLOSE"


class TimeInForce(StrEnum):
    """How long an order may wait."""

    DAY = "DAY"
    GTC = "GTC"
    IOC = "IOC"
    FOK = "FOK"
    GTD = "GTD"
    OPG = "OPG"


class OcaType(StrEnum):
    """What a fill in a one-cancels-all group does to its other members (IBKR 1, 2, 3)."""

    CANCEL = "CANCEL"
    REDUCE = "REDUCE"
    REDUCE_NO_BLOCK = "REDUCE_NO_BLOCK"


class SecType(StrEnum):
    """What kind of thing is traded; the values are IBKR's own codes."""

    STOCK = "STK"
    OPTION = "OPT"
    FUTURE = "FUT"
    CASH = "CASH"
    INDEX = "IND"
    OTHER = "OTHER"  # bonds, warrants, coins …: may be held and is counted, is never traded here


class OrderRole(StrEnum):
    """Why an order exists within its group; part of its id, so it survives a lost journal."""

    SINGLE = "single"
    ENTRY = "entry"
    STOP = "stop"
    TARGET = "target"
    CLOSE = "close"
    TIMED = "timed"  # an exit that the broker sends by itself at a given time

    @property
    def is_protective(self) -> bool:
        """Whether the order's only purpose is to end a position."""
        return self in _PROTECTIVE


_PROTECTIVE = frozenset({OrderRole.STOP, OrderRole.TARGET, OrderRole.CLOSE, OrderRole.TIMED})


class Care(StrEnum):
    """Whether the desk looks after a position, where a person has said so."""

    ADOPTED = "adopted"  # opened elsewhere, and looked after as if it were opened here
    RELEASED = "released"  # left alone, with every order of ours that belongs to it


class OrderStatus(StrEnum):
    """Where an order stands, by our own evidence; `orders/lifecycle.py` has the transitions.

    `UNKNOWN` and `INACTIVE` are not closed: an order that may still trade counts as one
    that will.
    """

    PENDING = "PENDING"  # written down; sent or about to be; nothing heard yet
    PRESUBMITTED = "PRESUBMITTED"  # the broker holds it: a trigger, a parent, an opening
    SUBMITTED = "SUBMITTED"  # working at the exchange
    PARTIALLY_FILLED = "PARTIALLY_FILLED"
    PENDING_MODIFY = "PENDING_MODIFY"
    PENDING_CANCEL = "PENDING_CANCEL"
    INACTIVE = "INACTIVE"  # the broker sets it aside: a refusal, or a hold that ends
    UNKNOWN = "UNKNOWN"  # it may or may not have been sent
    FILLED = "FILLED"
    CANCELLED = "CANCELLED"
    EXPIRED = "EXPIRED"
    REJECTED = "REJECTED"  # refused by the broker
    DENIED = "DENIED"  # refused by us; never sent
    NOT_SENT = "NOT_SENT"  # proven never to have reached the broker

    @property
    def is_closed(self) -> bool:
        """Whether nothing more is expected to trade."""
        return self in _CLOSED

    @property
    def is_open(self) -> bool:
        """Whether the broker has confirmed the order and it can still trade."""
        return self in _OPEN

    @property
    def is_in_flight(self) -> bool:
        """Whether the broker has yet to say what became of it."""
        return self in (OrderStatus.PENDING, OrderStatus.UNKNOWN)


_CLOSED = frozenset(
    {
        OrderStatus.FILLED,
        OrderStatus.CANCELLED,
        OrderStatus.EXPIRED,
        OrderStatus.REJECTED,
        OrderStatus.DENIED,
        OrderStatus.NOT_SENT,
    }
)
_OPEN = frozenset(
    {
        OrderStatus.PRESUBMITTED,
        OrderStatus.SUBMITTED,
        OrderStatus.PARTIALLY_FILLED,
        OrderStatus.PENDING_MODIFY,
        OrderStatus.PENDING_CANCEL,
        OrderStatus.INACTIVE,
    }
)


class TradingState(StrEnum):
    """What the desk allows: everything, only less risk, or only less risk from a person."""

    ACTIVE = "ACTIVE"
    REDUCING = "REDUCING"
    HALTED = "HALTED"


class DataType(StrEnum):
    """How live the quotes are that the broker sends."""

    LIVE = "LIVE"
    FROZEN = "FROZEN"
    DELAYED = "DELAYED"
    DELAYED_FROZEN = "DELAYED_FROZEN"


class SignalAction(StrEnum):
    """What a signal wishes: an intent for a position, never the side of an order.

    BUY is to be long, SELL to be out of a long and never to flip, SHORT to be short.
    """

    BUY = "BUY"
    SELL = "SELL"
    SHORT = "SHORT"

    @property
    def is_exit(self) -> bool:
        """Whether it only ends a position, and can never open one."""
        return self is SignalAction.SELL


class Stage(StrEnum):
    """How far a strategy may go: it trades, it only writes down what it would do, or neither."""

    LIVE = "LIVE"
    SHADOW = "SHADOW"
    RETIRED = "RETIRED"


class WouldBe(StrEnum):
    """What kind of order an execution is of that a shadow would have had."""

    ENTRY = "ENTRY"
    ADD = "ADD"
    STOP = "STOP"
    TARGET = "TARGET"
    EXIT = "EXIT"


class Outcome(StrEnum):
    """What came of a signal or of a decision."""

    ACTED = "ACTED"  # done, as far as the broker's first word
    NOTHING = "NOTHING"  # rightly nothing to do: no rule holds, or it is so already
    REFUSED = "REFUSED"  # by a rule of ours or by the guard; nothing was sent
    FAILED = "FAILED"  # it could not be carried out, or the broker refused it
    UNKNOWN = "UNKNOWN"  # it may have been sent; never asked for again
