from __future__ import annotations

from datetime import timedelta

import pytest

from ibkr_trader.core.enums import TradingState
from ibkr_trader.core.events import LossEvent, StateEvent
from ibkr_trader.risk.loss_levels import DayLoss, level_of
from ibkr_trader.risk.loss_memory import LossMemory, LossStep, again_at
from tests.risk.world import NOW, D, limits

DAY = NOW - timedelta(hours=10)
TOMORROW = DAY + timedelta(days=1)


def lost(amount: int, symbol: str = "", limit: int = 1000) -> DayLoss:
    level = level_of(D(amount), D(limit), limits())
    return DayLoss(symbol=symbol, loss=D(amount), limit=D(limit), level=level)


def told(amount: int, level: int, symbol: str = "") -> LossEvent:
    return LossEvent(
        at=NOW, loss=D(amount), limit=D(1000), symbol=symbol, level=level, message="a loss"
    )


def state(what: TradingState, symbol: str = "") -> StateEvent:
    return StateEvent(at=NOW, state=what, reason="test", symbol=symbol)


def memory(*events: LossEvent | StateEvent) -> LossMemory:
    found = LossMemory()
    for event in events:
        found = found.after(event)
    return found


RESUMED = state(TradingState.ACTIVE)


@pytest.mark.parametrize(
    ("said", "amount", "step"),
    [
        ((), 499, LossStep.NOTHING),
        ((), 500, LossStep.TELL),
        ((), 800, LossStep.TELL),
        ((), 1000, LossStep.HALT),
        ((told(500, 1),), 799, LossStep.NOTHING),
        ((told(500, 1),), 300, LossStep.NOTHING),  # it may come and go
        ((told(500, 1),), 800, LossStep.TELL),
        ((told(500, 1), told(800, 2)), 500, LossStep.NOTHING),
        ((told(800, 2),), 1000, LossStep.HALT),
        ((told(1000, 3),), 1099, LossStep.NOTHING),
        ((told(1000, 3),), 1100, LossStep.HALT),
        ((told(1000, 3),), 700, LossStep.NOTHING),
        # Resumed: what the loss then was is noted, whatever it was.
        ((told(1000, 3), RESUMED), 1000, LossStep.ACCEPT),
        ((told(1000, 3), RESUMED), 1500, LossStep.ACCEPT),
        ((told(1000, 3), RESUMED), 600, LossStep.ACCEPT),
        ((told(1000, 3), RESUMED, told(1500, 3)), 1599, LossStep.NOTHING),
        ((told(1000, 3), RESUMED, told(1500, 3)), 1600, LossStep.HALT),
        # Resumed when less was lost: the limit itself halts again.
        ((told(1000, 3), RESUMED, told(950, 3)), 999, LossStep.NOTHING),
        ((told(1000, 3), RESUMED, told(950, 3)), 1000, LossStep.HALT),
        # A resumption that was not of a halt for a loss says nothing of it.
        ((told(800, 2), RESUMED), 1000, LossStep.HALT),
        ((RESUMED,), 1000, LossStep.HALT),
    ],
)
def test_what_is_due(said: tuple[LossEvent | StateEvent, ...], amount: int, step: LossStep) -> None:
    assert memory(*said).step(lost(amount), since=DAY) is step


def test_the_next_day_everything_is_new() -> None:
    found = memory(told(1000, 3))
    assert found.step(lost(1000), since=TOMORROW) is LossStep.HALT
    assert found.step(lost(500), since=TOMORROW) is LossStep.TELL
    assert found.step(lost(0), since=TOMORROW) is LossStep.NOTHING
    yesterday = DAY - timedelta(days=1)  # the simulator's clock was set back
    assert found.step(lost(500), since=yesterday) is LossStep.TELL


def test_each_symbol_is_remembered_alone() -> None:
    found = memory(told(1000, 3, "AAPL"), state(TradingState.ACTIVE, "MSFT"), RESUMED)
    assert found.step(lost(1000, "AAPL"), since=DAY) is LossStep.NOTHING
    assert found.step(lost(1000, "MSFT"), since=DAY) is LossStep.HALT
    resumed = found.after(state(TradingState.ACTIVE, "AAPL"))
    assert resumed.step(lost(1000, "AAPL"), since=DAY) is LossStep.ACCEPT


def test_a_halt_is_no_resumption() -> None:
    found = memory(told(1000, 3))
    assert found.after(state(TradingState.HALTED)) is found


def test_a_symbol_has_one_name() -> None:
    """Contracts write it with a space, halts with a dot."""
    found = memory(told(1000, 3, "BRK B"), state(TradingState.ACTIVE, "BRK.B"))
    assert found.step(lost(1000, "BRK B"), since=DAY) is LossStep.ACCEPT
    again = LossMemory.restored(found.told.values())
    assert again == found


@pytest.mark.parametrize(("then", "at"), [(1000, 1100), (1500, 1600), (950, 1000), (0, 1000)])
def test_what_is_said_of_a_resumption_is_what_halts(then: int, at: int) -> None:
    assert again_at(lost(then)) == at
    found = memory(told(1000, 3), RESUMED, told(then, 3))
    assert found.step(lost(at - 1), since=DAY) is LossStep.NOTHING
    assert found.step(lost(at), since=DAY) is LossStep.HALT
