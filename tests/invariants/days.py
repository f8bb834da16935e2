"""A day at random, from one seed: what is done, what the market does, and when we are killed.

`python -m tests.invariants.days FIRST LAST` runs many and prints what they broke, shortest first.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING

from ibkr_trader.core.enums import OrderType, Side
from ibkr_trader.sim.families import BracketMode
from tests.invariants import deeds
from tests.invariants.judges import verdict
from tests.invariants.world import AAPL, MSFT, World

if TYPE_CHECKING:
    from ibkr_trader.core.models import Order

ACTS = 25
_WAITS = (0.01, 0.1, 0.5, 1.2, 3.0, 8.0, 61.0)
_CENT = Decimal("0.01")
_BAD_FEELING = 0.4  # how often a halt is thought of at all


class Day:
    """One world, one dice, and a record of what was done.

    Attributes:
        record: What was done, a line each, with the exchange's time.
    """

    def __init__(self, seed: int, kind: type[World] = World) -> None:
        self.dice = random.Random(seed)  # noqa: S311 - a day, not a secret
        self.world = kind(mode=self.dice.choice(list(BracketMode)))
        self.record: list[str] = []

    def run(self, acts: int = ACTS) -> list[str]:
        """Live the day; return what it broke."""
        self.world.boot()
        try:
            for _ in range(acts):
                self._act()
                if found := verdict(self.world):
                    return found
            self.world.rest()
            return verdict(self.world, at_rest=True)
        finally:
            self.world.end()

    def _act(self) -> None:
        dice, con_id = self.dice, self.dice.choice([AAPL, AAPL, MSFT])
        choices = [*[self.market] * 4, *[self.wait] * 5, self.by_hand]
        if self.world.trader is None:
            choices += [self.rise] * 4
        else:
            choices += [*[self.bracket] * 4, self.close, self.cancel, self.tighten, self.die]
            choices += [self.oco_entries, self.oco_exits, self.trail, self.trail, self.scale_in]
            choices += [self.resume] * 4 if deeds.is_halted(self.world) else []
            choices += [self.halt, self.flatten] if dice.random() < _BAD_FEELING else []
        act = dice.choice(choices)
        words = act(con_id)
        self.record.append(f"{self.world.clock.now():%T.%f} {act.__name__} {con_id} {words}")

    # -- what may happen ----------------------------------------------------------------------

    def market(self, con_id: int) -> str:
        """Move it by tenths of a percent; a thin one fills in parts."""
        move, size = self.dice.randint(-30, 30), self.dice.choice([3, 10_000])
        price = (self.world.mid(con_id) * (1000 + move) / 1000).quantize(_CENT)
        self.world.quote(con_id, price, size=size)
        return f"{price} of {size}"

    def wait(self, _: int) -> str:
        """Let time pass."""
        seconds = self.dice.choice(_WAITS)
        self.world.run(seconds)
        return f"{seconds} s"

    def by_hand(self, con_id: int) -> str:
        """Trade in TWS."""
        quantity = self.dice.choice([-20, -5, 5, 10])
        self.world.by_hand(con_id, quantity)
        return f"{quantity}"

    def die(self, _: int) -> str:
        """End as SIGKILL does."""
        self.world.kill()
        return ""

    def rise(self, _: int) -> str:
        """Start again."""
        self.world.boot()
        return ""

    def halt(self, con_id: int) -> str:
        """Open nothing more: anywhere or there, and cancel what could open, or not."""
        symbol = self.dice.choice(["", "", deeds.NAMES[con_id]])
        keeps = self.dice.random() < 0.3
        deeds.halt(self.world, symbol=symbol, keeps_entries=keeps)
        return f"{symbol or 'everything'}{', keeping entries' if keeps else ''}"

    def flatten(self, _: int) -> str:
        """Open nothing more, and close everything."""
        deeds.flatten(self.world)
        return ""

    def resume(self, _: int) -> str:
        """End every halt."""
        deeds.resume(self.world)
        return ""

    def bracket(self, con_id: int) -> str:
        """Enter with exits."""
        dice = self.dice
        side, quantity, away = dice.choice(list(Side)), dice.randint(1, 40), dice.randint(1, 4)
        limit = dice.choice([None, None, 0, 1, 2])
        deeds.bracket(self.world, con_id, side, quantity, away=away, limit=limit)
        return f"{side} {quantity}, {away} % away, limit {limit}"

    def oco_entries(self, con_id: int) -> str:
        """Wait to enter on either side."""
        quantity, away = self.dice.randint(1, 20), self.dice.randint(1, 3)
        deeds.oco_entries(self.world, con_id, quantity, away=away)
        return f"{quantity}, {away} % away"

    def oco_exits(self, con_id: int) -> str:
        """Give what is held a target and a stop."""
        away = self.dice.randint(1, 3)
        deeds.oco_exits(self.world, con_id, away=away)
        return f"{away} % away"

    def trail(self, con_id: int) -> str:
        """Let a stop follow what is held."""
        percent, is_managed = self.dice.randint(1, 3), self.dice.random() < 0.6
        deeds.trail(self.world, con_id, percent=percent, is_managed=is_managed)
        return f"{percent} %{', managed' if is_managed else ''}"

    def scale_in(self, con_id: int) -> str:
        """Add to what is held."""
        quantity = self.dice.randint(1, 15)
        deeds.scale_in(self.world, con_id, quantity)
        return f"{quantity}"

    def close(self, con_id: int) -> str:
        """Close what is held."""
        deeds.close(self.world, con_id)
        return ""

    def cancel(self, _: int) -> str:
        """Take one of our orders back."""
        return self._with_one(deeds.live(self.world), deeds.cancel)

    def tighten(self, _: int) -> str:
        """Move one of our stops nearer to the market."""
        stops = [o for o in deeds.live(self.world) if o.spec.order_type is OrderType.STOP]
        return self._with_one(stops, deeds.tighten)

    def _with_one(self, orders: list[Order], deed: Callable[[World, Order], None]) -> str:
        if not orders:
            return "nothing"
        order = self.dice.choice(orders)
        deed(self.world, order)
        return order.order_id


def main(first: int, last: int) -> int:
    """Run the days of these seeds, and print each that breaks something."""
    broken: list[tuple[int, int, list[str], list[str]]] = []
    for seed in range(first, last):
        day = Day(seed)
        if found := day.run():
            broken.append((len(day.record), seed, found, day.record))
    for _, seed, found, record in sorted(broken):
        sys.stdout.write("\n".join([f"== seed {seed}", *record, *found, ""]))
    sys.stdout.write(f"{len(broken)} of {last - first} days broke something\n")
    return len(broken)


if __name__ == "__main__":
    sys.exit(bool(main(int(sys.argv[1]), int(sys.argv[2]))))
