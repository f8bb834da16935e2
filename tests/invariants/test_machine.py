"""Random days: whatever is done, and whenever the process is killed, the invariants hold."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from ibkr_trader.core.enums import OrderType, Side
from ibkr_trader.sim.families import BracketMode
from tests.invariants import deeds
from tests.invariants.judges import verdict
from tests.invariants.world import AAPL, MSFT, WiredWorld, World

CONTRACTS = st.sampled_from([AAPL, MSFT])
SIDES = st.sampled_from(list(Side))
SIZES = st.integers(1, 40)


class TradingDay(RuleBasedStateMachine):
    """A trader, a market, a human at TWS, and SIGKILL."""

    kind: type[World] = World
    world: World

    @initialize(mode=st.sampled_from(list(BracketMode)))
    def open_shop(self, mode: BracketMode) -> None:
        self.world = self.kind(mode=mode)
        self.world.boot()

    def teardown(self) -> None:
        if not hasattr(self, "world"):
            return
        self.world.rest()
        found = verdict(self.world, at_rest=True)
        self.world.end()
        assert not found, "\n".join(found)

    @property
    def is_alive(self) -> bool:
        return self.world.trader is not None

    # -- at the desk ------------------------------------------------------------------------

    @precondition(lambda self: self.is_alive)
    @rule(
        con_id=CONTRACTS,
        side=SIDES,
        quantity=SIZES,
        away=st.integers(1, 4),
        limit=st.none() | st.integers(0, 2),
    )
    def bracket(self, con_id: int, side: Side, quantity: int, away: int, limit: int | None) -> None:
        deeds.bracket(self.world, con_id, side, quantity, away=away, limit=limit)

    @precondition(lambda self: self.is_alive)
    @rule(con_id=CONTRACTS, quantity=st.integers(1, 15))
    def scale_in(self, con_id: int, quantity: int) -> None:
        deeds.scale_in(self.world, con_id, quantity)

    @precondition(lambda self: self.is_alive)
    @rule(con_id=CONTRACTS)
    def close(self, con_id: int) -> None:
        deeds.close(self.world, con_id)

    @precondition(lambda self: self.is_alive)
    @rule(con_id=CONTRACTS, quantity=SIZES, away=st.integers(1, 3))
    def oco_entries(self, con_id: int, quantity: int, away: int) -> None:
        deeds.oco_entries(self.world, con_id, quantity, away=away)

    @precondition(lambda self: self.is_alive)
    @rule(con_id=CONTRACTS, away=st.integers(1, 3))
    def oco_exits(self, con_id: int, away: int) -> None:
        deeds.oco_exits(self.world, con_id, away=away)

    @precondition(lambda self: self.is_alive)
    @rule(con_id=CONTRACTS, percent=st.integers(1, 3), is_managed=st.booleans())
    def trail(self, con_id: int, percent: int, is_managed: bool) -> None:
        deeds.trail(self.world, con_id, percent=percent, is_managed=is_managed)

    @precondition(lambda self: self.is_alive and bool(deeds.live(self.world)))
    @rule(pick=st.integers(0, 20))
    def cancel(self, pick: int) -> None:
        orders = deeds.live(self.world)
        deeds.cancel(self.world, orders[pick % len(orders)])

    @precondition(lambda self: self.is_alive)
    @rule()
    def tighten(self) -> None:
        for order in deeds.live(self.world):
            if order.spec.order_type is OrderType.STOP:
                deeds.tighten(self.world, order)
                return

    @precondition(lambda self: self.is_alive)
    @rule(symbol=st.sampled_from(["", "AAPL", "MSFT"]), keeps_entries=st.booleans())
    def halt(self, symbol: str, keeps_entries: bool) -> None:
        deeds.halt(self.world, symbol=symbol, keeps_entries=keeps_entries)

    @precondition(lambda self: self.is_alive)
    @rule()
    def flatten(self) -> None:
        deeds.flatten(self.world)

    @precondition(lambda self: deeds.is_halted(self.world))
    @rule()
    def resume(self) -> None:
        deeds.resume(self.world)

    # -- outside ----------------------------------------------------------------------------

    @rule(con_id=CONTRACTS, percent=st.integers(-30, 30), size=st.sampled_from([3, 10_000]))
    def market_moves(self, con_id: int, percent: int, size: int) -> None:
        """By tenths of a percent; a thin market fills in parts."""
        mid = self.world.mid(con_id) * (1000 + percent) / 1000
        self.world.quote(con_id, mid.quantize(Decimal("0.01")), size=size)

    @rule(con_id=CONTRACTS, quantity=st.integers(-20, 20).filter(bool))
    def trade_by_hand(self, con_id: int, quantity: int) -> None:
        self.world.by_hand(con_id, quantity)

    @rule(seconds=st.sampled_from([0.01, 0.1, 0.5, 1.2, 3.0, 8.0, 61.0]))
    def wait(self, seconds: float) -> None:
        self.world.run(seconds)

    @precondition(lambda self: self.is_alive)
    @rule()
    def die(self) -> None:
        self.world.kill()

    @precondition(lambda self: not self.is_alive)
    @rule()
    def rise(self) -> None:
        self.world.boot()

    @invariant()
    def holds(self) -> None:
        if hasattr(self, "world"):
            found = verdict(self.world)
            assert not found, "\n".join(found)


class WiredTradingDay(TradingDay):
    """The same over TCP: through the client library, and the gateway at the other end."""

    kind = WiredWorld


SHARED = settings(
    deadline=None,
    derandomize=True,
    phases=(Phase.explicit, Phase.generate, Phase.shrink),
    suppress_health_check=list(HealthCheck),
)
TestTradingDay = TradingDay.TestCase
TestTradingDay.settings = settings(SHARED, max_examples=20, stateful_step_count=20)
TestWiredTradingDay = WiredTradingDay.TestCase
TestWiredTradingDay.settings = settings(SHARED, max_examples=5, stateful_step_count=10)
