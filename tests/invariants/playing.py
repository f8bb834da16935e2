"""Carries a schedule out on a whole world, judged after every act, and tells what came of each."""

from __future__ import annotations

import traceback
from collections import Counter
from contextlib import ExitStack
from datetime import datetime, time
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from ibkr_trader.core.enums import OrderType, Side
from ibkr_trader.core.errors import TraderError
from ibkr_trader.sim.calendar import NEW_YORK
from ibkr_trader.sim.gateway.acts import CannotDo
from tests.invariants import deeds
from tests.invariants.fault_menu import HEALING
from tests.invariants.judges import verdict
from tests.invariants.whole_world import WholeWorld
from tests.invariants.world import AAPL, MSFT, START, US

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ibkr_trader.core.models import Order
    from ibkr_trader.sim.orders import SimOrder
    from tests.invariants.schedule import Act, Schedule

CONTRACTS = {"AAPL": AAPL, "MSFT": MSFT}
_CENT = Decimal("0.01")
_NO_SENSE = "makes no sense now"
_DESK = frozenset(
    {"bracket", "oco_entries", "oco_exits", "trail", "scale_in", "close", "cancel", "tighten"}
    | {"halt", "flatten", "resume", "die"}  # one may be doomed before he rises
)
_TOUCHING = frozenset({"hand", "trade", "take", "bust", "correct", "cap", "locate"})
_GIVES_UP = 3  # attempts to start the trader, seconds apart


