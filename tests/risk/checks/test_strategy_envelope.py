from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest

from ibkr_trader.core import events as ev
from ibkr_trader.core.enums import Side
from ibkr_trader.risk.check import CHECKS, Gauge, Unit
from ibkr_trader.risk.envelope import Envelope
from ibkr_trader.risk.view import FactMissing
from tests.orders.samples import AAPL, MSFT
from tests.portfolio.strategy_play import ALPHA, BETA, ORIGINS, PERSON, D
from tests.risk.strategy_stage import bounded, larger, priced, seen, wish
from tests.risk.world import judge, limit, reasons, review, submit

if TYPE_CHECKING:
    from ibkr_trader.core.events import Breach
    from ibkr_trader.risk.view import RiskView
    from tests.portfolio.strategy_play import Play

NAME = "strategy_envelope"


def figures(breach: Breach) -> tuple[str, str, str]:
    return breach.limit, breach.actual, breach.headroom


# -- capital ---------------------------------------------------------------------------------


def test_its_capital_is_what_its_positions_and_entries_are_worth() -> None:
    play = priced()
    play.fill(play.enter(ALPHA), 10)  # 1,500 at the mark
    more = wish(size=4, contract=MSFT)  # 1,200 at the ask
    assert judge(NAME, more, bounded(play, capital=D(2700))) == []
    (breach,) = judge(NAME, more, bounded(play, capital=D(2699)))
    assert breach.message == (
        "The strategy alpha would have 2,700.00 tied up, its entries at their worst; "
        "its capital is 2,699.00."
    )
    assert figures(breach) == ("2699", "2700", "1199")
    assert breach.hint == "use --quantity 3 or less"
    assert NAME in reasons(review(more, bounded(play, capital=D(2699))))


def test_two_entries_in_flight_count_at_their_worst() -> None:
    play = priced()
    first = play.enter(ALPHA, 10, limit_price=D(155))
    play.tell(ev.UnknownEvent(at=play.now, order_id=first, reason="silence"))
    second = wish(size=5, contract=MSFT)
    assert judge(NAME, second, bounded(play, capital=D(3050))) == []
    assert len(judge(NAME, second, bounded(play, capital=D(3049)))) == 1


def test_what_others_have_tied_up_is_not_its_own() -> None:
    play = priced()
    play.fill(play.enter(BETA, contract=MSFT), 10)
    assert judge(NAME, wish(size=10), bounded(play, capital=D(1500))) == []
    assert len(judge(NAME, wish(size=10), bounded(play, capital=D(1499)))) == 1


def test_adding_counts_what_is_held_and_both_exits_once() -> None:
    play = priced()
    play.fill(play.enter(ALPHA), 10)
    assert judge(NAME, wish(size=5), bounded(play, capital=D(2250))) == []
    assert len(judge(NAME, wish(size=5), bounded(play, capital=D(2249)))) == 1


def test_an_entry_that_grows_counts_as_it_would_be() -> None:
    play = priced()
    entry = play.enter(ALPHA, 10)
    assert judge(NAME, larger(entry, 20), bounded(play, capital=D(3000))) == []
    (breach,) = judge(NAME, larger(entry, 20), bounded(play, capital=D(2999)))
    assert figures(breach) == ("2999", "3000", "1499")


def test_of_several_entries_in_one_contract_it_is_the_sum() -> None:
    play = priced()
    one, stop = wish(size=10).orders
    two, _ = wish(size=10, group="memo-91").orders
    both = submit(one, two, origin=ORIGINS[ALPHA])
    assert stop.quantity == 10
    assert judge(NAME, both, bounded(play, capital=D(3000))) == []
    assert len(judge(NAME, both, bounded(play, capital=D(2999)))) == 1


def test_what_nobody_can_value_opens_nothing() -> None:
    play = priced()
    play.fill(play.enter(ALPHA, contract=MSFT), 10)
    unpriced = without_marks(bounded(play, capital=D(1_000_000)))
    with pytest.raises(FactMissing) as missing:
        judge(NAME, wish(), unpriced)
    assert (missing.value.about, missing.value.message) == (
        NAME,
        "Nobody knows what MSFT may be worth, which belongs to the strategy alpha.",
    )


def without_marks(world: RiskView) -> RiskView:
    state = msgspec.structs.replace(world.portfolio, marks={})
    return msgspec.structs.replace(world, portfolio=state)


def test_an_entry_whose_executions_are_to_come_opens_nothing() -> None:
    play = priced()
    entry = play.enter(ALPHA, 1)
    play.tell(ev.DoneEvent(at=play.now, order_id=entry, filled=D(1)))
    with pytest.raises(FactMissing):
        judge(NAME, wish(), bounded(play, capital=D(1_000_000)))
    play.fill(entry, 1)
    assert judge(NAME, wish(), bounded(play, capital=D(1_000_000))) == []


# -- positions and entries -------------------------------------------------------------------


def test_positions_on_their_way_count() -> None:
    play = priced()
    play.enter(ALPHA, contract=MSFT)
    assert judge(NAME, wish(), bounded(play, max_positions=2)) == []
    (breach,) = judge(NAME, wish(), bounded(play, max_positions=1))
    assert breach.message == (
        "AAPL would make 2 positions of the strategy alpha, those on their way included; "
        "its limit is 1."
    )
    assert figures(breach) == ("1", "2", "0")
    assert judge(NAME, wish(contract=MSFT), bounded(play, max_positions=1)) == []
    play.enter(ALPHA)
    narrower = bounded(play, max_positions=1)
    assert judge(NAME, wish(contract=MSFT), narrower) == [], "what it is in already is none more"


