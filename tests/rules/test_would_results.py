from __future__ import annotations

from ibkr_trader.rules.would_results import Results
from tests.rules.shadow_samples import D


def results(*gains: int) -> Results:
    return Results(gains=tuple(D(one) for one in gains))


def test_trips_add_up() -> None:
    found = results(10, -4, 6, -8, 0)
    assert found.gain == 4
    assert found.wins == 2
    assert f"{found.profit_factor:.4f}" == "1.3333"
    assert found.drawdown == 8
    assert found.curve == tuple(map(D, (0, 10, 6, 12, 4, 4)))


def test_a_fall_from_the_start_is_a_drawdown_too_and_the_deepest_counts() -> None:
    assert results(-5, 20, -3, -9, 1).drawdown == 12
    assert results(-5, 1).drawdown == 5


def test_without_a_loss_there_is_no_profit_factor() -> None:
    assert results(3).profit_factor is None
    assert results().profit_factor is None
