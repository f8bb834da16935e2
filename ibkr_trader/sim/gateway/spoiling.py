"""Bytes that are wrong: messages cut short, texts that are none, frames that are garbage."""

import hashlib
import re
from collections.abc import Callable

from ibkr_trader.sim.gateway.fault_acts import BadUtf8, HalfFrame
from ibkr_trader.sim.gateway.framing import PREFIX, framed

Spoil = Callable[[bytes], tuple[bytes, bool]]  # the bytes in their place, and whether it ends there
LONGEST = 2**31 - 1
_TEXT = re.compile(rb"[A-Za-z]")


def spoil_of(act: HalfFrame | BadUtf8) -> Spoil:
    """Return what an act does to the bytes of a message."""
    if isinstance(act, BadUtf8):
        return lambda data: (_with_bad_text(data), False)
    size = act.size
    if not act.is_framed:
        return lambda data: (data[:size], True)
    return lambda data: (framed(data[PREFIX : max(PREFIX, size)]), False)


def garbage(size: int) -> bytes:
    """Return a frame of so many bytes that mean nothing, the same ones every time."""
    blocks = (hashlib.sha256(str(n).encode()).digest() for n in range(size // 32 + 1))
    return framed(b"".join(blocks)[:size])


def oversize(size: int) -> bytes:
    """Return the beginning of a frame that claims 2^31-1 bytes, and so many of them."""
    return LONGEST.to_bytes(PREFIX, "big") + bytes(size)


def _with_bad_text(data: bytes) -> bytes:
    fields = data[PREFIX:].split(b"\0")
    texts = [place for place, field in enumerate(fields[:-1]) if _TEXT.search(field)]
    fields[texts[0] if texts else 0] += b"\xff"
    return framed(b"\0".join(fields))
