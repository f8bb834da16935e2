from __future__ import annotations

import pytest

from ibkr_trader.core.commands import SubmitOrders
from ibkr_trader.core.enums import OrderRole, OrderType, Side
from ibkr_trader.core.events import Breach
from ibkr_trader.risk.check import CHECKS, Gauge
from tests.orders.samples import AAPL, MSFT, spec
from tests.portfolio.strategy_play import ALPHA, BETA, ORIGINS, PERSON, D, Play
from tests.risk.strategy_stage import larger, priced, seen, wish
from tests.risk.world import judge, reasons, review

NAME = "strategy_owner"


def owned_by(who: str, *, is_held: bool) -> Play:
    play = priced()
    entry = play.enter(who)
    if is_held:
        play.fill(entry, 10)
    return play


@pytest.mark.parametrize("side", list(Side))
@pytest.mark.parametrize("is_held", [True, False])
def test_what_one_strategy_is_in_no_other_touches_on_either_side(
    side: Side, *, is_held: bool
) -> None:
    world = seen(owned_by(ALPHA, is_held=is_held))
    (breach,) = judge(NAME, wish(BETA, side=side), world)
    assert breach == Breach(
        check=NAME,
        message="AAPL belongs to the strategy alpha, until it is flat: "
        "the strategy beta opens nothing in it.",
        limit=BETA,
        actual=ALPHA,
        hint="close it first, or leave the symbol to one of them",
    )
    assert NAME in reasons(review(wish(BETA, side=side), world))
    assert judge(NAME, wish(BETA, contract=MSFT), world) == []


def test_its_own_it_may_add_to() -> None:
    assert judge(NAME, wish(ALPHA), seen(owned_by(ALPHA, is_held=True))) == []
    assert judge(NAME, wish(ALPHA), seen(priced())) == []


@pytest.mark.parametrize("is_held", [True, False])
def test_what_a_person_opened_no_strategy_touches(*, is_held: bool) -> None:
    (breach,) = judge(NAME, wish(ALPHA), seen(owned_by(PERSON, is_held=is_held)))
    assert breach.message == (
        "AAPL belongs to no strategy, because somebody else has opened it: "
        "the strategy alpha opens nothing in it."
    )
    assert (breach.limit, breach.actual) == (ALPHA, "nobody")


def test_what_was_opened_in_tws_no_strategy_touches() -> None:
    play = priced()
    play.strange_fill(5, Side.SELL)
    assert len(judge(NAME, wish(ALPHA), seen(play))) == 1


@pytest.mark.parametrize("who", [ALPHA, PERSON])
def test_a_person_is_not_bound(who: str) -> None:
    world = seen(owned_by(who, is_held=True))
    assert judge(NAME, wish(PERSON), world) == []
    assert NAME not in reasons(review(wish(PERSON), world))


def test_an_entry_may_be_enlarged_by_its_own_alone() -> None:
    play = priced()
    entry = play.enter(ALPHA)
    assert judge(NAME, larger(entry, 20, ALPHA), seen(play)) == []
    assert len(judge(NAME, larger(entry, 20, BETA), seen(play))) == 1
    play.fill(play.enter(PERSON), 5)
    assert len(judge(NAME, larger(entry, 20, ALPHA), seen(play))) == 1, "a person was quicker"


def test_what_lowers_risk_is_not_asked() -> None:
    play = owned_by(PERSON, is_held=True)
    exit_ = spec(
        OrderRole.CLOSE,
        group=play.new_group(),
        side=Side.SELL,
        order_type=OrderType.MARKET,
        limit_price=None,
        quantity=D(10),
    )
    play.cancel(next(iter(play.portfolio.orders)))
    command = SubmitOrders(group_id=exit_.group_id, orders=(exit_,), origin=ORIGINS[ALPHA])
    assert reasons(review(command, seen(play))) == set()


def test_its_gauge_says_whose_everything_is() -> None:
    gauge = CHECKS[NAME].gauge
    assert gauge is not None
    play = priced()
    assert list(gauge(seen(play))) == [Gauge(check=NAME, note="no strategy is in anything")]
    play.enter(PERSON, contract=MSFT)
    assert len(list(gauge(seen(play)))) == 1
    play.enter(BETA)
    (found,) = gauge(seen(play))
    assert found == Gauge(check=NAME, subject=AAPL.symbol, note="belongs to the strategy beta")
