"""What outlives a restart or a kill -9: the exchange's state in one SQLite file.

Each commit writes only what changed, so its cost does not grow with the number of open orders.
WAL with `synchronous=NORMAL` survives the death of the process; a power failure may cost the last
commits, which for a simulator is fair. The server commits before it answers, so a client never
knows of an order that a restart would not.
"""

import contextlib
import sqlite3
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from ibkr_trader.sim.account import AccountState, PositionRecord
from ibkr_trader.sim.exchange import Counters, ExchangeConfig, ExchangeState
from ibkr_trader.sim.floor_rules import FloorRules
from ibkr_trader.sim.gateway.wire_order import WireOrder
from ibkr_trader.sim.instruments import Tape
from ibkr_trader.sim.orders import Execution, SimOrder

SCHEMA = 1
_TABLES = """
CREATE TABLE IF NOT EXISTS head (id INTEGER PRIMARY KEY CHECK (id = 1), body BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS clock (id INTEGER PRIMARY KEY CHECK (id = 1), body BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS orders (id INTEGER PRIMARY KEY, body BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS executions (id TEXT PRIMARY KEY, body BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS positions (id INTEGER PRIMARY KEY, body BLOB NOT NULL);
"""
_PUT = "INSERT OR REPLACE INTO {} VALUES (?, ?)"
_DROP = "DELETE FROM {} WHERE id = ?"
_Work = tuple[str, Sequence[tuple[Any, ...]]]
T = TypeVar("T", bound=msgspec.Struct)


class StoreError(Exception):
    """The state cannot be read or written; nothing that depends on it may be answered."""


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """What there is one of."""

    config: ExchangeConfig
    at: datetime
    counters: Counters
    account: AccountState
    manual: tuple[Tape, ...] = ()
    halted: tuple[int, ...] = ()
    rules: FloorRules = FloorRules()


class ClockMark(msgspec.Struct, frozen=True, kw_only=True):
    """Where the exchange's clock stood at a moment of the machine's."""

    at: datetime
    wall: datetime
    had_clients: bool


class Store:
    """One SQLite file; every method raises `StoreError` when the disk says no."""

    def __init__(self, path: Path) -> None:
        self._encode = msgspec.msgpack.Encoder().encode
        try:
            with contextlib.ExitStack() as undo:
                path.touch(mode=0o600)
                self._db = sqlite3.connect(path, isolation_level=None)
                undo.callback(self._db.close)
                self._db.execute("PRAGMA journal_mode=WAL")
                self._db.execute("PRAGMA synchronous=NORMAL")
                self._check_schema()
                self._db.executescript(_TABLES)
                undo.pop_all()
        except (sqlite3.Error, OSError) as error:
            message = f"cannot open the simulator's state {path}: {error}"
            raise StoreError(message) from error

    def load(self) -> ExchangeState | None:
        """Return the whole state, or None from a new file."""
        try:
            found = self._db.execute("SELECT body FROM head").fetchone()
            if found is None:
                return None
            head = msgspec.msgpack.decode(found[0], type=Head)
            return ExchangeState(
                config=head.config,
                at=head.at,
                counters=head.counters,
                account=head.account,
                orders=tuple(_with_echo(order) for order in self._all("orders", SimOrder)),
                executions=self._all("executions", Execution),
                positions=self._all("positions", PositionRecord),
                manual=head.manual,
                halted=head.halted,
                rules=head.rules,
            )
        except (sqlite3.Error, msgspec.MsgspecError) as error:
            message = f"the simulator's state is damaged: {error}"
            raise StoreError(message) from error

    def save(self, changes: ExchangeState) -> None:
        """Make `changes` durable, all or nothing."""
        encode = self._encode
        head = Head(
            config=changes.config,
            at=changes.at,
            counters=changes.counters,
            account=changes.account,
            manual=changes.manual,
            halted=changes.halted,
            rules=changes.rules,
        )
        work: list[_Work] = [
            (_DROP.format("orders"), [(number,) for number in changes.dropped_orders]),
            (_DROP.format("executions"), [(name,) for name in changes.dropped_executions]),
            (_PUT.format("orders"), [(o.perm_id, encode(o)) for o in changes.orders]),
            (_PUT.format("executions"), [(e.exec_id, encode(e)) for e in changes.executions]),
            (_PUT.format("positions"), [(p.con_id, encode(p)) for p in changes.positions]),
            (_PUT.format("head"), [(1, encode(head))]),
        ]
        self._write(work)

    def mark_clock(self, mark: ClockMark) -> None:
        """Remember where the exchange's clock stands."""
        self._write([(_PUT.format("clock"), [(1, self._encode(mark))])])

    def clock(self) -> ClockMark | None:
        """Return where the exchange's clock stood last; None from a new file."""
        found = self._db.execute("SELECT body FROM clock").fetchone()
        return msgspec.msgpack.decode(found[0], type=ClockMark) if found else None

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def _write(self, work: list[_Work]) -> None:
        try:
            self._db.execute("BEGIN IMMEDIATE")
            for statement, values in work:
                if values:
                    self._db.executemany(statement, values)
            self._db.execute("COMMIT")
        except sqlite3.Error as error:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            message = f"cannot write the simulator's state: {error}"
            raise StoreError(message) from error

    def _all(self, table: str, kind: type[T]) -> tuple[T, ...]:
        rows = self._db.execute(f"SELECT body FROM {table} ORDER BY rowid")  # noqa: S608 - our own table names
        return tuple(msgspec.msgpack.decode(body, type=kind) for (body,) in rows)

    def _check_schema(self) -> None:
        (found,) = self._db.execute("PRAGMA user_version").fetchone()
        if found not in (0, SCHEMA):
            message = f"schema {found}, and this version knows {SCHEMA}"
            raise sqlite3.DatabaseError(message)
        self._db.execute(f"PRAGMA user_version = {SCHEMA}")


def _with_echo(order: SimOrder) -> SimOrder:
    """Give an order that was read back its wire order as a value again."""
    if order.terms.wire is None:
        return order
    wire = msgspec.convert(order.terms.wire, WireOrder)
    terms = msgspec.structs.replace(order.terms, wire=wire)
    return msgspec.structs.replace(order, terms=terms)
