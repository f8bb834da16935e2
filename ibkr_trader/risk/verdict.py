"""The two answers of the guard. Only `risk/guard.py` may construct an `Approved`.

`Broker.send` takes an `Approved` and nothing else, so an order that skipped the checks
does not type-check; `tests/house` holds the construction to one module.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import final

import msgspec

from ibkr_trader.core.commands import Command
from ibkr_trader.core.events import Breach


@final
class Approved(msgspec.Struct, frozen=True, kw_only=True):
    """A command that passed every check, as of `at`.

    `reduces` is the guard's own finding that the command can only lower risk: it decides
    the lane in which the broker sends it. `warnings` are what the checks remark on and let
    pass.
    """

    command: Command
    at: datetime
    reduces: bool = False
    warnings: tuple[Breach, ...] = ()


@final
class Denied(msgspec.Struct, frozen=True, kw_only=True):
    """A command that must not go out, with every reason at once."""

    command: Command
    at: datetime
    breaches: tuple[Breach, ...]

    @property
    def reasons(self) -> str:
        """All of them in one line; each is a sentence, and only the last keeps its point."""
        return in_one_line(self.breaches)


Verdict = Approved | Denied


def in_one_line(breaches: Iterable[Breach]) -> str:
    """Return what they say; each is a sentence, and only the last keeps its point."""
    return "; ".join(one.message for one in breaches).replace(".; ", "; ")
