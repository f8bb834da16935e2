"""What a fault may do to a message, beyond losing, delaying and refusing it (`fault_rules.py`)."""

from decimal import Decimal
from typing import Literal

import msgspec


class MessageAct(
    msgspec.Struct, frozen=True, kw_only=True, tag_field="act", forbid_unknown_fields=True
):
    """What is done to a message."""


# -- to what begins a session --------------------------------------------------------------------


class TurnAway(MessageAct, frozen=True, tag="turn_away"):
    """A client that starts the API is refused with 326, and its connection closed."""


class Renumber(MessageAct, frozen=True, tag="renumber"):
    """The next order id is told wrong: `lower` is 1, `same` one in use, `huge` 2^31-1."""

    how: Literal["lower", "same", "huge"]


class Accounts(MessageAct, frozen=True, tag="accounts"):
    """The accounts that a client may use are told as these: several, another, or none."""

    names: tuple[str, ...]


# -- to orders, and to prices ------------------------------------------------------------------


class Kill(MessageAct, frozen=True, tag="kill"):
    """The order is taken, this code and text follow, and the broker cancels it."""

    code: int
    text: str


class Resize(MessageAct, frozen=True, tag="resize"):
    """The order is taken for fewer shares, at most so many, and 481 follows."""

    shares: Decimal


class HoldBack(MessageAct, frozen=True, tag="hold_back"):
    """The request waits for a person to let it through: so long, or (None) until it is lifted."""

    seconds: float | None = None


class UntilOpen(MessageAct, frozen=True, tag="until_open"):
    """A cancel is pending until trading opens the next time, and done only then."""


class BadTick(MessageAct, frozen=True, tag="bad_tick"):
    """Prices of these kinds (TWS's tick types) are told as this one; `NaN` is one, too."""

    kinds: tuple[int, ...]
    price: Decimal


class Ring(MessageAct, frozen=True, tag="ring"):
    """What was planned for it happens, and it goes on as it is."""

    plan: int


# -- to its bytes, on the way to a client ------------------------------------------------------


class HalfFrame(MessageAct, frozen=True, tag="half_frame"):
    """Only so many of its bytes arrive.

    Attributes:
        size: How many, its length prefix (4 bytes) among them.
        is_framed: They come as a message of their own, with a length that fits, and the
            conversation goes on; else they are the last bytes, and the connection ends.
    """

    size: int
    is_framed: bool = False


class BadUtf8(MessageAct, frozen=True, tag="bad_utf8"):
    """A byte that no text has (FF) is put behind its first text."""
