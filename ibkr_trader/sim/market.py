"""Quotes and bars, as everybody but the exchange itself sees them."""

from collections import Counter
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal

import msgspec

from ibkr_trader.sim import history
from ibkr_trader.sim.bars import BarSeries
from ibkr_trader.sim.calendar import TradingDay, market_day
from ibkr_trader.sim.feed import Feed, Print
from ibkr_trader.sim.instruments import Instrument, SimBar, Tape
from ibkr_trader.sim.model import PriceModel
from ibkr_trader.sim.quotes import in_ticks, option_moment

ZERO = Decimal(0)
_DAY = timedelta(days=1)
_ROUND = Decimal(1000)


class Market:
    """The market of every instrument, at the moment the exchange has reached."""

    def __init__(self, feed: Feed, model: PriceModel, files: Mapping[int, BarSeries]) -> None:
        self._feed = feed
        self._model = model
        self._files = files
        self.watched: Counter[int] = Counter()

    def tape(self, con_id: int) -> Tape:
        """Return the market of an instrument as it now stands."""
        return self._feed.tape(con_id)

    def watch(self, con_id: int, *, on: bool = True) -> None:
        """Have `Exchange.advance` report changes of this instrument; calls are counted."""
        self.watched[con_id] += 1 if on else -1
        if self.watched[con_id] <= 0:
            del self.watched[con_id]

    def bars(
        self, con_id: int, *, start: datetime, end: datetime, seconds: int, regular_only: bool
    ) -> tuple[SimBar, ...]:
        """Return intraday bars of `seconds` (1 to 28800) that start in [start, end), oldest first.

        They end where the exchange's time stands: the last bar may be under way. Quotes seen
        live agree with them. `end` is cut to the present.
        """
        instrument = self._feed.universe[con_id]
        span = (start, min(end, self._feed.now))
        if con_id in self._files:
            return tuple(history.file_bars(self._files[con_id].bars, span=span, seconds=seconds))
        if instrument.underlying_con_id:
            under = self.bars(
                instrument.underlying_con_id,
                start=start,
                end=end,
                seconds=seconds,
                regular_only=True,
            )
            return tuple(self._option_bar(instrument, bar) for bar in under)
        return tuple(
            history.model_bars(
                self._model, instrument, span=span, seconds=seconds, regular_only=regular_only
            )
        )

    def daily_bars(self, con_id: int, *, last: date, count: int) -> tuple[SimBar, ...]:
        """Return the bars of `count` trading days up to `last`; today's is under way.

        Fewer, if today's has not begun or a bar file does not reach back that far.
        """
        instrument = self._feed.universe[con_id]
        days: list[TradingDay] = []
        day = last
        while len(days) < count:
            found = market_day(instrument.sec_type, day)
            if found is not None:
                days.append(found)
            day -= _DAY
        bars = (self._day_bar(instrument, day) for day in reversed(days))
        return tuple(bar for bar in bars if bar is not None)

    def set_quote(
        self,
        con_id: int,
        *,
        bid: Decimal | None,
        ask: Decimal | None,
        bid_size: Decimal = _ROUND,
        ask_size: Decimal = _ROUND,
        last: Decimal | None = None,
    ) -> None:
        """Set an instrument's market by hand; the model leaves it alone from now on.

        `last` stays as it was unless it is given.
        """
        tape = self._feed.tape(con_id)
        self._feed.put(
            msgspec.structs.replace(
                tape,
                at=self._feed.now,
                bid=bid,
                ask=ask,
                bid_size=bid_size if bid is not None else ZERO,
                ask_size=ask_size if ask is not None else ZERO,
                last=last if last is not None else tape.last,
            )
        )

    def print_trade(self, con_id: int, *, price: Decimal, size: Decimal) -> None:
        """Have somebody else trade: the last price changes, resting orders may take part.

        Fixes the instrument's market at what it is now, as `set_quote` does.
        """
        tape = self._feed.tape(con_id)
        self._feed.put(
            msgspec.structs.replace(
                tape,
                at=self._feed.now,
                last=price,
                last_size=size,
                volume=tape.volume + size,
                high=max(tape.high or price, price),
                low=min(tape.low or price, price),
            )
        )
        self._feed.prints.append(Print(con_id, price, size))

    def halt(self, con_id: int, *, halted: bool) -> None:
        """Halt or resume trading of an instrument."""
        self._feed.stop(con_id, halted=halted)

    def _day_bar(self, instrument: Instrument, day: TradingDay) -> SimBar | None:
        if instrument.con_id in self._files:
            return history.file_day(self._files[instrument.con_id].bars, day, self._feed.now)
        if instrument.underlying_con_id:
            under = self._day_bar(self._feed.universe[instrument.underlying_con_id], day)
            return self._option_bar(instrument, under) if under is not None else None
        return history.model_day(self._model, instrument, day, now=self._feed.now)

    def _option_bar(self, option: Instrument, bar: SimBar) -> SimBar:
        under = self._feed.moment(self._feed.universe[option.underlying_con_id], bar.at)
        prices = []
        for price in (bar.open, bar.high, bar.low, bar.close):
            at_price = msgspec.structs.replace(under, price=float(price))
            prices.append(in_ticks(option_moment(option, at_price, bar.at).price, option.bands))
        return history.option_bar(bar, (prices[0], prices[1], prices[2], prices[3]))
