"""What TWS itself does to orders and to the day's books: it restarts, the date changes."""

from datetime import datetime

import msgspec

from ibkr_trader.sim.door import Door
from ibkr_trader.sim.events import SimEvent
from ibkr_trader.sim.families import BracketMode
from ibkr_trader.sim.life import rearrange

replace = msgspec.structs.replace


class TwsActs(Door):
    """Acts of the program between clients and broker."""

    def forget_untransmitted(self, *, now: datetime) -> list[SimEvent]:
        """Lose every order that was placed and never transmitted, without a word."""
        self._reach(now)
        ledger = self._pit.ledger
        for key in [key for key in ledger.open if not ledger.orders[key].is_visible]:
            ledger.forget(key)
        return self._finish()

    def roll_over(self, *, now: datetime) -> list[SimEvent]:
        """Forget the day's executions and closed orders, as midnight does; all else stays."""
        self._reach(now)
        self._pit.ledger.roll()
        return self._finish()

    def choose_bracket_mode(self, mode: BracketMode | None, *, now: datetime) -> list[SimEvent]:
        """Have exits of partly filled entries behave so from now on; None is as configured."""
        self._reach(now)
        self._pit.rules = replace(self._pit.rules, bracket_mode=mode)
        for key in tuple(self._pit.ledger.open):
            if key in self._pit.ledger.children:
                rearrange(self._pit, key)
        return self._finish()
