"""Two strategies and a person on one account: a symbol has one owner, an envelope holds."""

from __future__ import annotations

import asyncio
from datetime import UTC, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec
import pytest

from ibkr_trader.adapters.clock import ManualClock
from ibkr_trader.adapters.memory_journal import MemoryJournal
from ibkr_trader.core import events as ev
from ibkr_trader.core.enums import Outcome, Side, Stage
from ibkr_trader.core.models import OrderId
from ibkr_trader.core.origins import rule_origin
from ibkr_trader.execution.attribution import Attribution
from ibkr_trader.execution.checkpoints import Checkpoints
from ibkr_trader.execution.closing import close_contract
from ibkr_trader.execution.desk import Desk
from ibkr_trader.execution.placing import Wait, prepare
from ibkr_trader.execution.wishing import Wishing
from ibkr_trader.orders.managed_trails import Trail
from ibkr_trader.portfolio.state import PortfolioState
from ibkr_trader.risk.sizing import FixedQuantity
from ibkr_trader.risk.strategy_rows import strategy_rows
from ibkr_trader.risk.verdict import Approved, Denied
from ibkr_trader.rules import wishes
from tests.execution.parts import AAPL, INSTALL, START, request, take_away
from tests.execution.strategy_stage import StrategyFloor
from tests.orders.samples import spec
from tests.portfolio.strategy_play import Play

if TYPE_CHECKING:
    from ibkr_trader.execution.strategist import Strategist
    from ibkr_trader.execution.trader import Trader
    from ibkr_trader.execution.wishing import Came
    from ibkr_trader.rules.wishes import Wish

D = Decimal
TEXT = """
name = "{name}"
symbols = ["AAPL"]
{envelope}
[[rule]]
name = "Enter"
when = "signal.action == 'BUY'"
[rule.open]
side = "long"
size = "10"
stop_loss = "3%"
[[rule]]
name = "Leave"
when = "signal.action == 'SELL' and position.is_long"
[rule.close_all]
only = "long"
"""


def text(name: str, **envelope: object) -> str:
    lines = [f"{key} = {value}" for key, value in envelope.items()]
    return TEXT.format(name=name, envelope="\n".join(["[envelope]", *lines]))


ALPHA, BETA = text("alpha"), text("beta")


def of(strategist: Strategist) -> Trader:
    return strategist.rules._trader


def wishing(trader: Trader, who: str) -> Wishing:
    return Wishing(trader, origin=rule_origin(who, "Rule"), cause="d1", timeout=5)


async def ask(trader: Trader, who: str, wish: Wish) -> Came:
    return await wishing(trader, who).carry_out(wish)


def enter(
    side: Side = Side.BUY, *, symbol: str = "AAPL", limit: str | None = None, size: int = 10
) -> wishes.Enter:
    level = D("142.00") if side is Side.BUY else D("154.50")
    return wishes.Enter(
        symbol=symbol,
        side=side,
        size=FixedQuantity(quantity=D(size)),
        stop=level,
        limit=D(limit) if limit else None,
    )


async def filled(floor: StrategyFloor, trader: Trader) -> None:
    floor.move(trader, "149.99", "150.01")
    assert await trader.until(lambda now: now.positions.get(AAPL), timeout=5)


LEVEL = wishes.MoveStop(symbol="AAPL", level=D("148"))
TRAIL = wishes.LetTrail(symbol="AAPL", trail=Trail(amount=D(2)))
OTHERS: list[Wish] = [
    enter(),
    enter(Side.SELL),
    wishes.Enter(
        symbol="AAPL", side=Side.SELL, size=FixedQuantity(quantity=D(1)), stop=D(160), reverses=True
    ),
    wishes.Add(symbol="AAPL", quantity=D(1)),
    wishes.Exit(symbol="AAPL"),
    LEVEL,
    TRAIL,
]


