"""`halt`: stop trading, everything or the symbol; only a person resumes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from ibkr_trader.rules.rule import ACTIONS
from ibkr_trader.rules.wishes import StopTrading

if TYPE_CHECKING:
    from ibkr_trader.rules.condition import Key
    from ibkr_trader.rules.moment import Moment

_MOST = 500  # characters


@ACTIONS.register("halt")
class HaltTrading(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Halt, with a reason for whoever will resume.

    Attributes:
        everything: Not only the symbol.
    """

    reason: str
    everything: bool = False

    def __post_init__(self) -> None:
        if not self.reason.strip() or len(self.reason) > _MOST:
            raise ValueError(
                f"reason must say why, for whoever will resume, in at most {_MOST} characters"
            )

    @property
    def indicators(self) -> frozenset[Key]:
        """None."""
        return frozenset()

    def wishes(self, moment: Moment) -> tuple[StopTrading, ...]:
        """Return the halt."""
        symbol = "" if self.everything else moment.symbol
        return (StopTrading(reason=self.reason, symbol=symbol),)
