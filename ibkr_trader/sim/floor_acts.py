"""What happens to markets: halts, gaps, splits, and the bounds that are put on prices."""

from datetime import datetime
from decimal import Decimal

import msgspec

from ibkr_trader.sim.door import Door
from ibkr_trader.sim.events import SimEvent
from ibkr_trader.sim.floor_rules import PriceCap
from ibkr_trader.sim.matching import to_tick
from ibkr_trader.sim.orders import ZERO
from ibkr_trader.sim.precautions import Precautions
from ibkr_trader.sim.splits import split

_ROUND = Decimal(1000)
replace = msgspec.structs.replace


class FloorActs(Door):
    """Acts on one instrument, named by its con_id, or on the whole floor."""

    def halt(
        self, con_id: int, *, halted: bool, refuses: bool = False, now: datetime
    ) -> list[SimEvent]:
        """Halt or resume trading: nothing fills or triggers, and tick 49 says so.

        New orders wait for the resumption, or (`refuses`) are refused with 154; the latter
        holds for every halted instrument until the next call.
        """
        self._reach(now)
        self._pit.rules = replace(self._pit.rules, refuses_halted=refuses)
        self._pit.feed.stop(con_id, halted=halted)
        return self._finish()

    def gap(self, con_id: int, *, price: Decimal, now: datetime) -> list[SimEvent]:
        """Move a market to `price` in one leap: nobody traded in between.

        Stops trigger and trade where it lands; stop-limits may be left behind. The market
        stands there, quoted as widely as before, until it is moved again.
        """
        self._reach(now)
        feed, bands = self._pit.feed, self._pit.universe[con_id].bands
        tape = feed.tape(con_id)
        price = to_tick(price, bands, up=False)
        before = tape.mark or price
        bid, ask = tape.bid or before, tape.ask or before
        tick = to_tick(min(band.increment for band in bands), bands, up=True)
        below = max(tick, to_tick(price - (before - bid), bands, up=False))
        above = max(below + tick, to_tick(price + (ask - before), bands, up=True))
        feed.put(
            replace(
                tape,
                at=feed.now,
                bid=below,
                ask=above,
                bid_size=tape.bid_size or _ROUND,
                ask_size=tape.ask_size or _ROUND,
                last=price,
                high=max(tape.high or price, price),
                low=min(tape.low or price, price),
            )
        )
        self._pit.dirty_account = True
        return self._finish()

    def split(self, con_id: int, *, new: int, old: int = 1, now: datetime) -> list[SimEvent]:
        """Give `new` shares for every `old`: position, prices and (cancelled) orders follow.

        What is left of a share is paid in cash.

        Raises:
            ValueError: If one of the numbers is not above zero.
        """
        if new <= 0 or old <= 0:
            raise ValueError(f"a split of {new} for {old} means nothing")
        self._reach(now)
        split(self._pit, con_id, Decimal(new) / old)
        return self._finish()

    def cap(
        self, con_id: int, *, buy: Decimal | None = None, sell: Decimal | None = None, now: datetime
    ) -> list[SimEvent]:
        """Let no buy trade above `buy`, no sale below `sell`; without either, lift the bounds.

        Orders that would go further work at the bound (mktCapPrice) and may never fill.
        """
        self._reach(now)
        caps = {k: v for k, v in self._pit.rules.caps.items() if k != con_id}
        if buy is not None or sell is not None:
            caps[con_id] = PriceCap(buy=buy, sell=sell)
        self._pit.rules = replace(self._pit.rules, caps=caps)
        for key in tuple(self._pit.ledger.open):
            order = self._pit.ledger.orders[key]
            if order.terms.con_id == con_id and not order.is_held:
                self._pit.wakes.append(key)
        return self._finish()

    def band(self, percent: Decimal | None, *, now: datetime) -> list[SimEvent]:
        """Cancel (202) limits that come in further than this through the market; None is no band.

        Raises:
            ValueError: If it is not a percentage.
        """
        if percent is not None and not (percent.is_finite() and percent >= ZERO):
            raise ValueError(f"{percent} is no percentage")
        self._reach(now)
        self._pit.rules = replace(self._pit.rules, band=percent)
        return self._finish()

    def set_up(self, precautions: Precautions, *, now: datetime) -> list[SimEvent]:
        """Have TWS refuse orders of the API by its own settings, from now on.

        Raises:
            ValueError: If a bound is not above zero.
        """
        bounds = (precautions.size_limit, precautions.value_limit, precautions.percentage)
        if odd := [one for one in bounds if one is not None and not (one.is_finite() and one > 0)]:
            raise ValueError(f"{odd[0]} bounds nothing: a precaution is above zero")
        self._reach(now)
        self._pit.rules = replace(self._pit.rules, precautions=precautions)
        return self._finish()