@pytest.mark.parametrize("wish", OTHERS, ids=lambda wish: type(wish).__name__)
@pytest.mark.parametrize("owner", ["alpha", ""])
async def test_what_is_anothers_is_not_touched(owner: str, wish: Wish) -> None:
    floor = StrategyFloor()
    async with floor.strategist(ALPHA, BETA) as strategist:
        trader = of(strategist)
        if owner:
            assert (await ask(trader, owner, enter())).outcome is Outcome.ACTED
        else:
            await Desk(trader).submit_order(request(), wait=Wait.FILLED)
        await filled(floor, trader)
        before = trader.portfolio.orders, trader.portfolio.positions
        came = await ask(trader, "beta", wish)
        assert came.outcome is Outcome.REFUSED
        whose = "the strategy alpha" if owner else "no strategy"
        assert came.reasons[0].startswith(f"AAPL belongs to {whose}")
        assert (trader.portfolio.orders, trader.portfolio.positions) == before
        assert not trader.portfolio.closings
        assert trader.outlook.strategies.owner(AAPL) == owner


async def test_what_is_its_own_it_may_move_add_to_and_end() -> None:
    floor = StrategyFloor()
    async with floor.strategist(ALPHA, BETA) as strategist:
        trader = of(strategist)
        await ask(trader, "alpha", enter())
        await filled(floor, trader)
        for wish in (LEVEL, TRAIL, wishes.Add(symbol="AAPL", quantity=D(1)), OTHERS[4]):
            came = await ask(trader, "alpha", wish)
            assert came.outcome is Outcome.ACTED, came.reasons
        assert trader.outlook.strategies.owner(AAPL) is None
        came = await ask(trader, "beta", enter(Side.SELL))
        assert came.outcome is Outcome.ACTED, came.reasons
        assert trader.outlook.strategies.owner(AAPL) == "beta"


async def test_two_that_hear_the_same_signal_are_one_position() -> None:
    floor, journal = StrategyFloor(), MemoryJournal(INSTALL)
    async with floor.strategist(ALPHA, BETA, journal=journal) as strategist:
        trader = of(strategist)
        reply = await strategist.signals.take(floor.claim())
        ends = [m for _, m in journal.messages() if isinstance(m, ev.DecisionEndEvent)]
        assert {end.strategy: end.outcome for end in ends} == {
            "alpha": Outcome.ACTED,
            "beta": Outcome.REFUSED,
        }
        assert any("belongs to the strategy alpha" in reason for reason in reply.reasons)
        await filled(floor, trader)
        assert trader.portfolio.positions[AAPL].quantity == 10
        reply = await strategist.signals.take(floor.claim("SELL", signal_id="s2"))
        assert AAPL not in trader.portfolio.positions, "alpha's own rule has ended it"
        assert reply.outcome is Outcome.ACTED
        alpha, beta = reply.reasons
        assert alpha.startswith("alpha, ")
        assert alpha.endswith(": acted")
        assert beta.startswith("beta, ")
        assert beta.endswith(": nothing; AAPL is flat already")


async def test_a_rule_sees_whose_it_is() -> None:
    floor = StrategyFloor()
    async with floor.strategist(ALPHA) as strategist:
        trader = of(strategist)
        moments = strategist.rules._moments
        assert moments._holding(AAPL, is_known=True).owner == ""
        await ask(trader, "alpha", enter(limit="146.50"))
        assert moments._holding(AAPL, is_known=True).owner == "alpha"


async def test_a_person_who_was_quicker_is_seen_on_the_order_path() -> None:
    floor = StrategyFloor()
    async with floor.strategist(ALPHA) as strategist:
        trader = of(strategist)
        prepared = await prepare(trader, request(limit="149.00"), without_stop=True)
        origin = rule_origin("alpha", "Rule")
        command = msgspec.structs.replace(prepared.command, origin=origin)
        assert isinstance(trader.router.preview(command), Approved)
        await Desk(trader).submit_order(request(), wait=Wait.FILLED)
        verdict = await trader.router.route(command)
        assert isinstance(verdict, Denied)
        assert [breach.check for breach in verdict.breaches] == ["strategy_owner"]
        assert prepared.command.origin == "cli"
        other = await prepare(trader, request(limit="149.00"), without_stop=True)
        assert isinstance(trader.router.preview(other.command), Approved), "people are not bound"


