"""Rules as functions: their sides, distances and names, and what a builder makes of them."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal

import pytest

from ibkr_trader.core.enums import Side
from ibkr_trader.core.models import Session
from ibkr_trader.risk.envelope import Envelope
from ibkr_trader.risk.sizing import AtrRisk, FixedQuantity
from ibkr_trader.rules.actions.open_position import OpenPosition
from ibkr_trader.rules.actions.scale_in import ScaleIn
from ibkr_trader.rules.engine import decide
from ibkr_trader.rules.moment import Trigger
from ibkr_trader.rules.rule import Rule, Strategy
from ibkr_trader.rules.rule_memory import RuleMemory
from ibkr_trader.rules.strategy_text import StrategyError, read_strategy, version_of
from ibkr_trader.rules.templates import (
    StrategyBuilder,
    create_buy_rule,
    create_eod_close_rule,
    create_scale_in_rule,
    create_sell_rule,
)
from ibkr_trader.rules.wishes import Add, Enter, Exit
from tests.orders.samples import AT
from tests.rules.looks import look, told
from tests.rules.moments import asking

if TYPE_CHECKING:
    from ibkr_trader.rules.moment import Moment
    from ibkr_trader.rules.wishes import Wish

SIDES: list[Literal["long", "short"]] = ["long", "short"]


def wished(rule: Rule, moment: Moment) -> list[Wish]:
    """What one rule alone wishes."""
    strategy = Strategy(name="s", version="v", symbols=("AAPL",), rules=(rule,))
    verdict = decide(strategy, RuleMemory(), moment)
    assert not verdict.faults
    return [one.wish for one in verdict.decided]


@pytest.mark.parametrize(
    ("side", "action", "bought", "stop", "target"),
    [("long", "BUY", Side.BUY, "97", "109"), ("short", "SHORT", Side.SELL, "103", "91")],
)
def test_an_entry_has_its_stop_and_target_on_the_right_sides(
    side: Literal["long", "short"], action: str, bought: Side, stop: str, target: str
) -> None:
    (enter,) = wished(create_buy_rule(side=side), told(action))
    assert isinstance(enter, Enter)
    assert (enter.side, enter.symbol) == (bought, "AAPL")
    assert (enter.stop, enter.targets) == (Decimal(stop), (Decimal(target),))
    assert not enter.reverses


@pytest.mark.parametrize("side", SIDES)
def test_an_entry_waits_for_a_signal_of_its_own_side_that_is_confident_enough(
    side: Literal["long", "short"],
) -> None:
    rule = create_buy_rule(side=side, min_confidence="0.9")
    own, other = ("BUY", "SHORT") if side == "long" else ("SHORT", "BUY")
    assert wished(rule, told(own, "0.91"))
    assert not wished(rule, told(own, "0.9"))
    assert not wished(rule, told(other, "0.99"))
    assert not wished(rule, told("SELL", "0.99"))
    assert rule.triggers == {Trigger.SIGNAL}


def test_what_an_entry_is_given_is_in_it() -> None:
    rule = create_buy_rule(
        name="Mine",
        when="price.last < 50",
        size="atr:2",
        stop_loss="2atr",
        take_profit=["2R", "4R"],
        cooldown=timedelta(minutes=3),
    )
    (action,) = rule.then
    assert isinstance(action, OpenPosition)
    assert isinstance(action.size, AtrRisk)
    assert [str(one) for one in action.take_profit] == ["2R", "4R"]
    assert (rule.name, rule.when.text, rule.cooldown) == (
        "Mine",
        "price.last < 50",
        timedelta(minutes=3),
    )
    assert create_buy_rule(size="10").then[0].size == FixedQuantity(Decimal(10))  # type: ignore[attr-defined]  # it is an OpenPosition


@pytest.mark.parametrize(
    "wrong",
    [
        {"size": "many"},
        {"stop_loss": "far"},
        {"take_profit": ["9%", "-1%"]},
        {"when": "price.last <"},
        {"min_confidence": "high"},
    ],
)
def test_a_figure_that_is_none_is_refused_where_it_is_written(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"\S"):
        create_buy_rule(**wrong)


def test_a_sale_is_the_end_of_a_long_position_and_no_more() -> None:
    (leave,) = wished(create_sell_rule(), told("SELL", held=10))
    assert leave == Exit(symbol="AAPL", only=Side.BUY)
    assert not wished(create_sell_rule(), told("BUY"))
    assert not wished(create_sell_rule(), told("SHORT"))
    (cover,) = wished(create_sell_rule(when="price.last > 99", only="short"), look(held=-10))
    assert cover == Exit(symbol="AAPL", only=Side.SELL)


@pytest.mark.parametrize(("held", "price"), [(10, "103"), (-10, "97")])
def test_scaling_in_adds_to_what_gains_on_its_own_side(held: int, price: str) -> None:
    rule = create_scale_in_rule()
    assert wished(rule, look(price, held=held)) == [Add(symbol="AAPL", quantity=Decimal(5))]
    lost = str(200 - int(price))
    assert not wished(rule, look(lost, held=held))
    assert not wished(rule, look("102", held=10))  # two per cent are not more than two
    assert rule.cooldown == timedelta(minutes=15)


@pytest.mark.parametrize(
    ("given", "action"),
    [
        ({}, ScaleIn(fraction=Decimal("0.5"))),
        ({"quantity": 7}, ScaleIn(quantity=Decimal(7))),
        ({"fraction": "0.25", "up_to": "40"}, ScaleIn(fraction=Decimal("0.25"), up_to=Decimal(40))),
    ],
)
def test_how_much_is_added_is_said_in_one_way(given: dict[str, Any], action: ScaleIn) -> None:
    assert create_scale_in_rule(**given).then == (action,)


@pytest.mark.parametrize("given", [{"quantity": "x"}, {"quantity": 1, "fraction": 1}])
def test_no_figure_or_two_of_them_are_refused(given: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"is no number|either quantity or fraction"):
        create_scale_in_rule(**given)


@pytest.mark.parametrize("held", [10, -10, 0])
@pytest.mark.parametrize(("minutes", "closes"), [(4, True), (5, True), (6, False)])
def test_the_day_ends_flat_by_the_real_close(held: int, minutes: int, closes: bool) -> None:
    session = Session(AT - timedelta(hours=1), AT + timedelta(minutes=minutes))
    moment = look(held=held, session=session, trigger=Trigger.TIME)
    found = wished(create_eod_close_rule(), moment)
    assert found == ([Exit(symbol="AAPL")] if closes and held else [])


def built(builder: StrategyBuilder) -> Strategy:
    """What it makes, which is the same as its file."""
    strategy = builder.build()
    assert strategy == read_strategy(builder.to_toml())
    assert strategy.version == version_of(builder.to_toml())
    return strategy


def test_a_builder_puts_together_what_its_file_says() -> None:
    strategy = built(
        StrategyBuilder("predictions", ["AAPL", "MSFT"])
        .add(create_buy_rule(), create_buy_rule(name="Short", side="short"))
        .add(create_sell_rule(), create_scale_in_rule(), create_eod_close_rule())
        .bars("5 min")
        .within(Envelope(capital=Decimal(20_000), max_positions=2))
        .described("Long and short.")
    )
    assert strategy.symbols == ("AAPL", "MSFT")
    assert strategy.bar_size == timedelta(minutes=5)
    assert strategy.envelope.capital == 20_000
    assert strategy.description == "Long and short."
    # What closes comes before what opens.
    assert [rule.name for rule in strategy.rules] == [
        "EndOfDay", "Sell", "Buy", "Short", "ScaleIn",
    ]  # fmt: skip


def test_one_symbol_is_not_taken_apart_into_its_letters() -> None:
    assert built(StrategyBuilder("one", "AAPL").add(create_buy_rule())).symbols == ("AAPL",)


@pytest.mark.parametrize(
    ("builder", "why"),
    [
        (StrategyBuilder("none", ["AAPL"]), "there is none: write"),
        (StrategyBuilder("x", []).add(create_buy_rule()), "symbols: must be a list"),
        (StrategyBuilder("x", ["aapl"]).add(create_buy_rule()), "'aapl' is no symbol"),
    ],
)
def test_what_is_wrong_with_it_is_said_when_it_is_built(builder: StrategyBuilder, why: str) -> None:
    with pytest.raises(StrategyError, match=why):
        builder.build()


def test_names_that_are_none_or_the_same_are_refused_at_once() -> None:
    with pytest.raises(ValueError, match="the strategy's name must be a short name"):
        StrategyBuilder("x y", ["AAPL"])
    with pytest.raises(ValueError, match="two rules have the same name"):
        StrategyBuilder("x", ["AAPL"]).add(create_buy_rule(), create_buy_rule())


def test_a_function_cannot_be_written_as_a_file() -> None:
    asks = asking(on=Trigger.TIME)
    rule = Rule(name="r", when=asks, then=create_sell_rule().then)
    with pytest.raises(ValueError, match="the rule r asks a function"):
        StrategyBuilder("x", ["AAPL"]).add(rule).build()
    with pytest.raises(ValueError, match="bar"):
        StrategyBuilder("x", ["AAPL"]).bars("5 parsecs")
