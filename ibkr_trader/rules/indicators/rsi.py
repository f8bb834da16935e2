"""The relative strength index: how much of all movement was upward, by Wilder."""

from __future__ import annotations

from decimal import Decimal, localcontext
from typing import TYPE_CHECKING

import msgspec

from ibkr_trader.core.models import ZERO
from ibkr_trader.rules.arithmetic import ARITHMETIC
from ibkr_trader.rules.indicator import Asked, indicator
from ibkr_trader.rules.indicator_parameters import count
from ibkr_trader.rules.smoothing import Average, wilder

if TYPE_CHECKING:
    from ibkr_trader.core.models import Bar


class Rsi(msgspec.Struct, frozen=True, kw_only=True):
    """Gains in percent of gains and losses, each Wilder's average, from 0 to 100.

    Of a price that never moved it is unknown: nothing of nothing. TA-Lib says 0 and others
    100, and a rule would buy or sell a market that is halted.
    """

    gains: Average
    losses: Average
    close: Decimal | None = None
    value: Decimal | None = None
    seen: int = 0

    @property
    def needed(self) -> int:
        """See `Indicator`."""
        return self.gains.bars + 1

    @property
    def warm_up(self) -> int:
        """See `Indicator`."""
        return self.gains.settled + 1

    def after(self, bar: Bar) -> Rsi:
        """See `Indicator`."""
        gains, losses, value = self.gains, self.losses, self.value
        if self.close is not None:
            with localcontext(ARITHMETIC):
                change = bar.close - self.close
                gains = gains.after(max(change, ZERO))
                losses = losses.after(max(-change, ZERO))
                value = _share(gains.value, losses.value)
        return Rsi(gains=gains, losses=losses, close=bar.close, value=value, seen=self.seen + 1)


def _share(gain: Decimal | None, loss: Decimal | None) -> Decimal | None:
    if gain is None or loss is None or not gain + loss:
        return None
    return 100 * gain / (gain + loss)


@indicator(
    "rsi",
    count("bars", least=2, default=14),
    doc="Wilder's index of strength: gains in percent of all movement.",
    bounds=(ZERO, Decimal(100)),
)
def rsi(asked: Asked) -> Rsi:
    """Return an empty one."""
    bars = asked.counts[0]
    return Rsi(gains=wilder(bars), losses=wilder(bars))
