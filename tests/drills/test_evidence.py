"""What the exchange's books say about time without a stop, exits too many, and orders too many."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from ibkr_trader.config import Settings
from ibkr_trader.core.enums import Side
from ibkr_trader.drills.asks import ask, bracket, held_bracket
from ibkr_trader.drills.drill import Drill
from ibkr_trader.drills.evidence import Stretch
from ibkr_trader.drills.rehearsal import Cast, Outcome, Result, run
from ibkr_trader.drills.scene import Scene
from ibkr_trader.execution.placing import Wait
from ibkr_trader.sim.orders import OrderTerms


def played(settings: Settings, story: object) -> Result:
    one = Drill(name="x", sentence="X.", story=story)  # type: ignore[arg-type]  # any story
    return run(one, Cast(settings=settings))


def test_a_stretch_is_the_longest_of_several() -> None:
    stretch, second = Stretch(), timedelta(seconds=1)
    for is_so in (True, True, False, True, False, True, True, True):
        stretch.add(second, is_so=is_so)
    assert (stretch.longest, stretch.total, stretch.now) == (3 * second, 6 * second, 3 * second)


def test_what_somebody_else_holds_without_a_stop_is_naked(settings: Settings) -> None:
    async def story(scene: Scene) -> None:
        await scene.hand.order(Side.BUY, 5)
        await scene.gateway.wait(4)

    result = played(settings, story)
    assert (result.outcome, result.naked) == (Outcome.FAIL, timedelta(seconds=4))
    assert result.reasons == ("something was held for 4 s without its full stop",)
    assert result.positions_left == {"AAPL": Decimal(5)}


def test_exits_that_could_trade_too_much_are_counted(settings: Settings) -> None:
    async def story(scene: Scene) -> None:
        await held_bracket(scene)
        terms = OrderTerms(
            con_id=scene.con_id,
            action="SELL",
            quantity=Decimal(3),
            order_type="STP",
            aux_price=Decimal(140),
        )
        hand = scene.gateway.exchange.hand
        await scene.gateway.others(lambda now: hand.place(terms, now=now))
        await scene.gateway.wait(3)

    result = played(settings, story)
    assert result.surplus == timedelta(seconds=3)
    assert result.reasons == ("for 3 s exits could trade more than was held",)


def test_one_wish_that_goes_out_twice_is_a_duplicate(settings: Settings) -> None:
    async def story(scene: Scene) -> None:
        await ask(scene, bracket(scene, limit=Decimal(-1)), wait=Wait.ACCEPTED)
        await scene.gateway.wait(scene.settings.risk.duplicate_window.total_seconds() + 2)
        await ask(scene, bracket(scene, limit=Decimal(-1)), wait=Wait.ACCEPTED)
        asked = scene.evidence.asked
        assert list(asked.values()) == [2]
        assert scene.evidence.duplicates() == 0
        asked.clear()  # nobody has asked for the second one

    result = played(settings, story)
    assert (result.outcome, result.duplicates) == (Outcome.FAIL, 1)


def test_what_was_gained_counts_costs(settings: Settings) -> None:
    async def story(scene: Scene) -> None:
        await held_bracket(scene)
        await scene.floor.quote("151.00", "151.02")
        await scene.hand.close()
        await scene.gateway.wait(2)

    result = played(settings, story)
    assert result.profit == Decimal("7.90")  # 9.90 by the price, and two commissions
