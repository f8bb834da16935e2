"""When limits change while the desk runs: what is tighter holds at once, what is looser waits.

Compared symbol by symbol and limit by limit, by what each file would put in force, so that
an entry that was removed is seen as what it is: the default holds again.
"""

from __future__ import annotations

from decimal import Decimal

import msgspec

from ibkr_trader.risk.limits import LIMIT_KEYS, RiskLimits, SymbolLimitRegistry, SymbolLimits

EVERY_OTHER = "*"


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One limit of `symbol` (`*` is every symbol without its own) that differs; None is no limit.

    Both are what is in force: within the cap.
    """

    symbol: str
    key: str
    before: Decimal | None
    after: Decimal | None

    @property
    def is_looser(self) -> bool:
        """Whether more is allowed afterwards."""
        return _less(self.before, self.after)


def tightened(before: SymbolLimitRegistry, after: SymbolLimitRegistry) -> SymbolLimitRegistry:
    """Return the tighter of the two for each symbol and limit."""
    return SymbolLimitRegistry(
        symbols={
            symbol: SymbolLimits(
                symbol=symbol,
                **{
                    key: _tighter(before.own(symbol, key), after.own(symbol, key))
                    for key in LIMIT_KEYS
                },
            )
            for symbol in sorted(before.symbols.keys() | after.symbols.keys())
        },
        default=SymbolLimits(
            symbol=EVERY_OTHER,
            **{
                key: _tighter(before.own(EVERY_OTHER, key), after.own(EVERY_OTHER, key))
                for key in LIMIT_KEYS
            },
        ),
    )


def changes(
    before: SymbolLimitRegistry, after: SymbolLimitRegistry, cap: RiskLimits
) -> tuple[Change, ...]:
    """Return what is in force otherwise after than before, by symbol; `*` comes first."""
    found = []
    for symbol in (EVERY_OTHER, *sorted(before.symbols.keys() | after.symbols.keys())):
        old, new = before.get_limit(symbol, cap), after.get_limit(symbol, cap)
        for key in LIMIT_KEYS:
            was, will = getattr(old, key), getattr(new, key)
            if was != will:
                found.append(Change(symbol=symbol, key=key, before=was, after=will))
    return tuple(found)


def _tighter(one: Decimal | None, other: Decimal | None) -> Decimal | None:
    if one is None or other is None:
        return other if one is None else one
    return min(one, other)


def _less(one: Decimal | None, other: Decimal | None) -> bool:
    """Whether `one` allows less than `other`; None allows everything."""
    return one is not None and (other is None or one < other)
