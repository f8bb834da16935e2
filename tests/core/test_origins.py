from __future__ import annotations

import pytest

from ibkr_trader.core.origins import rule_origin, strategy_of


def test_an_origin_names_the_strategy_and_its_rule() -> None:
    assert rule_origin("prediction-entry", "Long") == "strategy/prediction-entry/Long"
    assert strategy_of(rule_origin("prediction-entry", "Long")) == "prediction-entry"


@pytest.mark.parametrize(
    "origin", ["", "trail", "strategy", "strategyx/a/b", "halt/strategy/a", "a/strategy/b"]
)
def test_what_nobody_of_ours_asked_for_is_of_no_strategy(origin: str) -> None:
    assert strategy_of(origin) == ""


def test_a_strategy_alone_is_enough() -> None:
    assert strategy_of("strategy/mine") == "mine"
