"""What a verdict says, to the letter: whose command it was, as of when, and each reason."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import pytest

from ibkr_trader.core.errors import ConfigError
from ibkr_trader.core.events import Breach
from ibkr_trader.risk.check import Binds, Check
from ibkr_trader.risk.guard import READONLY, RiskGuard
from ibkr_trader.risk.proposal import Proposal
from ibkr_trader.risk.verdict import Approved, Denied
from ibkr_trader.risk.view import FactMissing, RiskView
from tests.risk.world import (
    NOW,
    bracket,
    cancel,
    held,
    limit,
    modify,
    review,
    spec,
    submit,
    view,
    working,
)

CLOSE = submit(spec("SELL", 10), reduces=True)
REMARK = Breach(check="tick", message="It is Friday.", is_warning=True)
REASON = Breach(check="tick", message="It is Monday.")


def test_all_reasons_in_a_line_keep_one_point_at_the_end() -> None:
    denied = Denied(command=CLOSE, at=NOW, breaches=(REMARK, REASON))
    assert denied.reasons == "It is Friday; It is Monday."


def guard_of(*checks: tuple[str, Check]) -> RiskGuard:
    """A guard with these checks and no others."""
    guard = RiskGuard(())
    guard._checks = list(checks)
    return guard


def saying(*breaches: Breach, binds: Binds = Binds.ALL) -> Check:
    """A check that always says the same."""

    def run(_: Proposal, __: RiskView) -> Iterator[Breach]:
        yield from breaches

    return Check(run, binds)


def missing(message: str) -> Check:
    """A check that lacks a fact."""

    def run(_: Proposal, __: RiskView) -> Iterator[Breach]:
        raise FactMissing(message, about="tick", hint="look")
        yield

    return Check(run, Binds.ALL)


@pytest.mark.parametrize("command", [bracket(), cancel("t-1-single"), modify("t-1-single")])
def test_a_desk_that_only_looks_names_the_command_and_the_moment(command: object) -> None:
    assert review(command, view(is_readonly=True)) == Denied(  # type: ignore[arg-type] # any of the three
        command=command,  # type: ignore[arg-type] # any of the three
        at=NOW,
        breaches=(READONLY,),
    )


def test_a_strangers_order_is_left_alone_with_every_word() -> None:
    theirs = msgspec.structs.replace(working(limit("BUY", 10, "140", "foreign-7")), is_foreign=True)
    assert review(cancel("foreign-7"), view(theirs)) == Denied(
        command=cancel("foreign-7"),
        at=NOW,
        breaches=(
            Breach(
                check="command_form",
                message="Order foreign-7 was not placed here: it is not cancelled here.",
                actual="foreign-7",
                hint="use TWS, or the program that placed it; what a lost journal of ours had, "
                "ibkr-trader reconcile takes over",
            ),
        ),
    )


def test_what_cannot_be_judged_is_denied_with_the_fault() -> None:
    stale = view(held(10), exposure=view().exposure)
    assert review(CLOSE, stale) == Denied(
        command=CLOSE,
        at=NOW,
        breaches=(
            Breach(
                check="proposal",
                message=(
                    "The risk check proposal failed "
                    "(InvariantBroken: the exposure is not of the portfolio at hand)."
                ),
                hint="nothing was sent; this is a fault in the check itself, so please report it",
            ),
        ),
    )


def test_a_denial_names_the_command_the_moment_and_the_reasons() -> None:
    guard = guard_of(("tick", saying(REASON, REMARK)))
    assert guard.review(CLOSE, view(held(10))) == Denied(command=CLOSE, at=NOW, breaches=(REASON,))


def test_a_warning_denies_nothing_and_is_handed_on() -> None:
    guard = guard_of(("tick", saying(REMARK)))
    assert guard.review(CLOSE, view(held(10))) == Approved(
        command=CLOSE, at=NOW, reduces=True, warnings=(REMARK,)
    )


def test_a_warning_about_the_form_does_not_hide_what_is_missing() -> None:
    remark = msgspec.structs.replace(REMARK, check="order_form")
    guard = guard_of(("order_form", saying(remark)), ("tick", missing("Who knows?")))
    verdict = guard.review(bracket(), view())
    assert isinstance(verdict, Denied)
    assert verdict.breaches == (Breach(check="tick", message="Who knows?", hint="look"),)


def test_different_facts_that_are_missing_are_all_told() -> None:
    guard = guard_of(
        ("one", missing("Who?")), ("two", missing("What?")), ("three", missing("Who?"))
    )
    verdict = guard.review(bracket(), view())
    assert isinstance(verdict, Denied)
    assert [breach.message for breach in verdict.breaches] == ["Who?", "What?"]


def test_an_unknown_check_is_refused_with_those_there_are() -> None:
    with pytest.raises(ConfigError) as caught:
        RiskGuard(["nonsense"])
    assert caught.value.hint.startswith("the checks are: account, ")
    assert ", buying_power, " in caught.value.hint


def test_your_own_check_is_named_for_what_it_is() -> None:
    verdict = RiskGuard((), extra=[lambda _: "not today"]).review(CLOSE, view(held(10)))
    assert isinstance(verdict, Denied)
    assert verdict.breaches == (
        Breach(check="risk_callback", message="Your own check refuses SELL 10 AAPL: not today."),
    )
