"""The ids of orders and groups: derived, never drawn, so that a lost journal is not fatal.

    group id   <install>-<n>            k7qav-17
    order id   <install>-<n>-<role>     k7qav-17-stop, k7qav-17-stop.2 (its replacement)

`install` tells our orders from everyone else's; it is drawn once for each journal. Its first
letters are its family: the hosts of one lease share them, and each other's orders are ours. The
order id travels in IBKR's `orderRef`, so what the broker reports names group and role by
itself. The broker's own numbers follow the rule of `next_broker_order_ids`.

Where a lease says who trades, its epoch is the beginning of every number: 3000017 is the 17th of
epoch 3. So whoever sees an order can tell under which leader it was placed.
"""

from __future__ import annotations

import base64
import re
from functools import lru_cache
from hashlib import sha256
from typing import NamedTuple

from ibkr_trader.core.enums import OrderRole
from ibkr_trader.core.errors import BrokerUnavailable
from ibkr_trader.core.models import GroupId, OrderId

FOREIGN = "foreign"  # begins the ids we give to orders of others; never an install prefix
TWIN = "twin"  # begins those of orders that live beside one of ours, under its name; likewise
FAMILY = 5  # letters
EPOCH = 1_000_000  # groups of one epoch; the next begin where these would end
MAX_BROKER_ORDER_ID = 2**31 - 10_000  # beyond lies the end of IBKR's integer

_REFERENCE = re.compile(r"[A-Za-z0-9._-]{1,40}")
_INSTALL = re.compile(r"[a-z][a-z2-7]{3,11}")
_GROUP = re.compile(r"([a-z][a-z2-7]{3,11})-([1-9][0-9]{0,17})")
_ORDER = re.compile(_GROUP.pattern + r"-([a-z]+)(?:\.([2-9]|[1-9][0-9]))?")
_TAKEN = frozenset({FOREIGN, TWIN})
_ROLES = frozenset(role.value for role in OrderRole)


class OrderRef(NamedTuple):
    """The parts of one of our order ids; `copy` is 2 and up for replacements."""

    install: str
    number: int
    role: OrderRole
    copy: int = 1

    @property
    def group_id(self) -> GroupId:
        """The group the order belongs to."""
        return GroupId(f"{self.install}-{self.number}")


def make_group_id(install: str, number: int) -> GroupId:
    """Return the id of group `number` of this installation.

    Raises:
        ValueError: If the parts cannot make one.
    """
    group_id = f"{install}-{number}"
    if _GROUP.fullmatch(group_id) is None or install in _TAKEN:
        raise ValueError(f"{group_id!r} cannot be a group id: want <install>-<number>, n >= 1")
    return GroupId(group_id)


def make_order_id(group_id: GroupId, role: OrderRole, *, copy: int = 1) -> OrderId:
    """Return the id of the order that plays `role` in the group.

    Args:
        group_id: The group.
        role: Why the order exists.
        copy: Counts the orders that have played the role; 1 is the first.

    Raises:
        ValueError: If the parts cannot make one.
    """
    order_id = f"{group_id}-{role.value}" if copy == 1 else f"{group_id}-{role.value}.{copy}"
    if not is_reference(order_id) or parse_order_id(order_id) is None:
        raise ValueError(f"{order_id!r} cannot be an order id: want <install>-<number>-<role>")
    return OrderId(order_id)


@lru_cache(maxsize=4096)  # of one order it is asked with each of its events, several times
def parse_order_id(reference: str) -> OrderRef | None:
    """Return the parts of an order id of ours (of any installation), or None if it is none."""
    match = _ORDER.fullmatch(reference)
    if match is None or match[3] not in _ROLES:
        return None
    return OrderRef(match[1], int(match[2]), OrderRole(match[3]), int(match[4] or 1))


def is_ours(reference: str, install: str) -> bool:
    """Whether this installation, or another of its family, gave an order that reference."""
    parts = parse_order_id(reference)
    return parts is not None and is_family(parts.install, install)


