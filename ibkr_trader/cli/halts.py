"""What is halted or only reducing, in words: why, since when, by whom, and how it ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from ibkr_trader.cli.wording import when
from ibkr_trader.core.enums import TradingState
from ibkr_trader.core.text import plain
from ibkr_trader.risk.switch import EVERYTHING

if TYPE_CHECKING:
    from datetime import datetime

    from ibkr_trader.execution.desk import Desk

_UNSYNCED = "not in sync with the broker"
_ITSELF = "it ends with its cause"
_PEOPLE = frozenset({"cli", "library"})


class Halt(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that keeps from opening.

    Attributes:
        symbol: What it is about; empty is everything.
        since, who: None and empty for a cause that ends by itself.
        ends: The command that ends it, or that it ends by itself.
    """

    state: TradingState
    reason: str
    ends: str
    symbol: str = ""
    since: datetime | None = None
    who: str = ""
    keeps_entries: bool = False

    def words(self, *, utc: bool) -> str:
        """Return all of it, on one line."""
        since = f"since {when(self.since, utc=utc)}" if self.since is not None else ""
        parts = (self.reason, " ".join(part for part in (since, self.who) if part), self.ends)
        return "; ".join(part for part in parts if part)

    def document(self) -> dict[str, Any]:
        """Return all of it, for scripts."""
        return msgspec.structs.asdict(self)


def halts(desk: Desk) -> list[Halt]:
    """Return everything that keeps from opening, what holds for all first."""
    book = desk.trader.outlook.book
    found = [
        Halt(
            symbol=symbol,
            state=event.state,
            reason=plain(event.reason),
            since=event.at,
            who=by(event.origin),
            keeps_entries=event.keeps_entries,
            ends=how_to_resume(symbol),
        )
        for symbol, event in sorted(book.switch.held.items())
    ]
    everything = book.switch.everything
    if everything is None or everything.state is not TradingState.HALTED:
        flag = book.kill_flag()
        if flag:  # not on record yet
            found.insert(
                0, Halt(state=TradingState.HALTED, reason=flag, ends=how_to_resume(EVERYTHING))
            )
    causes = [*book.causes, *([] if desk.trader.outlook.is_synced else [_UNSYNCED])]
    found += [Halt(state=TradingState.REDUCING, reason=plain(c), ends=_ITSELF) for c in causes]
    return found


def state_words(desk: Desk) -> str:
    """Return how the desk stands for the head of a reply; empty if it is ACTIVE."""
    found = halts(desk)
    general = [one for one in found if not one.symbol]
    if general:
        worst = min(general, key=lambda one: one.state is not TradingState.HALTED)
        return f"{worst.state}{f' {worst.who}' if worst.who else ''}: {worst.reason}"
    return ", ".join(f"{one.symbol} {one.state}" for one in found)


def how_to_resume(symbol: str) -> str:
    """Return the command that ends a halt."""
    return f'ibkr-trader resume{f" --symbol {symbol}" if symbol else ""} --reason "…"'


def by(origin: str) -> str:
    """Return who decided it, in words."""
    if not origin:
        return ""
    return "by hand" if origin in _PEOPLE else f"by {plain(origin)}"