def test_entries_of_the_day_count_whatever_became_of_them() -> None:
    play = priced()
    play.cancel(play.enter(ALPHA))
    play.enter(BETA, contract=MSFT)
    assert judge(NAME, wish(), bounded(play, max_entries_per_day=2)) == []
    (breach,) = judge(NAME, wish(), bounded(play, max_entries_per_day=1))
    assert breach.message == ("It would be entry 2 of the strategy alpha today; its limit is 1.")
    assert figures(breach) == ("1", "2", "0")
    mine = play.enter(ALPHA)
    change = larger(mine, 20)
    assert judge(NAME, change, bounded(play, max_entries_per_day=1)) == [], "it is no other"


# -- the day's loss --------------------------------------------------------------------------


@pytest.mark.parametrize(("price", "denied"), [("140.01", False), ("140", True), ("130", True)])
def test_open_losses_count(price: str, *, denied: bool) -> None:
    play = priced()
    told = play.fill(play.enter(ALPHA, contract=MSFT), 10, "150")
    play.charge(told, "0")
    play.price(price, MSFT)
    found = judge(NAME, wish(), bounded(play, max_daily_loss=D(100)))
    assert bool(found) is denied
    if denied:
        lost = (150 - int(price)) * 10
        assert found[0].message == (
            f"The strategy alpha has lost {lost}.00 today, open losses and costs included; "
            "at 100.00 it opens nothing more."
        )
        assert figures(found[0]) == ("100", str(lost), "0")


def test_a_loss_that_is_realized_counts_and_so_does_what_it_cost() -> None:
    play = priced()
    play.charge(play.fill(play.enter(ALPHA), 10, "150"), "2")
    play.charge(play.fill(play.close(PERSON), 10, "145"), "3")
    assert judge(NAME, wish(), bounded(play, max_daily_loss=D(56))) == []
    assert len(judge(NAME, wish(), bounded(play, max_daily_loss=D(55)))) == 1


def test_what_others_lose_is_not_its_own() -> None:
    play = priced()
    play.fill(play.enter(BETA, contract=MSFT), 10, "400")
    assert judge(NAME, wish(), bounded(play, max_daily_loss=D(1))) == []
    assert len(judge(NAME, wish(BETA, contract=MSFT), bounded_beta(play))) == 1


def bounded_beta(play: Play) -> RiskView:
    return seen(play, envelopes={BETA: Envelope(max_daily_loss=D(1))})


def test_an_unknown_result_is_no_good_result() -> None:
    play = priced()
    play.fill(play.enter(ALPHA), 10)
    world = seen(play, pnl=None, envelopes={ALPHA: Envelope(max_daily_loss=D(1000))})
    with pytest.raises(FactMissing) as missing:
        judge(NAME, wish(contract=MSFT), world)
    assert missing.value.message == "The day's result of the strategy alpha is unknown."
    assert NAME in reasons(review(wish(contract=MSFT), world))


# -- whom it binds ---------------------------------------------------------------------------


def test_a_person_is_not_bound() -> None:
    play = priced()
    world = bounded(play, capital=D(1), max_positions=0, max_entries_per_day=0)
    assert judge(NAME, wish(PERSON), world) == []
    assert len(judge(NAME, wish(ALPHA), world)) == 3, "every reason at once"
    assert judge(NAME, wish(BETA), world) == []


def test_a_strategy_that_nobody_has_let_in_opens_nothing() -> None:
    with pytest.raises(FactMissing) as missing:
        judge(NAME, wish(ALPHA), seen(priced(), envelopes={}))
    assert missing.value.message == (
        "The strategy alpha does not trade here: nobody has said how far it may go."
    )


def test_what_lowers_risk_is_not_asked() -> None:
    play = priced()
    entry = play.enter(ALPHA)
    play.fill(entry, 10)
    exit_ = limit("SELL", 10, "150", "memo-50-close", contract=AAPL)
    command = submit(exit_, origin=ORIGINS[ALPHA], reduces=True)
    play.cancel(next(iter(play.portfolio.orders)))
    assert judge(NAME, command, bounded(play, capital=D(1))) == []


def test_a_short_entry_is_worth_its_price() -> None:
    short = wish(size=10, side=Side.SELL)
    assert judge(NAME, short, bounded(priced(), capital=D(1500))) == []
    assert len(judge(NAME, short, bounded(priced(), capital=D(1499)))) == 1


def test_its_gauges() -> None:
    gauge = CHECKS[NAME].gauge
    assert gauge is not None
    play = priced()
    assert list(gauge(seen(play, envelopes={}))) == [Gauge(check=NAME, note="no strategy trades")]
    assert list(gauge(seen(play))) == [], "neither has a limit of its own"
    play.charge(play.fill(play.enter(ALPHA), 10, "151"), "1")
    world = bounded(
        play, capital=D(9000), max_positions=3, max_daily_loss=D(100), max_entries_per_day=5
    )
    found = [(one.subject, one.limit, one.used, one.unit) for one in gauge(world)]
    assert found == [
        ("alpha capital", D(9000), D(1500), Unit.MONEY),
        ("alpha positions", D(3), D(1), Unit.COUNT),
        ("alpha day's loss", D(100), D(11), Unit.MONEY),
        ("alpha entries", D(5), D(1), Unit.COUNT),
    ]
    blind = without_marks(world)
    assert next(iter(gauge(blind))).used is None