class Play:
    """One schedule, carried out.

    Attributes:
        record: A line for each act: when, what, and what came of it.
        counts: How often acts, orders, fills, kills, reconnects and faults came about.
    """

    def __init__(self, schedule: Schedule, *, kind: type[WholeWorld] = WholeWorld) -> None:
        self.schedule = schedule
        self._left_behind = ExitStack()
        folder = None
        if schedule.on_disk:
            folder = Path(self._left_behind.enter_context(TemporaryDirectory()))
        begun = datetime.combine(
            START.astimezone(NEW_YORK).date(), time.fromisoformat(schedule.hour), NEW_YORK
        )
        self.world = kind(mode=schedule.mode, seed=schedule.seed, start=begun, folder=folder)
        self.record: list[str] = []
        self.counts: Counter[str] = Counter()
        self._tightened: set[str] = set()

    def run(self) -> list[str]:
        """Live the day; return what it broke."""
        try:
            return self._run()
        except Exception as error:  # noqa: BLE001 - whatever ends a trader or the world is a finding
            return [f"DIED {_told(error)}"]
        finally:
            self._count()
            self.world.end()
            self._left_behind.close()

    def _run(self) -> list[str]:
        self.rise()
        for act in self.schedule.acts:
            at = self.world.clock.now()
            words = self.do(act)
            self.record.append(f"{at:%T.%f} {act}{': ' if words else ''}{words}")
            if found := verdict(self.world):
                return found
        self._heal()
        self.world.rest()
        return verdict(self.world, at_rest=True)

    def do(self, act: Act) -> str:
        """Carry out an act; return what is to be said about it."""
        if act.name in _DESK and self.world.trader is None:
            return _NO_SENSE
        self.counts[f"act {act.name}"] += 1
        said = getattr(self, act.name)(**act.arguments)
        return said or ""

    def _heal(self) -> None:
        self.world.start_gateway()
        for words in HEALING:
            self.world.inject(words)

    def _count(self) -> None:
        world = self.world
        self.counts["orders"] += sum(frame.is_new for frame in world.exchange.frames)
        self.counts["fills"] += len(tuple(world.exchange.orders.executions()))
        self.counts["connections"] += len(world.epochs)
        self.counts["refused deeds"] += len(world.failures)
        for struck in world.faults_log:
            self.counts[f"fault {struck.words}"] += 1

    # -- at the desk ------------------------------------------------------------------------------

    def bracket(self, symbol: str, **how: Any) -> None:
        """Enter with exits."""
        side = Side(how.pop("side"))
        deeds.bracket(self.world, CONTRACTS[symbol], side, how.pop("quantity"), **how)

    def oco_entries(self, symbol: str, *, quantity: int, away: int) -> None:
        """Wait to enter on either side."""
        deeds.oco_entries(self.world, CONTRACTS[symbol], quantity, away=away)

    def oco_exits(self, symbol: str, *, away: int) -> None:
        """Give what is held a target and a stop."""
        deeds.oco_exits(self.world, CONTRACTS[symbol], away=away)

    def trail(self, symbol: str, *, percent: int, managed: bool) -> None:
        """Let a stop follow what is held."""
        deeds.trail(self.world, CONTRACTS[symbol], percent=percent, is_managed=managed)

    def scale_in(self, symbol: str, *, quantity: int) -> None:
        """Add to what is held."""
        deeds.scale_in(self.world, CONTRACTS[symbol], quantity)

    def close(self, symbol: str) -> None:
        """Close what is held."""
        deeds.close(self.world, CONTRACTS[symbol])

    def cancel(self, pick: int) -> str:
        """Take one of our orders back."""
        return self._with_one(deeds.live(self.world), pick, deeds.cancel)

    def tighten(self, pick: int) -> str:
        """Move one of our stops nearer to the market."""
        stops = [o for o in deeds.live(self.world) if o.spec.order_type is OrderType.STOP]
        done = self._with_one(stops, pick, deeds.tighten)
        if done in self._tightened:
            self.world.widened.add(done)  # the market may have turned since he asked first
        self._tightened.add(done)
        return done

    def _with_one(self, orders: list[Order], pick: int, deed: Any) -> str:
        if not orders:
            return _NO_SENSE
        order = orders[pick % len(orders)]
        deed(self.world, order)
        return str(order.order_id)

    def halt(self, symbol: str, *, keeps: bool) -> str:
        """Open nothing more: anywhere or there."""
        return self._attempt(lambda: deeds.halt(self.world, symbol=symbol, keeps_entries=keeps))

    def flatten(self) -> str:
        """Open nothing more, and close everything."""
        return self._attempt(lambda: deeds.flatten(self.world))

    def resume(self) -> str:
        """End every halt."""
        return self._attempt(lambda: deeds.resume(self.world))

    def _attempt(self, deed: Any) -> str:
        try:
            deed()
        except TraderError as refused:
            return f"refused: {refused}"
        return ""

    # -- outside ---------------------------------------------------------------------------------

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.world.run(seconds)

    def move(self, symbol: str, *, tenths: int, size: int) -> str:
        """Move a market by tenths of a percent."""
        con_id = CONTRACTS[symbol]
        price = (self.world.mid(con_id) * (1000 + tenths) / 1000).quantize(_CENT)
        self.world.quote(con_id, price, size=size)
        return f"{price}"

    def inject(self, words: str, pick: int) -> str:
        """Do something through the gateway's door."""
        if self.world.server is None:
            return _NO_SENSE
        verb = words.split(maxsplit=1)[0]
        orders = self._named("{order}" in words, self.world.exchange.orders.working())
        fills = self._named("{fill}" in words, tuple(self.world.exchange.orders.executions()))
        if orders is None or fills is None:
            return _NO_SENSE
        at = self.world.clock.now()
        if orders:
            order = orders[pick % len(orders)]
            words = words.replace("{order}", str(order.perm_id))
            self._touch(order.terms.con_id, order)
        if fills:
            fill = fills[pick % len(fills)]
            words = words.replace("{fill}", fill.exec_id)
            self._touch(fill.con_id)
        if verb in _TOUCHING:
            for symbol, con_id in CONTRACTS.items():
                if symbol in words:
                    self.world.touches.append((con_id, at))
        try:
            return self.world.inject(words).text
        except CannotDo as refused:
            return f"cannot be done: {refused}"

    @staticmethod
    def _named(is_asked: bool, there: Sequence[Any]) -> Sequence[Any] | None:
        if not is_asked:
            return ()
        return there or None

    def _touch(self, con_id: int, order: SimOrder | None = None) -> None:
        self.world.touches.append((con_id, self.world.clock.now()))
        if order is not None and order.key.client_id == US:
            self.world.widened.add(order.terms.order_ref)

    def lift(self) -> str:
        """End every fault."""
        return self.inject("lift", 0)

    def cut_link(self, side: int, *, reset: bool) -> None:
        """End the connection, by the hand of one side."""
        self.world.cut_link(side, reset=reset)

    def stop_gateway(self, *, crash: bool) -> None:
        """End the gateway."""
        self.world.stop_gateway(crash=crash)

    def start_gateway(self) -> None:
        """Let the gateway listen again."""
        self.world.start_gateway()

    def fill_disk(self) -> None:
        """Let the journal find no room from now on."""
        self.world.fill_disk()

    def free_disk(self) -> None:
        """Let the journal find room again."""
        self.world.free_disk()

    # -- the process -----------------------------------------------------------------------------

    def die(self) -> None:
        """End as SIGKILL does."""
        self.world.kill()
        self.counts["kills"] += 1

    def die_at(self, checkpoint: str, nth: int) -> None:
        """End as SIGKILL does, at a checkpoint that is still to come."""
        self.world.doom(checkpoint, nth)

    def rise(self) -> str:
        """Start the trader, as a person would who tries again."""
        if self.world.trader is not None:
            return _NO_SENSE
        said = ""
        for _ in range(_GIVES_UP):
            said = self.world.rise()
            if not said:
                return ""
            self.world.run(1)
        return said


def _told(error: BaseException) -> str:
    """Say what an error was, and where it came from."""
    frames = traceback.extract_tb(error.__traceback__)
    where = " < ".join(f"{Path(one.filename).name}:{one.lineno}" for one in reversed(frames[-4:]))
    return f"{type(error).__name__}: {error} at {where}"
