from __future__ import annotations

from decimal import Decimal

from ibkr_trader.cli.board import Board
from ibkr_trader.core.enums import Stage
from ibkr_trader.dashboard.scene import Came
from ibkr_trader.rules.strategy_text import read_strategy
from tests.execution.strategy_stage import ENTRY, StrategyFloor


async def test_a_decision_is_shown_with_what_came_of_it() -> None:
    floor = StrategyFloor()
    async with floor.strategist(ENTRY) as desk:
        board = Board(desk.trader)
        await desk.signals.take(floor.claim(signal_id="a1"))
        await floor.filled(desk, 10)
        await desk.signals.take(floor.claim("SHORT", signal_id="a2"))
        await desk.signals.take(floor.claim(signal_id="a3", confidence=Decimal("0.5")))
        shown = [(one.source, one.came, one.text) for one in board.decisions]
        entry, flip, doubtful = [one for one in shown if not one[0][0].isdigit()]
        assert entry[:2] == ("prediction-entry", Came.ACTED)
        assert entry[2].startswith("long AAPL, stop")
        assert entry[2].endswith("(PredictionEntry)")
        assert flip[:2] == ("prediction-entry", Came.REFUSED)
        assert flip[2].startswith("+10 AAPL are held on the other side")
        assert doubtful[:2] == ("test", Came.REFUSED)


async def test_what_a_shadow_would_do_is_shown_at_once() -> None:
    floor = StrategyFloor()
    async with floor.strategist() as desk:
        strategy = read_strategy(ENTRY)
        await desk.prepare(strategy, Stage.SHADOW)
        desk.rules.admit(strategy, Stage.SHADOW)
        board = Board(desk.trader)
        await desk.signals.take(floor.claim())
        (would,) = [one for one in board.decisions if one.came is Came.WOULD]
        assert would.text.startswith("shadow: long AAPL")
        assert would.text.endswith("(PredictionEntry)")
