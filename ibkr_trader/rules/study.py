"""Several indicators of one contract's bars, as they stand now and as they stood a bar ago."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

from ibkr_trader.core.models import Bar
from ibkr_trader.rules.indicator import ANY_FEED, Indicator, Key, key_of, make

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ibkr_trader.rules.market_days import Feed


class Study(msgspec.Struct, frozen=True, kw_only=True):
    """A bundle of indicators that are given the same bars; each bar makes a new one of it.

    Attributes:
        keys: What is in it, once each.
        indicators: The same in that order, after the last bar.
        earlier: What their values were a bar before.
        bar: The last bar; None before the first.
        earlier_bar: The one before it.
    """

    keys: tuple[Key, ...]
    indicators: tuple[Indicator, ...]
    earlier: tuple[Decimal | None, ...]
    bar: Bar | None = None
    earlier_bar: Bar | None = None

    @classmethod
    def of(cls, keys: Iterable[Key], *, feed: Feed = ANY_FEED) -> Study:
        """Return a study that has seen no bar.

        Raises:
            ValueError: If a key's name or numbers are none; see `make`.
        """
        once = tuple(dict.fromkeys(keys))
        made = tuple(make(name, numbers, feed=feed) for name, numbers in once)
        return cls(keys=once, indicators=made, earlier=(None,) * len(made))

    @property
    def warm_up(self) -> int:
        """How many bars to begin with: see `Indicator.warm_up`."""
        return max((one.warm_up for one in self.indicators), default=0)

    def after(self, bar: Bar) -> Study:
        """Take one more complete bar.

        One that is not newer than the last changes nothing: bars of the past and those that
        are being made overlap when a study is started, and none may count twice.
        """
        if self.bar is not None and bar.at <= self.bar.at:
            return self
        return Study(
            keys=self.keys,
            indicators=tuple(one.after(bar) for one in self.indicators),
            earlier=tuple(one.value for one in self.indicators),
            bar=bar,
            earlier_bar=self.bar,
        )

    def value(self, key: Key) -> Decimal | None:
        """Return a value as of the last bar; None is unknown.

        Raises:
            LookupError: If nobody has declared that it is needed.
            ValueError: If there is no such indicator.
        """
        return self.indicators[self._place(key)].value

    def previous(self, key: Key) -> Decimal | None:
        """Return the value as of the bar before the last, for crossings; None is unknown.

        Raises:
            LookupError: If nobody has declared that it is needed.
            ValueError: If there is no such indicator.
        """
        return self.earlier[self._place(key)]

    def _place(self, key: Key) -> int:
        if key in self.keys:
            return self.keys.index(key)
        name, numbers = key_of(key[0], tuple(map(Decimal, key[1])))  # a default may be left out
        if (name, numbers) in self.keys:
            return self.keys.index((name, numbers))
        raise LookupError(
            f"nobody declared {name}({', '.join(f'{one:f}' for one in numbers)}): name it in the "
            "class's needs, or make the condition that asks for it an attribute of the class"
        )
