"""The least code that puts a burst of executions on a durable record: the limit for ours.

It splits the frames, turns what a ledger needs into numbers and moments, leaves out what it has
seen, adds up, chains each record to the one before by its hash, and commits once. It knows no
order, no owner, no limits and nobody to tell.
"""

from __future__ import annotations

import hashlib
import sqlite3
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import msgspec

from ibkr_trader.adapters.ibkr.frames import FrameSplitter

# Where an execution's fields stand in its frame, at the versions that name no version of their own.
_EXEC_ID, _AT, _SIDE, _SHARES, _PRICE, _PERM_ID, _REF = 14, 15, 18, 19, 20, 21, 26


class Fill(msgspec.Struct, frozen=True, kw_only=True):
    """What a ledger needs to know of an execution."""

    order_id: str
    exec_id: str
    at: datetime
    side: str
    quantity: Decimal
    price: Decimal
    perm_id: int


class LeastLedger:
    """Holds what was bought, and its record.

    Attributes:
        held: How much was bought so far, in shares.
    """

    def __init__(self, path: Path) -> None:
        self.held = Decimal(0)
        self._cost = Decimal(0)
        self._seen: set[str] = set()
        self._chain = b""
        self._encode = msgspec.json.Encoder(decimal_format="string").encode
        self._record = sqlite3.connect(path)
        self._record.execute("PRAGMA journal_mode = WAL")
        self._record.execute("PRAGMA synchronous = FULL")
        self._record.execute("CREATE TABLE record (body BLOB, chain BLOB)")

    def take(self, data: bytes) -> None:
        """Put every execution in `data` on record, once."""
        rows = []
        for frame in FrameSplitter().feed(data):
            fields = frame.fields
            if fields[_EXEC_ID] in self._seen:
                continue
            fill = _read(fields)
            self._seen.add(fill.exec_id)
            self.held += fill.quantity
            self._cost += fill.quantity * fill.price
            body = self._encode(fill)
            self._chain = hashlib.sha256(self._chain + body).digest()
            rows.append((body, self._chain))
        self._record.executemany("INSERT INTO record VALUES (?, ?)", rows)
        self._record.commit()

    def close(self) -> None:
        """Close the record."""
        self._record.close()


def _read(fields: list[str]) -> Fill:
    text = fields[_AT]  # 20261120 10:00:00 US/Eastern; the zone costs more than all the rest
    return Fill(
        order_id=fields[_REF],
        exec_id=fields[_EXEC_ID],
        at=datetime(
            int(text[:4]), int(text[4:6]), int(text[6:8]),
            int(text[9:11]), int(text[12:14]), int(text[15:17]), tzinfo=UTC,
        ),
        side=fields[_SIDE],
        quantity=Decimal(fields[_SHARES]),
        price=Decimal(fields[_PRICE]),
        perm_id=int(fields[_PERM_ID]),
    )  # fmt: skip
