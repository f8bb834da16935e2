"""What is lost is told, and halts: on a gateway over TCP, whose prices move as the story wants."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from ibkr_trader.core import events as ev
from ibkr_trader.core.enums import TradingState
from ibkr_trader.core.errors import RiskCheckError
from ibkr_trader.core.models import AccountValues
from ibkr_trader.execution.closing import close_contract
from ibkr_trader.execution.guardian import Duty
from ibkr_trader.execution.placing import Wait
from ibkr_trader.portfolio.pnl import BY_MARK
from ibkr_trader.risk.limits import SymbolLimitRegistry, SymbolLimits
from ibkr_trader.sim.gateway import fault_rules as rules
from ibkr_trader.sim.gateway.fault_rules import Fault, When
from tests.bad_days.requests import bracket, single
from tests.bad_days.stage import AAPL, MSFT, Day, a_day
from tests.limits import roomy
from tests.orders.samples import values

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from ibkr_trader.risk.limits import RiskLimits

D = Decimal


def limits(**changes: Any) -> RiskLimits:
    """A hundred may be lost in a day."""
    return roomy(**({"max_daily_loss": D(100)} | changes))


@pytest.fixture
async def floor(tmp_path: Path) -> AsyncIterator[Day]:
    """A gateway without a desk."""
    async with a_day(tmp_path) as opened:
        yield opened


async def hold(day: Day, quantity: int = 10) -> None:
    """Hold AAPL, bought at 150.01, under a stop that is far away."""
    await day.desk.submit_group(bracket(quantity, stop="125", target="190"), wait=Wait.FILLED)
    await day.wait(1)


async def fall_to(day: Day, bid: str) -> None:
    """Move the market of AAPL, and let everybody act on it."""
    await day.quote(bid, f"{D(bid) + D('0.02')}")
    await day.wait(2)


def told(day: Day) -> list[tuple[str, int]]:
    """What was said of losses: whose, and at which level."""
    return [(event.symbol, event.level) for event in day.news(ev.LossEvent)]


def halts(day: Day) -> list[tuple[str, str, str]]:
    return [(event.state.value, event.symbol, event.origin) for event in day.news(ev.StateEvent)]


async def denied(day: Day, *, limit: str = "100", symbol: str = "AAPL") -> set[str]:
    """Which checks refuse one more share; nothing may reach the wire."""
    before = len(day.wire.sent("placeOrder"))
    with pytest.raises(RiskCheckError) as refused:
        await day.desk.submit_order(single(1, limit=limit, symbol=symbol))
    assert len(day.wire.sent("placeOrder")) == before
    return {breach.check for breach in refused.value.breaches}


def live(day: Day) -> list[str]:
    """The roles of what works at the exchange."""
    return sorted(order.terms.order_ref.split("-")[-1] for order in day.ledger.live(AAPL))


async def test_a_loss_is_told_then_opens_nothing_then_halts(floor: Day) -> None:
    async with floor.open_desk(limits=limits()):
        await hold(floor)
        await floor.accepted(single(5, limit="100"))
        await fall_to(floor, "145.50")
        assert told(floor) == []
        await fall_to(floor, "144.90")
        assert told(floor) == [("", 1)]
        await floor.accepted(single(1, limit="101"))  # still possible
        await fall_to(floor, "144.80")
        assert told(floor) == [("", 1)]  # once
        await fall_to(floor, "141.90")
        assert told(floor) == [("", 1), ("", 2)]
        assert await denied(floor) == {"daily_loss"}
        assert live(floor) == ["single", "single", "stop", "target"]
        await fall_to(floor, "139.90")
        assert told(floor) == [("", 1), ("", 2), ("", 3)]
        assert halts(floor) == [("HALTED", "", "daily_loss")]
        # What could still open is taken back; what protects stays.
        assert live(floor) == ["stop", "target"]
        assert await denied(floor) == {"daily_loss", "trading_state"}
        contract = floor.trader.portfolio.positions[AAPL].contract
        async with floor.meanwhile():
            await close_contract(floor.trader, contract, timeout=20)
        assert floor.ledger.held(AAPL) == 0
        serious = [event.is_serious for event in floor.news(ev.LossEvent)]
        assert serious == [False, True, True]


async def test_a_gain_is_no_loss(floor: Day) -> None:
    async with floor.open_desk(limits=limits()):
        await hold(floor)
        await fall_to(floor, "175")
        assert values(told(floor), halts(floor)) == ([], [])


async def test_flatten_on_kill_closes_what_is_held(floor: Day) -> None:
    async with floor.open_desk(limits=limits(flatten_on_kill=True)):
        await hold(floor)
        await fall_to(floor, "139.90")
        await floor.wait(20)
        assert floor.ledger.held(AAPL) == 0
        assert floor.trader.outlook.view().trading_state is TradingState.HALTED


async def test_a_symbol_is_halted_alone(floor: Day) -> None:
    async with floor.open_desk(limits=limits(max_daily_loss=D(10_000))):
        own = {"AAPL": SymbolLimits(symbol="AAPL", max_daily_loss=D(100))}
        floor.trader.outlook.book.symbol_limits = SymbolLimitRegistry(symbols=own)
        floor.exchange.market.set_quote(MSFT, bid=D("299.98"), ask=D("300.02"))
        await hold(floor)
        await fall_to(floor, "144")
        assert told(floor) == [("AAPL", 1)]
        await fall_to(floor, "139.90")
        assert told(floor) == [("AAPL", 1), ("AAPL", 3)]
        assert halts(floor) == [("HALTED", "AAPL", "daily_loss")]
        assert await denied(floor) == {"daily_loss", "trading_state"}
        await floor.accepted(single(1, limit="299", symbol="MSFT"))
        floor.trader.halter.resume("seen", origin="test", symbol="AAPL")
        await floor.wait(2)
        assert halts(floor)[1:] == [("ACTIVE", "AAPL", "test")]
        assert told(floor)[2:] == [("AAPL", 3)]  # noted, from here on it counts
        assert await denied(floor) == {"daily_loss"}


async def test_after_a_resumption_a_tenth_more_halts_again(floor: Day) -> None:
    async with floor.open_desk(limits=limits()):
        await hold(floor)
        await fall_to(floor, "139.90")
        assert halts(floor) == [("HALTED", "", "daily_loss")]
        floor.trader.halter.resume("I know", origin="test")
        await floor.wait(5)
        await fall_to(floor, "139.50")
        assert halts(floor)[1:] == [("ACTIVE", "", "test")]
        assert await denied(floor) == {"daily_loss"}  # the limit itself is not lifted
        await fall_to(floor, "138.80")
        assert halts(floor)[2:] == [("HALTED", "", "daily_loss")]


async def test_a_restart_knows_what_was_said_and_halted(floor: Day) -> None:
    floor.exchange.market.set_quote(MSFT, bid=D("299.98"), ask=D("300.02"))
    async with floor.open_desk(limits=limits()):
        await hold(floor)
        await fall_to(floor, "141.90")
        assert told(floor) == [("", 2)]
    async with floor.open_desk(limits=limits()):
        # Nobody has asked for a price of what is held: a review does, and knows the loss.
        assert await denied(floor, symbol="MSFT", limit="299") == {"daily_loss"}
        await floor.wait(2)
        assert told(floor) == [("", 2)]
        await fall_to(floor, "139.90")
        assert told(floor) == [("", 2), ("", 3)]
    async with floor.open_desk(limits=limits()):
        assert await denied(floor) == {"daily_loss", "trading_state"}
        await floor.wait(2)
        assert told(floor) == [("", 2), ("", 3)]
        assert halts(floor) == [("HALTED", "", "daily_loss")]


async def test_a_resumption_that_nobody_stayed_for_counts_in_the_next_process(floor: Day) -> None:
    async with floor.open_desk(limits=limits()):
        await hold(floor)
        await fall_to(floor, "139.90")
        floor.trader.halter.resume("I know", origin="test")
    async with floor.open_desk(limits=limits()):
        assert await denied(floor) == {"daily_loss"}
        await floor.wait(2)
        assert halts(floor) == [("HALTED", "", "daily_loss"), ("ACTIVE", "", "test")]


async def test_the_day_rolls_at_midnight_in_new_york_and_the_halt_stays(floor: Day) -> None:
    async with floor.open_desk(limits=limits()):
        await hold(floor)
        await fall_to(floor, "139.90")
        pnl = floor.trader.outlook.pnl
        assert pnl.since == datetime(2026, 11, 20, 5, tzinfo=UTC)
        assert pnl.net is not None
        assert pnl.net < -100
        await floor.wait_until(datetime(2026, 11, 21, 4, 59, tzinfo=UTC))
        assert floor.trader.outlook.pnl.since == pnl.since
        await floor.wait_until(datetime(2026, 11, 23, 15, tzinfo=UTC), step=7_200)
        pnl = floor.trader.outlook.pnl
        assert pnl.since == datetime(2026, 11, 23, 5, tzinfo=UTC)
        one = pnl.contracts[AAPL]
        # The close that every tick repeats is Thursday's: Friday ended at 139.90.
        assert floor.exchange.market.tape(AAPL).close != D("139.90")
        assert values(one.basis, one.commission, one.traded) == (D("139.90"), 0, 0)
        assert pnl.notes == (f"AAPL: {BY_MARK}",)
        assert floor.trader.outlook.view().trading_state is TradingState.HALTED
        count = len(told(floor))
        before = D("137.90")
        await fall_to(floor, f"{before:.2f}")
        assert len(told(floor)) == count  # 20 of 100
        floor.trader.halter.resume("a new day", origin="test")
        await floor.accepted(single(1, limit=f"{before - 10:.2f}"))
        await fall_to(floor, "129.80")
        assert halts(floor)[-1] == ("HALTED", "", "daily_loss")


async def test_a_halt_of_yesterday_does_not_come_again_at_midnight(floor: Day) -> None:
    """Nothing has moved since it was resumed: a loss counts on the day on which it was made."""
    async with floor.open_desk(limits=limits(flatten_on_kill=False)):
        await hold(floor)
        await floor.wait_until(datetime(2026, 11, 21, 15, tzinfo=UTC), step=7_200)
        await fall_to(floor, "139.90")
        assert halts(floor) == [("HALTED", "", "daily_loss")]
        floor.trader.halter.resume("I know", origin="test")
        await floor.wait(5)
        await floor.wait_until(datetime(2026, 11, 22, 5, 0, 30, tzinfo=UTC))
        await fall_to(floor, "139.80")
        pnl = floor.trader.outlook.pnl
        assert values(pnl.since, pnl.net) == (datetime(2026, 11, 22, 5, tzinfo=UTC), D("-1.00"))
        assert halts(floor)[1:] == [("ACTIVE", "", "test")]


async def test_the_day_of_a_half_day_is_a_whole_one(floor: Day) -> None:
    async with floor.open_desk(limits=limits()):
        # The day after Thanksgiving.
        await floor.wait_until(datetime(2026, 11, 27, 15, tzinfo=UTC), step=14_400)
        await floor.quote("149.99", "150.01")
        await hold(floor)
        await fall_to(floor, "144.90")
        assert told(floor) == [("", 1)]
        await floor.wait_until(datetime(2026, 11, 27, 19, tzinfo=UTC))  # it closed at 13:00
        assert floor.trader.outlook.pnl.since == datetime(2026, 11, 27, 5, tzinfo=UTC)
        assert floor.trader.outlook.pnl.contracts[AAPL].traded == 10


async def test_a_commission_that_comes_late_is_estimated_until_then(floor: Day) -> None:
    async with floor.open_desk(limits=limits()):
        late = Fault(when=When(names=("commissionReport",), times=0), act=rules.Delay(seconds=30))
        floor.faults.arm(late)
        await hold(floor)
        one = floor.trader.outlook.pnl.contracts[AAPL]
        assert values(one.commission, one.estimated) == (1, 1)
        await floor.wait(40)
        one = floor.trader.outlook.pnl.contracts[AAPL]
        stated = sum((fill.commission or 0) for fill in floor.trader.portfolio.fills.values())
        assert values(one.commission, one.estimated) == (stated, 0)


async def test_a_correction_of_an_execution_corrects_the_day(floor: Day) -> None:
    async with floor.open_desk(limits=limits()):
        await hold(floor)
        await fall_to(floor, "145.50")
        assert told(floor) == []
        (first,) = floor.exchange.orders.executions()
        await floor.correct(first.exec_id, price="154")
        await floor.wait(2)
        assert told(floor) == [("", 2)]


async def test_the_account_may_fall_only_so_far_below_its_peak(floor: Day) -> None:
    async with floor.open_desk(
        limits=limits(max_daily_loss=D(1_000_000), max_drawdown=D("0.0001"))
    ):
        await floor.wait(2)
        (first,) = floor.news(ev.EquityEvent)
        assert first.peak == first.net_liquidation
        await hold(floor)
        await fall_to(floor, "144")
        found = floor.trader.outlook.view()
        assert found.equity_peak == first.peak
        await floor.until(lambda: floor.trader.portfolio.values is not None)
        await fall_to(floor, "139")
        await floor.until(lambda: bool(halts(floor)), within=300)
        assert halts(floor) == [("HALTED", "", "drawdown")]
        assert await denied(floor) == {"drawdown", "trading_state"}
        floor.trader.halter.resume("counted anew", origin="test")
        await floor.wait(5)
        again = floor.news(ev.EquityEvent)[-1]
        assert again.peak == again.net_liquidation < first.peak
        assert halts(floor)[1:] == [("ACTIVE", "", "test")]
        await floor.accepted(single(1, limit="100"))


async def test_a_halt_that_kept_entries_takes_them_back_for_a_drawdown(floor: Day) -> None:
    async with floor.open_desk(
        limits=limits(max_daily_loss=D(1_000_000), max_drawdown=D("0.0001"))
    ):
        await hold(floor)
        await floor.accepted(single(5, limit="100"))
        floor.trader.halter.stop("lunch", origin="test", keeps_entries=True)
        await fall_to(floor, "139")
        await floor.until(lambda: len(halts(floor)) > 1, within=300)
        await floor.wait(5)
        assert halts(floor)[1:] == [("HALTED", "", "drawdown")]
        assert live(floor) == ["stop", "target"]


@pytest.mark.parametrize(
    "loss", [{"max_drawdown": D("0.0001")}, {"max_daily_loss": D(100)}], ids=["drawdown", "daily"]
)
async def test_who_was_halted_already_is_closed_all_the_same(
    loss: dict[str, Any], floor: Day
) -> None:
    wide = {"max_daily_loss": D(1_000_000), "flatten_on_kill": True}
    async with floor.open_desk(limits=limits(**(wide | loss))):
        await hold(floor)
        floor.trader.halter.stop("lunch", origin="test")
        await fall_to(floor, "139")
        await floor.until(lambda: not floor.trader.portfolio.positions, within=300)
        await floor.wait(5)
        reasons = halts(floor)
        await floor.wait(300)
        assert halts(floor) == reasons, "and it is not halted again and again"


async def test_a_peak_is_told_when_it_is_worth_it(floor: Day) -> None:
    async with floor.open_desk(limits=limits()):
        await floor.wait(2)
        first = floor.news(ev.EquityEvent)[-1].peak

        async def state(worth: Decimal | None) -> None:
            values = AccountValues(account="SIM0000001", net_liquidation=worth)
            floor.trader.record.witness([ev.AccountEvent(at=floor.time.now(), values=values)])
            await floor.wait(1)

        await state(first * D("1.0004"))
        await state(None)
        assert [event.peak for event in floor.news(ev.EquityEvent)] == [first]
        await state(first * D("1.0005"))
        assert floor.news(ev.EquityEvent)[-1].peak == first * D("1.0005")
        await state(first)
        assert len(floor.news(ev.EquityEvent)) == 2


async def test_who_only_looks_halts_nothing(floor: Day) -> None:
    async with floor.open_desk(limits=limits()):
        await hold(floor)
        floor.trader.guardian.duty = Duty.NONE
        await fall_to(floor, "139.90")
        assert values(told(floor), halts(floor)) == ([], [])
        floor.trader.guardian.duty = Duty.FULL
        await fall_to(floor, "139.80")
        assert halts(floor) == [("HALTED", "", "daily_loss")]


async def test_a_halt_that_kept_entries_takes_them_back_when_the_limit_is_passed(
    floor: Day,
) -> None:
    async with floor.open_desk(limits=limits()):
        await hold(floor)
        await floor.accepted(single(5, limit="100"))
        floor.trader.halter.stop("lunch", origin="test", keeps_entries=True)
        await floor.wait(1)
        assert "single" in live(floor)
        await fall_to(floor, "139.90")
        assert live(floor) == ["stop", "target"]
        assert halts(floor)[-1] == ("HALTED", "", "daily_loss")
        count = len(halts(floor))
        await fall_to(floor, "130")
        assert len(halts(floor)) == count  # halted once, and told again with each tenth more
        assert told(floor) == [("", 3), ("", 3)]


async def test_what_is_lost_shows_in_the_state_until_it_is_not(floor: Day) -> None:
    async with floor.open_desk(limits=limits()):
        await hold(floor)
        await fall_to(floor, "142.00")
        view = floor.trader.outlook.view()
        assert view.trading_state is TradingState.REDUCING
        assert view.state_reason == "81 % of the day's loss limit is used"
        assert await denied(floor) == {"daily_loss"}
        await fall_to(floor, "149.00")
        assert floor.trader.outlook.view().trading_state is TradingState.ACTIVE
