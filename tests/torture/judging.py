"""What the exchange's books, the wire log and the journal must say after any number of kills."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

from ibkr_trader.adapters.clock import SystemClock
from ibkr_trader.adapters.journal import SqliteJournal
from ibkr_trader.core.commands import SubmitOrders
from ibkr_trader.core.events import (
    CancelRequestEvent,
    FillEvent,
    ModifyEvent,
    OrderEvent,
    UnknownEvent,
)
from ibkr_trader.core.ids import parse_order_id

_STOPS = ("STP", "TRAIL", "STP LMT", "TRAIL LIMIT")
_DUE = ("order_ref", "account", "tif")


class Wire:
    """What traders have sent so far, read as the log grows."""

    def __init__(self, path: Path) -> None:
        self._path, self._at = path, 0
        self.keys: dict[str, set[tuple[int, int]]] = defaultdict(set)
        self.sent: Counter[str] = Counter()
        self.numbers: set[tuple[int, int]] = set()
        self.highest: Counter[int] = Counter()
        self.wrong: list[str] = []

    def read(self) -> None:
        """Take in what has been added since the last look."""
        with self._path.open("rb") as file:
            file.seek(self._at)
            lines = file.read().split(b"\n")
        for line in lines[:-1]:
            self._at += len(line) + 1
            entry = json.loads(line)
            if (entry["way"], entry["name"]) == ("in", "placeOrder"):
                self._take(entry)

    def _take(self, entry: dict[str, Any]) -> None:
        ref = entry.get("order_ref", "")
        client, number = entry["order_client"], entry["order_id"]
        if (client, number) not in self.numbers and number < self.highest[client]:
            self.wrong.append(f"S3 order {number} left after {self.highest[client]}")
        self.numbers.add((client, number))
        self.highest[client] = max(number, self.highest[client])
        self.keys[ref].add((client, number))
        self.sent[ref] += 1
        lacks = (name for name in _DUE if not entry.get(name))
        self.wrong += [f"S25 {ref} was sent without {name}" for name in lacks]


def of_the_wire(wire: Wire, records: Iterable[Any]) -> Iterator[str]:
    """S1, S2, S3, S25: each order once, written down before, under a number of its own.

    A change that comes when its order has ended looks like an order: the journal has it as one.
    """
    wire.read()
    known = tuple(records)
    written = {
        spec.order_id for one in known if isinstance(one, SubmitOrders) for spec in one.orders
    }
    changes = Counter(str(one.order_id) for one in known if isinstance(one, ModifyEvent))
    for ref, keys in wire.keys.items():
        if len(keys) > 1 or wire.sent[ref] > 1 + changes[ref]:
            yield f"S1 {ref} was placed {wire.sent[ref]} times, as {sorted(keys)}"
        if ref not in written:
            yield f"S2 {ref} was placed, and the journal does not know it"
    yield from _numbers(wire, known)
    yield from wire.wrong


def _numbers(wire: Wire, records: Iterable[Any]) -> Iterator[str]:
    """Given out in ascending order, one to an order."""
    owners = {key: ref for ref, keys in wire.keys.items() for key in keys}
    for ref, keys in wire.keys.items():
        yield from (f"S3 {ref} took the number of {owners[k]}" for k in keys if owners[k] != ref)
    highest = 0
    for one in records:
        for spec in one.orders if isinstance(one, SubmitOrders) else ():
            if spec.broker_order_id <= highest:
                yield f"S3 order {spec.broker_order_id} was given out after {highest}"
            highest = max(highest, spec.broker_order_id)


def of_the_ledger(books: dict[str, Any], records: Iterable[Any]) -> Iterator[str]:
    """S20: every execution is on record, once."""
    heard = Counter(
        (one.fill.fill_id, one.fill.revision) for one in records if isinstance(one, FillEvent)
    )
    yield from (f"S20 {fill} was counted {n} times" for (fill, _), n in heard.items() if n > 1)
    known = {fill_id for fill_id, _ in heard}
    for one in books["executions"]:
        if one["exec_id"].rpartition(".")[0] not in known:
            yield f"S20 {one['exec_id']} of {one['order_ref']} was lost"


def at_rest(books: dict[str, Any], names: dict[int, str]) -> Iterator[str]:
    """S7, S8: what is held is covered by its stops, exactly, and no exit could turn it round."""
    held = {symbol: Decimal(number) for symbol, number in books["positions"].items()}
    stops: Counter[str] = Counter()
    alone: Counter[str] = Counter()
    groups: dict[str, dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    for order in books["orders"]:
        found = parse_order_id(order["name"])
        if found is None or not found.role.is_protective or order["why_held"] == "child":
            continue
        symbol = names[order["con_id"]]
        left = Decimal(order["quantity"]) - Decimal(order["filled"])
        if order["type"] in _STOPS:
            stops[symbol] += int(left)
        if group := order["oca_group"]:
            groups[symbol][group] = max(groups[symbol][group], left)
        else:
            alone[symbol] += int(left)
    for symbol, quantity in held.items():
        if stops[symbol] != abs(quantity):
            yield f"S8 {symbol}: {quantity} held, stops for {stops[symbol]}"
    for symbol in {*alone, *groups}:
        exits = alone[symbol] + sum(groups[symbol].values(), Decimal(0))
        if exits > abs(held.get(symbol, Decimal(0))):
            yield f"S7 {symbol}: exits for {exits}, {held.get(symbol, 0)} held"


def unaccounted(records: Iterable[Any]) -> Iterator[str]:
    """L1: of what was unknown once, the journal has what became of it."""
    unknown: dict[str, None] = {}
    for one in records:
        if isinstance(one, UnknownEvent):
            unknown[one.order_id] = None
        elif isinstance(one, OrderEvent) and not isinstance(one, CancelRequestEvent | ModifyEvent):
            unknown.pop(one.order_id, None)
    yield from (f"L1 nobody can account for {order_id}" for order_id in unknown)


def records_of(path: Path) -> list[Any]:
    """Return every message of a journal that nobody writes to now, its chain checked."""
    with SqliteJournal(path, clock=SystemClock(), read_only=True) as journal:
        return [message for _, message in journal.messages()]