async def test_a_closing_is_held_back_at_the_last_moment() -> None:
    floor = StrategyFloor()
    async with floor.strategist(ALPHA) as strategist:
        trader = of(strategist)
        await Desk(trader).submit_order(request(), wait=Wait.FILLED)
        contract = trader.portfolio.positions[AAPL].contract
        with pytest.raises(Exception, match="belongs to no strategy"):
            await close_contract(trader, contract, timeout=5, origin=rule_origin("alpha", "r"))
        assert not trader.portfolio.closings
        await close_contract(trader, contract, timeout=5, origin="cli")
        assert AAPL not in trader.portfolio.positions


async def test_two_entries_in_flight_cannot_pass_an_envelope_together() -> None:
    floor = StrategyFloor()
    bounded = text("alpha", capital=2000).replace('["AAPL"]', '["AAPL", "MSFT"]')
    async with floor.strategist(bounded) as strategist:
        trader = of(strategist)
        details = await trader.learn("MSFT")
        price = await trader.price(details.contract, timeout=3)
        assert price is not None
        assert price.mark is not None
        other = wishes.Enter(
            symbol="MSFT",
            side=Side.BUY,
            size=FixedQuantity(quantity=D(int(1500 / price.mark))),
            stop=(price.mark * D("0.95")).quantize(D(1)),
            limit=(price.mark * D("0.99")).quantize(D(1)),
        )
        async with asyncio.TaskGroup() as tasks:
            one = tasks.create_task(ask(trader, "alpha", enter(limit="146.50")))
            two = tasks.create_task(ask(trader, "alpha", other))
        came = {one.result().outcome: one.result(), two.result().outcome: two.result()}
        assert set(came) == {Outcome.ACTED, Outcome.REFUSED}
        assert "its capital is 2,000.00" in came[Outcome.REFUSED].reasons[0]
        (row, *_) = strategy_rows(trader.outlook.view(), {"alpha": Stage.LIVE})
        assert row.capital is not None
        assert 1000 < row.capital < 2000
        assert (row.entries, len(row.positions)) == (1, 1)


async def test_the_days_loss_ends_its_openings_and_nobody_elses() -> None:
    floor = StrategyFloor()
    async with floor.strategist(text("alpha", max_daily_loss=20), BETA) as strategist:
        trader = of(strategist)
        await ask(trader, "alpha", enter())
        await filled(floor, trader)
        floor.move(trader, "147.00", "147.02")
        assert (await ask(trader, "alpha", wishes.Exit(symbol="AAPL"))).outcome is Outcome.ACTED
        came = await ask(trader, "alpha", enter(limit="146.50"))
        assert came.outcome is Outcome.REFUSED
        assert came.reasons[0].startswith("The strategy alpha has lost")
        assert (await ask(trader, "beta", enter(limit="146.50"))).outcome is Outcome.ACTED
        alpha, beta, nobody = strategy_rows(trader.outlook.view(), {})
        whole = trader.outlook.pnl.net
        assert alpha.day_pnl is not None
        assert alpha.day_pnl == whole
        assert alpha.day_pnl < -20
        assert (beta.day_pnl, nobody.day_pnl, nobody.messages) == (D(0), D(0), 0)
        traffic = trader.outlook.view().traffic
        assert traffic is not None
        assert alpha.messages + beta.messages == traffic.messages


@pytest.mark.parametrize("is_orderly", [True, False])
async def test_a_restart_knows_whose_everything_is(*, is_orderly: bool) -> None:
    floor, journal = StrategyFloor(), MemoryJournal(INSTALL)
    async with floor.strategist(text("alpha", max_entries_per_day=1), BETA, journal=journal) as one:
        trader = of(one)
        await ask(trader, "alpha", enter())
        await filled(floor, trader)
        if is_orderly:
            Checkpoints(trader).mark()
        crashed = MemoryJournal(INSTALL)
        crashed.append([message for _, message in journal.messages()])
        before = strategy_rows(trader.outlook.view(), {})
    kept = journal if is_orderly else crashed
    async with floor.strategist(text("alpha", max_entries_per_day=1), BETA, journal=kept) as two:
        trader = of(two)
        assert trader.outlook.strategies.owner(AAPL) == "alpha"
        assert strategy_rows(trader.outlook.view(), {}) == before
        came = await ask(trader, "beta", wishes.Exit(symbol="AAPL"))
        assert came.outcome is Outcome.REFUSED
        came = await ask(trader, "alpha", wishes.Exit(symbol="AAPL"))
        assert came.outcome is Outcome.ACTED, came.reasons
        came = await ask(trader, "alpha", enter(limit="146.50"))
        assert "It would be entry 2 of the strategy alpha today" in came.reasons[0]
        assert OrderId("k7qav-1-entry") not in trader.portfolio.orders


