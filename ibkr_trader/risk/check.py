"""What a check is, and where checks are found: one file each in `risk/checks/`.

A check is a function from a proposal and a view to the reasons why not. It is pure, it
may yield several breaches, and it says whom it binds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from enum import Enum, auto
from typing import TYPE_CHECKING, NamedTuple

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


class Check(NamedTuple):
    """A check with its metadata."""

    run: CheckFunction
    binds: Binds


CHECKS: Registry[Check] = Registry("risk check", "ibkr_trader.risk.checks")


def check(name: str, binds: Binds = Binds.OPENINGS) -> Callable[[CheckFunction], CheckFunction]:
    """Return a decorator that enters a function into `CHECKS` as the check called `name`."""

    def enter(run: CheckFunction) -> CheckFunction:
        CHECKS.register(name)(Check(run, binds))
        return run

    return enter
