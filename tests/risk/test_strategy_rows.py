from __future__ import annotations

from ibkr_trader.core.enums import Stage
from ibkr_trader.risk.envelope import Envelope
from ibkr_trader.risk.headroom import as_if
from ibkr_trader.risk.strategy_rows import StrategyRow, strategy_rows
from tests.orders.samples import MSFT
from tests.portfolio.strategy_play import ALPHA, BETA, PERSON, D
from tests.risk.strategy_stage import WIDE, bounded, priced, seen, wish


def test_a_row_for_each_that_is_known_and_one_for_nobody() -> None:
    play = priced()
    play.charge(play.fill(play.enter(ALPHA), 10, "149"), "1")
    play.fill(play.enter(PERSON, 2, contract=MSFT), 2, "300", commission=D(1))
    rows = strategy_rows(bounded(play, capital=D(9000)), {ALPHA: Stage.LIVE, "idea": Stage.SHADOW})
    assert rows == (
        StrategyRow(
            name=ALPHA,
            stage=Stage.LIVE,
            envelope=Envelope(capital=D(9000)),
            positions=("AAPL",),
            capital=D(1500),
            day_pnl=D(9),
            entries=1,
            messages=2,
            efficiency=D("1.0"),
        ),
        StrategyRow(name=BETA, envelope=Envelope(), capital=D(0), day_pnl=D(0)),
        StrategyRow(name="idea", stage=Stage.SHADOW, capital=D(0), day_pnl=D(0)),
        StrategyRow(
            name="",
            positions=("MSFT",),
            capital=D(600),
            day_pnl=D(-1),
            entries=1,
            messages=2,
            efficiency=D("1.0"),
        ),
    )


def test_who_is_gone_and_still_owns_something_is_shown() -> None:
    play = priced()
    play.enter(ALPHA)
    assert [row.name for row in strategy_rows(seen(play, envelopes={}), {})] == [ALPHA, ""]


def test_a_look_ahead_counts_the_order_as_its_own() -> None:
    ahead = as_if(wish(ALPHA), seen(priced()))
    alpha, _, nobody = strategy_rows(ahead, {})
    assert (alpha.positions, alpha.capital, alpha.entries) == (("AAPL",), D(1500), 1)
    assert (nobody.positions, nobody.entries, WIDE[ALPHA]) == ((), 0, alpha.envelope)