def is_our_group(reference: str, install: str) -> bool:
    """Whether a name of a group, or an id within one, is of this installation's family."""
    stem = _stem(reference)
    return stem is not None and is_family(stem[1], install)


def is_family(install: str, other: str) -> bool:
    """Whether two installations trade one account in turn: what one placed, the other may move."""
    return install[:FAMILY] == other[:FAMILY]


@lru_cache(maxsize=4096)  # every record of an order has it
def group_number(reference: str, install: str) -> int:
    """Return the number within a group or order id of this installation; 0 if it is not ours."""
    stem = _stem(reference)
    return int(stem[2]) if stem is not None and stem[1] == install else 0


def epoch_of(number: int) -> int:
    """Return the epoch in which group `number` was begun; 0 if it was without a lease."""
    return number // EPOCH


def epoch_in(reference: str) -> int:
    """Return the epoch that an order id of any installation names; 0 if it names none."""
    parts = parse_order_id(reference)
    return epoch_of(parts.number) if parts is not None else 0


def short_id(order_id: str) -> str:
    """Return the id as a person types it, without the install prefix: `17-stop`.

    A foreign id stays as it is, and so does a twin's.
    """
    stem = _GROUP.match(order_id)
    if stem is None or stem[1] in _TAKEN:
        return order_id
    return order_id[len(stem[1]) + 1 :]


def family_named(name: str) -> str:
    """Return the family of installations that goes by `name`: the same on every machine."""
    letters = base64.b32encode(sha256(name.encode()).digest()).decode().lower()
    return "l" + letters[: FAMILY - 1]  # as in lease; a digit cannot be the first


def _stem(reference: str) -> re.Match[str] | None:
    """Find the group in its own id, or in that of an order; None if it is neither."""
    stem = _GROUP.match(reference)
    if stem is None or reference[stem.end() : stem.end() + 1] not in {"", "-"}:
        return None
    return stem


def is_reference(text: str) -> bool:
    """Whether `text` may travel in `orderRef`: plain characters, at most 40."""
    return _REFERENCE.fullmatch(text) is not None


def is_install(text: str) -> bool:
    """Whether `text` can be an install prefix: lower-case base32, beginning with a letter."""
    return _INSTALL.fullmatch(text) is not None and text not in _TAKEN


def twin_id(perm_id: int) -> OrderId:
    """Return what we call an order that the broker has beside one of ours, under its name."""
    return OrderId(f"{TWIN}-{perm_id}")


def is_twin(order_id: str) -> bool:
    """Whether an order is one that lives beside one of ours, under its name."""
    return order_id.startswith(f"{TWIN}-")


def is_reached(number: int, *, client_id: int, ours: int) -> bool:
    """Whether a cancel that client `ours` sends by a number reaches one order, and nothing else.

    A number that another client gave may be that of another order of ours. One below zero is of
    TWS's own making: no order of ours has it, and TWS says so if it takes no cancel of it from us.

    Args:
        number: The broker's order id; 0 is none.
        client_id: The client under which the broker has it.
        ours: The client that would send the cancel.
    """
    return number < 0 or (number > 0 and client_id == ours)


def next_broker_order_ids(count: int, *, next_valid: int, floor: int, seen: int) -> tuple[int, ...]:
    """Return the lowest `count` broker order ids in a row that are safe to use.

    A number used twice would change a live order instead of making a new one.

    Args:
        count: How many are needed.
        next_valid: What the broker offered (`nextValidId`).
        floor: One above the highest that the journal has ever written; 1 if none.
        seen: The highest seen on any order of this client; 0 if none.

    Raises:
        BrokerUnavailable: If the numbers have run out.
    """
    first = max(next_valid, floor, seen + 1, 1)
    if first + count > MAX_BROKER_ORDER_ID:
        raise BrokerUnavailable(
            f"order ids have reached {first}; TWS takes none beyond {MAX_BROKER_ORDER_ID}",
            hint="reset the API order id sequence in TWS, or use another client id",
        )
    return tuple(range(first, first + count))
