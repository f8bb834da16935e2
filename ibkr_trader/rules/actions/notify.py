"""`notify`: tell people, and do nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from ibkr_trader.rules.rule import ACTIONS
from ibkr_trader.rules.wishes import Tell

if TYPE_CHECKING:
    from ibkr_trader.rules.condition import Key
    from ibkr_trader.rules.moment import Moment

_MOST = 500  # characters


@ACTIONS.register("notify")
class Notify(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Say `message` on the screen, in the journal and at the sinks; `{symbol}` is filled in.

    Attributes:
        serious: It is an alert, and not only a note.
    """

    message: str
    serious: bool = False

    def __post_init__(self) -> None:
        if not self.message.strip() or len(self.message) > _MOST:
            raise ValueError(f"message must have between 1 and {_MOST} characters")

    @property
    def indicators(self) -> frozenset[Key]:
        """None."""
        return frozenset()

    def wishes(self, moment: Moment) -> tuple[Tell, ...]:
        """Return what to say."""
        text = self.message.replace("{symbol}", moment.symbol)
        return (Tell(message=text, is_serious=self.serious),)
