"""The market at the exchange's present second: where prices come from, and what is set by hand.

The exchange moves it through time; `market.py` is what everybody else sees of it.
"""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple, Protocol

import msgspec

from ibkr_trader.sim.instruments import Instrument, Tape
from ibkr_trader.sim.model import Moment
from ibkr_trader.sim.quotes import option_moment, tape_of
from ibkr_trader.sim.universe import Universe


class Prices(Protocol):
    """Where an instrument's price comes from: the model, or a bar file."""

    def moment(self, instrument: Instrument, now: datetime) -> Moment:
        """Return the price at `now`, or the latest there was."""


class Print(NamedTuple):
    """A trade among others."""

    con_id: int
    price: Decimal
    size: Decimal


class Feed:
    """Every instrument's tape at `now`; what was set by hand stays as it was set.

    Attributes:
        now: The second the feed stands at.
        manual: The tapes set by hand. halted: the instruments that do not trade.
        prints: Trades among others that the exchange has yet to look at.
        touched: Instruments changed by hand since it last looked.
    """

    def __init__(
        self, universe: Universe, model: Prices, files: Mapping[int, Prices], *, now: datetime
    ) -> None:
        self.universe = universe
        self._model = model
        self._files = files
        self.now = now.replace(microsecond=0)
        self.manual: dict[int, Tape] = {}
        self.halted: set[int] = set()
        self.prints: list[Print] = []
        self.touched: set[int] = set()
        self._tapes: dict[int, Tape] = {}
        self._pairs = {(i.symbol, i.currency): i.con_id for i in universe if i.sec_type == "CASH"}

    def move_to(self, now: datetime) -> bool:
        """Go to `now`; say whether that is another second."""
        second = now.replace(microsecond=0)
        if second == self.now:
            return False
        self.now = second
        self._tapes.clear()
        return True

    def tape(self, con_id: int) -> Tape:
        """Return an instrument's market at the present second."""
        found = self.manual.get(con_id) or self._tapes.get(con_id)
        if found is None:
            instrument = self.universe[con_id]
            found = tape_of(
                instrument,
                self.moment(instrument, self.now),
                self.now,
                halted=con_id in self.halted,
            )
            self._tapes[con_id] = found
        return found

    def moment(self, instrument: Instrument, now: datetime) -> Moment:
        """Return an instrument's price at any time up to the present."""
        source = self._files.get(instrument.con_id)
        if source is not None:
            return source.moment(instrument, now)
        if not instrument.underlying_con_id:
            return self._model.moment(instrument, now)
        under = self.universe[instrument.underlying_con_id]
        return option_moment(instrument, self.moment(under, now), now)

    def rate(self, currency: str, base: str) -> Decimal:
        """Return what one unit of a currency is worth in another, by the pairs listed; else 1."""
        if currency == base:
            return Decimal(1)
        if (currency, base) in self._pairs:
            return self.tape(self._pairs[currency, base]).mark or Decimal(1)
        if (base, currency) in self._pairs:
            return 1 / (self.tape(self._pairs[base, currency]).mark or Decimal(1))
        return Decimal(1)

    def put(self, tape: Tape) -> None:
        """Fix an instrument's market; the model leaves it alone from now on."""
        halted = tape.con_id in self.halted
        self.manual[tape.con_id] = msgspec.structs.replace(tape, halted=halted)
        self.touched.add(tape.con_id)

    def stop(self, con_id: int, *, halted: bool) -> None:
        """Halt or resume an instrument."""
        (self.halted.add if halted else self.halted.discard)(con_id)
        self._tapes.pop(con_id, None)
        self.touched.add(con_id)
        if con_id in self.manual:
            self.put(self.manual[con_id])
