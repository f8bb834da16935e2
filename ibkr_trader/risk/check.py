"""What a check is, and where checks are found: one file each in `risk/checks/`.

A check is a function from a proposal and a view to the reasons why not. It is pure, it
may yield several breaches, and it says whom it binds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from enum import Enum, auto
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from ibkr_trader.core.events import Breach
from ibkr_trader.core.registry import Registry

if TYPE_CHECKING:
    from ibkr_trader.risk.proposal import Proposal
    from ibkr_trader.risk.view import RiskView

CheckFunction = Callable[["Proposal", "RiskView"], Iterator[Breach]]


class Binds(Enum):
    """Whom a check binds, and what its own failure means to them.

    A check that fails (it lacks a fact, or has a bug) always stands against opening. What
    only lowers risk must not be locked in by our own trouble, except where it could do
    harm unchecked: on the wrong account, or in a form that cannot be sent.
    """

    OPENINGS = auto()  # not asked about commands that only lower risk
    ALL = auto()  # binds them too, and its failure denies them
    ALL_IF_KNOWN = auto()  # binds them too, but its failure lets them pass


class Unit(Enum):
    """How a figure of a gauge is written."""

    MONEY = auto()
    SHARES = auto()
    COUNT = auto()
    PERCENT = auto()  # the figure is a fraction of 1
    SECONDS = auto()
    RATIO = auto()


class Gauge(msgspec.Struct, frozen=True, kw_only=True):
    """How much of one limit is in use now.

    Attributes:
        check: The check that holds it.
        subject: The symbol, the sector or the like that it is about; empty is everything.
        limit: Where it ends; None if it is no figure: then `note` says what it is.
        used: How much is in use; None if nobody knows.
        note: What else there is to say.
    """

    check: str
    subject: str = ""
    limit: Decimal | None = None
    used: Decimal | None = None
    unit: Unit = Unit.COUNT
    note: str = ""

    @property
    def headroom(self) -> Decimal | None:
        """What is left, never less than nothing; None if that is not known."""
        if self.limit is None or self.used is None:
            return None
        return max(Decimal(0), self.limit - self.used)

    @property
    def share(self) -> Decimal | None:
        """The part in use, as a fraction; None if that is not known, or nothing is allowed."""
        return self.used / self.limit if self.limit and self.used is not None else None


GaugeFunction = Callable[["RiskView"], Iterator[Gauge]]


class Check(NamedTuple):
    """A check with its metadata; `gauge` reads how much of its limits is in use."""

    run: CheckFunction
    binds: Binds
    gauge: GaugeFunction | None = None


CHECKS: Registry[Check] = Registry("risk check", "ibkr_trader.risk.checks")


def check(
    name: str, binds: Binds = Binds.OPENINGS, *, gauge: GaugeFunction | None = None
) -> Callable[[CheckFunction], CheckFunction]:
    """Return a decorator that enters a function into `CHECKS` as the check called `name`."""

    def enter(run: CheckFunction) -> CheckFunction:
        CHECKS.register(name)(Check(run, binds, gauge))
        return run

    return enter