async def test_a_day_that_is_over_is_known_after_a_restart_though_its_orders_are_gone() -> None:
    floor, journal = StrategyFloor(), MemoryJournal(INSTALL)
    async with floor.strategist(ALPHA, BETA, journal=journal) as strategist:
        trader = of(strategist)
        for who, side in (("alpha", Side.BUY), ("beta", Side.SELL)):
            assert (await ask(trader, who, enter(side))).outcome is Outcome.ACTED
            await filled(floor, trader)
            assert (await ask(trader, who, wishes.Exit(symbol="AAPL"))).outcome is Outcome.ACTED
        before = strategy_rows(trader.outlook.view(), {})
    assert [(row.name, row.entries) for row in before] == [("alpha", 1), ("beta", 1), ("", 0)]
    assert all(row.day_pnl for row in before[:2])
    async with floor.strategist(ALPHA, BETA, journal=journal) as strategist:
        trader = of(strategist)
        assert strategy_rows(trader.outlook.view(), {}) == before
        floor.clock.advance(2 * 86_400)
        rows = strategy_rows(trader.outlook.view(), {})
        assert [(row.entries, row.messages) for row in rows] == [(0, 0)] * 3, "another day"
        await trader.recovery.synchronize()
        Checkpoints(trader).mark()
        assert not trader.outlook.strategies.book.groups, "nobody will hear of them any more"


async def test_what_is_held_for_days_stays_whose_it_is() -> None:
    floor, journal = StrategyFloor(), MemoryJournal(INSTALL)
    async with floor.strategist(ALPHA, journal=journal) as strategist:
        trader = of(strategist)
        await ask(trader, "alpha", enter())
        await filled(floor, trader)
        await take_away(trader, *trader.portfolio.orders.values())
        floor.clock.advance(2 * 86_400)
    async with floor.strategist(ALPHA, journal=journal) as strategist:
        trader = of(strategist)
        assert trader.outlook.strategies.owner(AAPL) == "alpha", "its executions may be told again"
        Checkpoints(trader).mark()
        assert not trader.portfolio.fills
        assert trader.outlook.strategies.owner(AAPL) == "alpha"


def test_what_is_kept_fits_the_portfolio_that_is_kept() -> None:
    play = Play()
    play.fill(play.enter("alpha"), 10)
    kept = Attribution(ManualClock(START), UTC, portfolio=lambda: play.portfolio)
    kept.book = play.book
    assert kept.kept(play.portfolio).bases == {}
    over = play.portfolio.begin_day(START + timedelta(days=1))
    assert kept.kept(over).bases == {AAPL: "alpha"}, "its executions are not kept any more"


def test_a_clock_that_was_set_back_leaves_tomorrows_count_behind() -> None:
    clock = ManualClock(START)
    kept = Attribution(clock, UTC, portfolio=PortfolioState)
    kept.hear(
        ev.ModifyEvent(at=clock.now(), order_id=OrderId("memo-1-entry"), spec=spec()), clock.now()
    )
    assert kept.facts()["strategies"].days[""].traffic.messages == 1
    clock.jump(START - timedelta(days=1))
    assert kept.facts()["strategies"].days == {}


async def test_who_is_dismissed_opens_nothing_more() -> None:
    floor = StrategyFloor()
    async with floor.strategist(ALPHA) as strategist:
        trader = of(strategist)
        strategist.rules.dismiss("alpha", Stage.SHADOW)
        assert "alpha" in trader.outlook.strategies.envelopes
        strategist.rules.dismiss("alpha", Stage.LIVE)
        came = await ask(trader, "alpha", enter(limit="146.50"))
        assert came.outcome is Outcome.REFUSED
        assert "does not trade here" in came.reasons[0]
