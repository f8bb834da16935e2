"""The wire log: every message in both directions, with the exchange's time.

What a desk promises is judged by this and by the exchange's own ledger, never by what the desk
believes. In process the log keeps the messages themselves; as a file it is one line of JSON each,
readable by its owner alone, and begun anew before it grows out of hand.
"""

import os
from collections.abc import Callable, Iterator
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from ibkr_trader.sim.gateway.open_order import OpenOrder
from ibkr_trader.sim.gateway.order_requests import PlaceOrder
from ibkr_trader.sim.gateway.wire_order import WireOrder
from ibkr_trader.sim.orders import OrderKey

LARGEST = 16 << 20  # bytes of a log file; then it becomes `.1`, and the `.1` before it goes
_TERMS = ("action", "quantity", "order_type", "limit_price", "aux_price", "tif", "parent_id")
_LINKS = ("oca_group", "oca_type", "transmit", "account")
_TOLD = (
    *("status", "filled", "remaining", "why_held", "perm_id", "exec_id", "side", "shares", "price"),
    *("cum_quantity", "commission", "realized_pnl", "req_id", "code", "text", "position"),
)


class Way(StrEnum):
    """Which way a message went."""

    IN = "in"  # from a client
    OUT = "out"  # to a client


class Fate(StrEnum):
    """What became of a message on its way."""

    WHOLE = "whole"  # it arrived
    CUT = "cut"  # some of its bytes arrived
    LOST = "lost"  # none did
    SPOILED = "spoiled"  # all did, and not as they were


class Part(NamedTuple):
    """Bytes that leave for a client: a message, or what a fault has put in its place.

    Attributes:
        data: The bytes.
        reply: The message; None for what is none.
        name: What to call them if they are none; empty is not worth telling (the handshake).
        whole: How many bytes the message has, if a fault has changed them.
    """

    data: bytes
    reply: msgspec.Struct | None = None
    name: str = ""
    whole: int = 0


class WireEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One message that crossed the wire.

    Attributes:
        at: The exchange's time, UTC: of its arrival, or of the write that it left in.
        client_id: Who sent it or got it; -1 before startApi.
        way: `in` from the client, `out` to it.
        name: As the API calls it (`naming.py`); `unreadable` for what could not be decoded.
        key: The order it is about, if it is about one, and `order_ref` that order's own name.
        message: The request or reply itself; None for what could not be decoded.
        fate: Whether it arrived. A request is `lost` if the gateway never got it whole.
        size: How many bytes it has, and `passed` how many of them arrived; told of those that a
            fault of the transport has met, 0 for all others.
    """

    at: datetime
    client_id: int
    way: Way
    name: str
    key: OrderKey | None = None
    order_ref: str = ""
    message: msgspec.Struct | None = None
    fate: Fate = Fate.WHOLE
    size: int = 0
    passed: int = 0


Tap = Callable[[WireEntry], None]


class WireLog:
    """The log in memory, oldest first."""

    def __init__(self) -> None:
        self.entries: list[WireEntry] = []

    def __call__(self, entry: WireEntry) -> None:
        """Keep an entry."""
        self.entries.append(entry)

    def __len__(self) -> int:
        return len(self.entries)

    def sent(self, *names: str, ref: str = "") -> list[WireEntry]:
        """Return what reached the gateway, of these names (all, without any), about one order."""
        return [e for e in self._chosen(Way.IN, names, ref) if e.fate is Fate.WHOLE]

    def told(self, *names: str, ref: str = "") -> list[WireEntry]:
        """Return what reached clients, chosen alike."""
        return [e for e in self._chosen(Way.OUT, names, ref) if e.fate is Fate.WHOLE]

    def lost(self, *names: str, ref: str = "") -> list[WireEntry]:
        """Return what was sent either way and did not arrive whole, chosen alike."""
        return [e for e in self._chosen(None, names, ref) if e.fate is not Fate.WHOLE]

    def _chosen(self, way: Way | None, names: tuple[str, ...], ref: str) -> Iterator[WireEntry]:
        for kept in self.entries:
            if way not in {None, kept.way} or (names and kept.name not in names):
                continue
            if not ref or kept.order_ref == ref:
                yield kept


class WireFile:
    """The log as a file of JSON lines.

    Raises:
        OSError: From the constructor, and from every call: it cannot be written.
    """

    def __init__(self, path: Path, *, largest: int = LARGEST) -> None:
        self._path = path
        self._largest = largest
        self._open()

    def __call__(self, entry: WireEntry) -> None:
        """Write an entry."""
        line = msgspec.json.encode(facts(entry)) + b"\n"
        if self._size + len(line) > self._largest:
            self.close()
            self._path.replace(self._path.with_name(f"{self._path.name}.1"))
            self._open()
        self._file.write(line)
        self._size += len(line)

    def close(self) -> None:
        """Write what waits, and close the file."""
        self._file.close()

    def _open(self) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW
        handle = os.open(self._path, flags, 0o600)
        os.fchmod(handle, 0o600)
        self._file = os.fdopen(handle, "ab", buffering=0)  # a crash must not cost the last lines
        self._size = os.fstat(handle).st_size


def facts(entry: WireEntry) -> dict[str, Any]:
    """Return an entry as a flat table of what matters about it."""
    told: dict[str, Any] = {
        "at": entry.at,
        "client_id": entry.client_id,
        "way": entry.way,
        "name": entry.name,
    }
    if entry.key is not None:
        told |= {"order_client": entry.key.client_id, "order_id": entry.key.order_id}
    if entry.order_ref:
        told["order_ref"] = entry.order_ref
    if entry.size:
        told |= {"fate": entry.fate, "bytes": entry.size, "arrived": entry.passed}
    message = entry.message
    if isinstance(message, PlaceOrder | OpenOrder):
        told |= _terms(message.order)
    if isinstance(message, OpenOrder):
        told |= {"status": message.state.status, "perm_id": message.perm_id}
        told |= {"warning": message.state.warning_text} if message.state.warning_text else {}
    elif message is not None:
        told |= {name: getattr(message, name) for name in _TOLD if hasattr(message, name)}
    return told


def _terms(order: WireOrder) -> dict[str, Any]:
    told = {name: getattr(order, name) for name in (*_TERMS, *_LINKS)}
    return {"symbol": order.contract.symbol, "con_id": order.contract.con_id} | {
        name: value for name, value in told.items() if value not in {None, ""}
    }
