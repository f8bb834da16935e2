from __future__ import annotations

from datetime import timedelta

from ibkr_trader.risk.arming import Arming, Lack
from ibkr_trader.risk.check import CHECKS, Gauge
from ibkr_trader.risk.verdict import Approved
from ibkr_trader.risk.view import RiskView
from tests.risk.world import (
    NOW,
    bracket,
    cancel,
    held,
    judge,
    modify,
    reasons,
    review,
    spec,
    stop,
    submit,
    view,
    working,
)

SOON = NOW + timedelta(seconds=90)
UNARMED = Arming(is_live=True)
ARMED = Arming(is_live=True, until=SOON)
NO_ACCOUNT = Lack("no account is named in config.toml", 'write account = "U0000000"')


def note(world: RiskView) -> str:
    gauge = CHECKS["armed"].gauge
    assert gauge is not None
    (one,) = gauge(world)
    assert isinstance(one, Gauge)
    assert (one.check, one.limit, one.used) == ("armed", None, None)
    return one.note


def test_sim_and_paper_are_armed_from_the_start() -> None:
    assert judge("armed", bracket(), view()) == []
    assert note(view()) == "armed: no real money is at stake"


def test_a_live_desk_that_nobody_armed_opens_nothing() -> None:
    (breach,) = judge("armed", bracket(), view(arming=UNARMED))
    assert breach.message == "The live desk is not armed (nobody has armed it)."
    assert (breach.limit, breach.actual) == ("armed", "not armed")
    assert breach.hint == "at a terminal: ibkr-trader arm --profile live"
    assert reasons(review(bracket(), view(arming=UNARMED))) == {"armed"}
    assert note(view(arming=UNARMED)) == (
        "not armed: The live desk is not armed (nobody has armed it)"
    )


def test_an_armed_one_opens_until_its_time_is_over() -> None:
    assert judge("armed", bracket(), view(arming=ARMED)) == []
    assert note(view(arming=ARMED)) == "armed for another 90 s"
    (breach,) = judge("armed", bracket(), view(arming=ARMED, now=SOON))
    assert breach.message == "The live desk is not armed (the armed time is over)."
    just_before = view(arming=ARMED, now=SOON - timedelta(microseconds=1))
    assert judge("armed", bracket(), just_before) == []


def test_every_condition_is_told_at_once() -> None:
    nothing = Arming(
        is_live=True,
        reason="the configuration was changed",
        lacks=(NO_ACCOUNT, Lack("it is HALTED")),
    )
    found = judge("armed", bracket(), view(arming=nothing))
    assert [one.message for one in found] == [
        "no account is named in config.toml.",
        "it is HALTED.",
        "The live desk is not armed (the configuration was changed).",
    ]
    assert found[0].hint == 'write account = "U0000000"'


def test_what_has_ended_it_is_told_once_and_as_over_once_it_is() -> None:
    why = "The desk is HALTED (odd fills)"
    halted = Arming(is_live=True, reason=why, lacks=(Lack(why),))
    assert [one.message for one in judge("armed", bracket(), view(arming=halted))] == [
        f"{why}.",
        "The live desk is not armed any more.",
    ]
    resumed = Arming(is_live=True, reason=why)
    (breach,) = judge("armed", bracket(), view(arming=resumed))
    assert breach.message == "The live desk is not armed (the desk was HALTED (odd fills))."


def test_an_armed_desk_that_lacks_something_opens_nothing_either() -> None:
    lacking = Arming(is_live=True, until=SOON, lacks=(NO_ACCOUNT,))
    (breach,) = judge("armed", bracket(), view(arming=lacking))
    assert breach.message == "no account is named in config.toml."


def test_any_desk_can_be_disarmed() -> None:
    disarmed = Arming(is_disarmed=True, reason="disarm")
    (breach,) = judge("armed", bracket(), view(arming=disarmed))
    assert breach.message == "The desk is not armed (disarm)."
    assert breach.hint == "ibkr-trader arm"
    live = Arming(is_live=True, until=SOON, is_disarmed=True)
    assert not live.is_armed(NOW)
    assert len(judge("armed", bracket(), view(arming=live))) == 1


def test_what_lowers_risk_goes_out_all_the_same() -> None:
    order = working(stop("SELL", 10, "145"))
    world = view(held(10), order, arming=UNARMED)
    assert isinstance(review(cancel(order.order_id), world), Approved)
    assert isinstance(review(modify(order, stop_price="146"), world), Approved)
    bare = view(held(10), arming=UNARMED)
    assert isinstance(review(submit(spec("SELL", 10)), bare), Approved)


def test_a_preview_is_only_warned() -> None:
    (breach,) = judge("armed", bracket(), view(arming=UNARMED, is_preview=True))
    assert breach.is_warning
    verdict = review(bracket(), view(arming=UNARMED, is_preview=True))
    assert isinstance(verdict, Approved)
    assert [one.check for one in verdict.warnings] == ["armed"]
