"""Faults of the transport in words: `blackhole s2c 30`, `half-frame 20 execDetails`."""

from collections.abc import Callable
from typing import Any

from ibkr_trader.sim.gateway import acts
from ibkr_trader.sim.gateway import transport_faults as links
from ibkr_trader.sim.gateway.fault_acts import BadUtf8, HalfFrame
from ibkr_trader.sim.gateway.words import (
    WHICH,
    BadWords,
    Form,
    Read,
    Words,
    chosen,
    client_in,
    count_in,
    lasting_in,
    real_in,
    striking,
)

WAYS = ("c2s", "s2c", "both")
_LARGEST_BLURT = 1 << 20


def way_in(words: Words, default: str) -> Any:
    """Take a word that says which way, if there is one."""
    return chosen(words.word("WAY", default), "WAY", WAYS)


def _armed(make: Callable[[Words], links.LinkFault]) -> Read:
    return lambda words: acts.Arm(links=(make(words),))


def _blackhole(words: Words) -> links.LinkFault:
    return links.Blackhole(
        way=way_in(words, "both"),
        seconds=lasting_in(words),
        standing=words.flag("standing"),
        client=client_in(words),
    )


def _slow(words: Words) -> links.LinkFault:
    rate = real_in(words.word("BYTES/S"), "BYTES/S")
    return links.Slow(rate=rate, way=way_in(words, "s2c"), client=client_in(words))


def _accept(words: Words) -> links.LinkFault:
    return links.AcceptThenClose(times=count_in(words.word("TIMES", "1"), "TIMES"))


def latency(words: Words, seconds: float) -> acts.Act:
    """Read the rest of a delay of everything: which way, and whose."""
    late = links.Latency(seconds=seconds, way=way_in(words, "both"), client=client_in(words))
    return acts.Arm(links=(late,))


def _half_frame(words: Words) -> HalfFrame:
    size = count_in(words.word("BYTES"), "BYTES", least=0)
    return HalfFrame(size=size, is_framed=words.flag("framed"))


def _blurt(what: Any) -> Read:
    def read(words: Words) -> acts.Act:
        size = count_in(words.word("BYTES", "64"), "BYTES", least=0)
        if size > _LARGEST_BLURT:
            message = f"BYTES are {_LARGEST_BLURT} at most"
            raise BadWords(message)
        return acts.Blurt(what=what, size=size, client=client_in(words))

    return read


_CLIENT = "[--client N]"
TRANSPORT_FORMS: dict[str, Form] = {
    "blackhole": Form(
        f"blackhole [c2s|s2c|both] [SECONDS] [--standing] {_CLIENT}",
        "the socket stays open, and nothing arrives",
        _armed(_blackhole),
    ),
    "byte-at-a-time": Form(
        f"byte-at-a-time [c2s|s2c|both] {_CLIENT}",
        "every byte arrives alone",
        _armed(lambda w: links.Trickle(way=way_in(w, "both"), client=client_in(w))),
    ),
    "slow": Form(
        f"slow BYTES/S [c2s|s2c|both] {_CLIENT}", "so many bytes arrive a second", _armed(_slow)
    ),
    "half-frame": Form(
        f"half-frame BYTES [MESSAGE…] [--framed] {WHICH}",
        "a message is cut short, and the connection ends (or, framed, goes on)",
        striking(_half_frame, ("orderStatus",), answers=True),
    ),
    "bad-utf8": Form(
        f"bad-utf8 [MESSAGE…] {WHICH}",
        "a message has a text that is none",
        striking(lambda _: BadUtf8(), ("orderStatus",), answers=True),
    ),
    "garbage-frame": Form(
        f"garbage-frame [BYTES] {_CLIENT}", "a message of garbage comes now", _blurt("garbage")
    ),
    "oversize-frame": Form(
        f"oversize-frame [BYTES] {_CLIENT}",
        "a message begins that claims 2^31-1 bytes",
        _blurt("oversize"),
    ),
    "accept-then-close": Form(
        "accept-then-close [TIMES]", "who connects is dropped at once", _armed(_accept)
    ),
    "refuse": Form(
        "refuse [SECONDS]",
        "nobody listens at the port",
        _armed(lambda w: links.Refuse(seconds=lasting_in(w))),
    ),
}
