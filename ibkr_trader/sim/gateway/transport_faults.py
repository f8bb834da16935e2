"""The vocabulary of faults of the transport: what becomes of bytes, whatever they say.

A fault of messages (`fault_rules.py`) strikes what is said; one of these strikes the sockets under
it. Each is a value. `network.py` keeps those in force, `links.py` carries them out, one connection
at a time; whatever takes time takes it by the exchange's clock.
"""

from typing import Literal

import msgspec

Way = Literal["c2s", "s2c", "both"]
OneWay = Literal["c2s", "s2c"]


class _LinkFault(
    msgspec.Struct, frozen=True, kw_only=True, tag_field="link", forbid_unknown_fields=True
):
    """What is done to the bytes of connections; `client` is whose, None everybody's."""

    client: int | None = None


class Blackhole(_LinkFault, frozen=True, tag="blackhole"):
    """Nothing arrives, and nobody is told: the socket stays open.

    What is under way waits, as TCP would send it again, and arrives when the hole closes. What a
    connection leaves behind when it ends is lost.

    Attributes:
        way: From clients to the gateway (`c2s`), to clients (`s2c`), or both.
        seconds: How long; None until it is lifted.
        standing: Only connections that stood when it was armed are in it; new ones work.
    """

    way: Way = "both"
    seconds: float | None = None
    standing: bool = False


class Latency(_LinkFault, frozen=True, tag="latency"):
    """Every byte arrives so many seconds late, in its order."""

    seconds: float
    way: Way = "both"


class Slow(_LinkFault, frozen=True, tag="slow"):
    """So many bytes a second arrive, and no more."""

    rate: float
    way: Way = "s2c"

    def __post_init__(self) -> None:
        """Refuse a rate at which nothing would ever arrive.

        Raises:
            ValueError: It is not above 0.
        """
        if self.rate <= 0:
            message = "a slow line passes some bytes a second: for none, it is a blackhole"
            raise ValueError(message)


class Trickle(_LinkFault, frozen=True, tag="trickle"):
    """Every byte arrives alone."""

    way: Way = "both"


class AcceptThenClose(_LinkFault, frozen=True, tag="accept_then_close"):
    """The next connections, so many, are accepted and closed without a word."""

    times: int = 1

    def __post_init__(self) -> None:
        """Refuse what would close none.

        Raises:
            ValueError: `times` is below 1.
        """
        if self.times < 1:
            message = "at least one connection is accepted and closed"
            raise ValueError(message)


class Refuse(_LinkFault, frozen=True, tag="refuse"):
    """Nobody listens for so many seconds; None is until it is lifted. Who is connected stays."""

    seconds: float | None = None


LinkFault = Blackhole | Latency | Slow | Trickle | AcceptThenClose | Refuse
Lasting = Blackhole | Refuse


def covers(way: Way, one: OneWay) -> bool:
    """Say whether a fault of `way` strikes what goes `one` way."""
    return way in ("both", one)
