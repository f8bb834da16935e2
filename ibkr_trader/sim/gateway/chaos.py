"""Faults by lot: a seed draws them, and the same requests draw the same ones.

Every order, change and cancel draws once: whether it meets a fault, which one, and how long it
takes. A draw depends on the seed, the client, the kind of request and how many of them the client
has sent, and on nothing else: neither on time nor on what is sent in between.
"""

import hashlib
import logging
from collections import Counter, deque
from collections.abc import Callable
from decimal import Decimal

from ibkr_trader.sim.gateway import fault_rules as rules
from ibkr_trader.sim.gateway.fault_rules import Act, Fault, When
from ibkr_trader.sim.gateway.naming import MODIFY, Subject

MOST_TOLD = 200  # draws that are remembered
_LONGEST = 20  # seconds
_MILLION = 1_000_000
_PLACE, _CANCEL = "placeOrder", "cancelOrder"

logger = logging.getLogger(__name__)
_Make = Callable[[int], Act]
_CUTS: list[tuple[str, str, _Make]] = [
    ("broken off before", "", lambda _: rules.Cut(at="before")),
    ("broken off after", "", lambda _: rules.Cut(at="after")),
    ("closed once answered", "", lambda _: rules.Cut(how="fin", at="answered")),
]
# What it is called, which message it strikes (empty: the request itself), and what it does.
_LOTS: dict[str, list[tuple[str, str, _Make]]] = {
    _PLACE: [
        ("swallowed", "", lambda _: rules.Drop()),
        ("late", "", lambda seconds: rules.Delay(seconds=seconds)),
        ("status twice", "orderStatus", lambda seconds: rules.Repeat(seconds=seconds)),
        ("status late", "orderStatus", lambda seconds: rules.Delay(seconds=seconds)),
        ("status lost", "orderStatus", lambda _: rules.Drop()),
        ("statuses swapped", "orderStatus", lambda _: rules.Shuffle(order=(1, 0))),
        ("execution twice", "execDetails", lambda seconds: rules.Repeat(seconds=seconds)),
        ("execution late", "execDetails", lambda seconds: rules.Delay(seconds=seconds)),
        ("execution lost", "execDetails", lambda _: rules.Drop()),
        ("commission late", "commissionReport", lambda seconds: rules.Delay(seconds=seconds)),
        ("commission lost", "commissionReport", lambda _: rules.Drop()),
        *_CUTS,
    ],
    MODIFY: [
        ("swallowed", "", lambda _: rules.Drop()),
        ("late", "", lambda seconds: rules.Delay(seconds=seconds)),
        ("refused", "", lambda _: rules.Reject(code=201, text="Order rejected - reason:chaos")),
        ("a share trades first", "", lambda _: rules.FillFirst(shares=Decimal(1))),
        *_CUTS,
    ],
    _CANCEL: [
        ("swallowed", "", lambda _: rules.Drop()),
        ("late", "", lambda seconds: rules.Delay(seconds=seconds)),
        ("a share trades first", "", lambda _: rules.FillFirst(shares=Decimal(1))),
        *_CUTS,
    ],
}


class Chaos:
    """Draws faults.

    Attributes:
        seed: What the draws come from.
        percent: How many of a hundred requests meet a fault.
        drawn: What has been drawn, oldest first, as it is told.
    """

    def __init__(self, seed: int, percent: Decimal) -> None:
        self.seed = seed
        self.percent = percent
        self.drawn: deque[str] = deque(maxlen=MOST_TOLD)
        self._sent: Counter[tuple[int, str]] = Counter()

    def draw(self, subject: Subject, client_id: int) -> Fault | None:
        """Return the fault that a request meets; None if it meets none."""
        lots = _LOTS.get(subject.name)
        if lots is None:
            return None
        self._sent[client_id, subject.name] += 1
        number = self._sent[client_id, subject.name]
        luck = _numbers(f"{self.seed}/{client_id}/{subject.name}/{number}")
        if luck[0] % _MILLION >= self.percent * _MILLION / 100:
            return None
        name, struck, make = lots[luck[1] % len(lots)]
        seconds = luck[2] % _LONGEST + 1
        told = f"{subject.name} {number} of client {client_id}: {name}"
        self.drawn.append(told)
        logger.warning("chaos %d: %s", self.seed, told)
        when = When(
            names=(struck or subject.name,), order=subject.order_ref or "*", client=client_id
        )
        return Fault(when=when, act=make(seconds))


def _numbers(key: str) -> tuple[int, int, int]:
    """Return three large numbers that look like chance, the same for the same key."""
    digest = hashlib.sha256(key.encode()).digest()
    one, two, three = (int.from_bytes(digest[at : at + 8], "big") for at in (0, 8, 16))
    return one, two, three
