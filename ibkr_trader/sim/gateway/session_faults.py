"""The vocabulary of faults between the gateway and its broker, and what a gateway does of itself.

The socket is well, and what is behind it is not. These last until they are lifted or their time is
up; `uplink.py` keeps those in force. What strikes single messages of a session (a client id that is
taken, order ids that leap) are acts of `fault_acts.py`.
"""

from typing import Literal

import msgspec


class _SessionFault(
    msgspec.Struct, frozen=True, kw_only=True, tag_field="session", forbid_unknown_fields=True
):
    """What holds for everybody who is connected."""


class Outage(_SessionFault, frozen=True, tag="outage"):
    """The gateway has lost the broker (1100, or 2110), and clients keep their sockets.

    Nothing is told of orders, positions, figures or prices, and it is not told later either:
    orders live on at the exchange. Questions wait for the end; the time and order ids are answered.

    Attributes:
        code: What clients are told: 1100 or 2110.
        orders: Orders and cancels that come meanwhile reach the exchange and `work`, or they `sit`
            in the gateway until the end.
    """

    code: Literal[1100, 2110] = 1100
    orders: Literal["work", "sit"] = "work"


class CompetingSession(_SessionFault, frozen=True, tag="competing_session"):
    """Somebody trades the same user elsewhere: market data ends with 10197, and comes back after.

    `seconds` is how long it lasts; None until it is lifted.
    """

    seconds: float | None = None


class Stale(_SessionFault, frozen=True, tag="stale"):
    """Market data stands still, and nothing is said of it; the market goes on."""

    seconds: float | None = None


class DelayedData(_SessionFault, frozen=True, tag="delayed_data"):
    """Live market data is gone: delayed data comes in its place (10167, marketDataType 3)."""

    seconds: float | None = None


SessionFault = Outage | CompetingSession | Stale | DelayedData
