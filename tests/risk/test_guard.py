from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import msgspec
import pytest

from ibkr_trader.core.commands import CancelOrder, Command
from ibkr_trader.core.enums import TradingState
from ibkr_trader.core.errors import ConfigError
from ibkr_trader.core.events import Breach, NewOrderEvent
from ibkr_trader.core.models import Contract, Order, OrderId, OrderSpec
from ibkr_trader.risk.arming import Arming
from ibkr_trader.risk.check import CHECKS, Binds, Check
from ibkr_trader.risk.guard import ExtraCheck, RiskGuard
from ibkr_trader.risk.history import History
from ibkr_trader.risk.proposal import Proposal
from ibkr_trader.risk.verdict import Approved, Denied
from ibkr_trader.risk.view import FactMissing, RiskView
from tests.risk.world import (
    NOW,
    aged,
    bracket,
    cancel,
    details,
    held,
    limit,
    modify,
    portfolio,
    quote,
    reasons,
    review,
    spec,
    stop,
    submit,
    view,
    working,
)

CLOSE = submit(spec("SELL", 10), reduces=True)


def test_the_bracket_of_the_readme_passes_under_the_defaults() -> None:
    verdict = review(bracket(), view())
    assert verdict == Approved(command=bracket(), at=NOW, reduces=False)


def test_a_close_is_approved_as_reducing() -> None:
    assert review(CLOSE, view(held(10))) == Approved(command=CLOSE, at=NOW, reduces=True)


def test_a_person_who_places_three_orders_in_ten_seconds_is_not_held_up() -> None:
    names = {1: "AAPL", 2: "MSFT", 3: "TSLA"}
    contracts = {n: Contract(symbol=name, con_id=n) for n, name in names.items()}
    facts = {
        "quotes": {n: aged(quote(contract=one)) for n, one in contracts.items()},
        "details": {n: details(one) for n, one in contracts.items()},
    }
    history = History()
    sent: list[Order] = []
    for n, contract in contracts.items():
        at = NOW + timedelta(seconds=3 * n)
        order = spec("BUY", 10, f"t-{n}-single", contract=contract, broker_order_id=n)
        command = submit(order, without_stop=True)
        verdict = review(command, view(*sent, now=at, history=history, **facts))
        assert isinstance(verdict, Approved), verdict
        history = history.after(NewOrderEvent(at=at, order_id=order.order_id, spec=order))
        sent.append(working(order))
    again = spec("BUY", 10, "t-4-single", contract=contracts[3], broker_order_id=4)
    late = view(*sent, now=NOW + timedelta(seconds=12), history=history, **facts)
    assert reasons(review(submit(again, without_stop=True), late)) == {"duplicate"}


def test_a_cancel_is_always_approved_whatever_the_world() -> None:
    world = view(
        is_synced=False, account="", trading_state=TradingState.HALTED, quotes={}, details={}
    )
    assert review(cancel("nobody"), world) == Approved(
        command=cancel("nobody"), at=NOW, reduces=True
    )


def test_every_reason_is_given_at_once_and_once() -> None:
    bad = bracket(101, loss="155.001", profit="100")
    world = view(is_synced=False, account="", trading_state=TradingState.HALTED)
    verdict = review(bad, world)
    assert isinstance(verdict, Denied)
    assert reasons(verdict) == {
        "account",
        "knowledge",
        "trading_state",
        "order_quantity",
        "order_exposure",
        "position_size",
        "tick",
        "stop_side",
    }
    assert len(set(verdict.breaches)) == len(verdict.breaches)
    assert all(breach.message and breach.hint for breach in verdict.breaches)


def test_what_two_checks_miss_is_said_once() -> None:
    verdict = review(bracket(), view(quotes={}))
    assert isinstance(verdict, Denied)
    assert [breach.message for breach in verdict.breaches] == ["There is no quote for AAPL."]


def test_bad_form_silences_the_checks_that_trip_over_it() -> None:
    verdict = review(submit(limit("BUY", 10, "NaN"), without_stop=True), view())
    assert isinstance(verdict, Denied)
    assert [breach.message for breach in verdict.breaches] == [
        "The limit price must be a price above zero, not NaN."
    ]


def test_an_exposure_of_another_portfolio_denies_even_a_close() -> None:
    stale = view(held(10), exposure=view().exposure)
    verdict = review(CLOSE, stale)
    assert isinstance(verdict, Denied)
    assert reasons(verdict) == {"proposal"}


def broken_guard(name: str, error: Exception) -> RiskGuard:
    """A guard in which one check raises after its first breath."""

    def run(_: Proposal, __: RiskView) -> Iterator[Breach]:
        raise error
        yield

    guard = RiskGuard()
    guard._checks = [
        (one, Check(run, check.binds) if one == name else check) for one, check in guard._checks
    ]
    return guard


ERRORS = [ZeroDivisionError("planted"), FactMissing("planted", about="planted", hint="x")]


@pytest.mark.parametrize("name", list(CHECKS))
@pytest.mark.parametrize("error", ERRORS)
def test_a_check_that_fails_stands_against_opening(name: str, error: Exception) -> None:
    verdict = broken_guard(name, error).review(bracket(), view())
    assert isinstance(verdict, Denied)
    (breach,) = verdict.breaches
    assert "planted" in breach.message
    assert breach.hint
    assert breach.check == ("planted" if isinstance(error, FactMissing) else name)


@pytest.mark.parametrize("name", list(CHECKS))
@pytest.mark.parametrize("error", ERRORS)
def test_a_check_that_fails_stands_against_closing_only_where_it_must(
    name: str, error: Exception
) -> None:
    verdict = broken_guard(name, error).review(CLOSE, view(held(10)))
    assert isinstance(verdict, Denied) is (CHECKS[name].binds is Binds.ALL)


@pytest.mark.parametrize("name", list(CHECKS))
def test_a_check_that_fails_never_stops_a_cancel(name: str) -> None:
    assert isinstance(broken_guard(name, ERRORS[0]).review(cancel("x"), view()), Approved)


def test_breaches_found_before_a_check_failed_are_kept() -> None:
    def run(_: Proposal, __: RiskView) -> Iterator[Breach]:
        yield Breach(check="tick", message="first")
        raise FactMissing("then this")

    guard = RiskGuard(["tick"])
    guard._checks = [("tick", Check(run, Binds.OPENINGS))]
    verdict = guard.review(bracket(), view())
    assert isinstance(verdict, Denied)
    assert [breach.message for breach in verdict.breaches] == ["first", "then this"]


def test_config_names_the_checks_but_cannot_leave_out_what_binds_all() -> None:
    guard = RiskGuard(["position_size"])
    assert isinstance(guard.review(bracket(100, loss="200"), view()), Approved)
    assert reasons(guard.review(bracket(101), view())) == {"position_size"}
    assert reasons(guard.review(bracket(), view(account=""))) == {"account"}
    assert reasons(guard.review(bracket("1.5"), view())) == {"order_form"}


def test_a_check_that_does_not_exist() -> None:
    with pytest.raises(ConfigError, match="'size'") as error:
        RiskGuard(["tick", "size"])
    assert "position_size" in error.value.hint


def refuse(_: OrderSpec) -> bool:
    return False


def crash(_: OrderSpec) -> bool:
    raise RuntimeError("my check is broken")


@pytest.mark.parametrize(
    ("extra", "words"),
    [
        (lambda _: True, None),
        (lambda _: None, None),
        (refuse, "Your own check refuses BUY 10 AAPL: it gave no reason."),
        (lambda _: "", "Your own check refuses BUY 10 AAPL: it gave no reason."),
        (lambda _: "not on a Friday", "Your own check refuses BUY 10 AAPL: not on a Friday."),
        (crash, "The risk check risk_callback failed (RuntimeError: my check is broken)."),
    ],
)
def test_checks_of_the_users_own(extra: ExtraCheck, words: str | None) -> None:
    verdict = RiskGuard(extra=[extra]).review(submit(spec("BUY", 10), without_stop=True), view())
    breaches = verdict.breaches if isinstance(verdict, Denied) else ()
    assert [breach.message for breach in breaches] == ([words] if words else [])


def test_they_see_every_order_of_a_command_and_the_terms_of_a_change() -> None:
    seen: list[OrderSpec] = []
    guard = RiskGuard(extra=[seen.append])
    guard.review(bracket(), view())
    assert tuple(seen) == bracket().orders
    order = working(stop("SELL", 10, "145"))
    guard.review(modify(order, stop_price="146"), view(held(10), order))
    assert seen[-1] == stop("SELL", 10, "146")


@pytest.mark.parametrize(("extra", "denied"), [(refuse, True), (crash, False)])
def test_they_may_refuse_a_close_but_their_failure_does_not(
    extra: ExtraCheck, *, denied: bool
) -> None:
    verdict = RiskGuard(extra=[extra]).review(CLOSE, view(held(10)))
    assert isinstance(verdict, Denied) is denied


@pytest.mark.parametrize("command", [bracket(), CLOSE, modify("t-9-x", quantity=1)])
def test_a_verdict_depends_on_command_and_view_alone(command: Command) -> None:
    guard, world = RiskGuard(), view(held(10))
    assert guard.review(command, world) == guard.review(command, world)


def test_a_preview_needs_no_broker_ids() -> None:
    unnumbered = submit(spec("BUY", 10, broker_order_id=0), without_stop=True)
    assert reasons(review(unnumbered, view())) == {"order_form"}
    assert isinstance(review(unnumbered, view(is_preview=True)), Approved)


def test_the_day_before_does_not_weigh_on_the_review() -> None:
    past = tuple(working(spec("BUY", 1, f"p-{n}-single")) for n in range(100))
    assert isinstance(review(bracket(), view(portfolio=portfolio(past=past))), Approved)


def test_an_order_of_ours_may_always_be_cancelled_and_a_strangers_never() -> None:
    ours = working(limit("BUY", 10, "140", "t-1-single"))
    theirs = msgspec.structs.replace(working(limit("BUY", 10, "140", "foreign-7")), is_foreign=True)
    now = view(ours, theirs, is_synced=False, trading_state=TradingState.HALTED)
    assert isinstance(review(cancel("t-1-single"), now), Approved)
    assert isinstance(review(cancel("t-99-single"), now), Approved)
    denied = review(cancel("foreign-7"), now)
    assert isinstance(denied, Denied)
    assert "not placed here" in denied.breaches[0].message


def test_everybodys_orders_are_cancelled_only_where_no_money_is_at_stake() -> None:
    everything = CancelOrder(order_id=OrderId("everything"), is_of_all=True)
    assert isinstance(review(everything, view()), Approved)
    armed = Arming(is_live=True, until=NOW + timedelta(hours=1))
    denied = review(everything, view(arming=armed))
    assert isinstance(denied, Denied)
    assert "in the simulator and on paper alone" in denied.reasons


def test_a_desk_that_only_looks_sends_nothing_not_even_a_cancel() -> None:
    now = view(working(limit("BUY", 10, "140", "t-1-single")), is_readonly=True)
    for command in (bracket(), cancel("t-1-single"), modify("t-1-single", quantity=5)):
        denied = review(command, now)
        assert isinstance(denied, Denied)
        assert [breach.check for breach in denied.breaches] == ["readonly"]


@pytest.mark.parametrize(
    ("facts", "found"),
    [
        ({}, []),
        ({"is_synced": False}, ["knowledge"]),
        (
            {"is_synced": False, "trading_state": TradingState.REDUCING},
            ["knowledge", "trading_state"],
        ),
        ({"arming": Arming(is_live=True)}, ["armed"]),
        ({"arming": Arming(is_live=True), "is_preview": True}, []),
        ({"is_readonly": True, "is_synced": False}, ["readonly"]),
        ({"limits_fault": "damaged"}, []),  # that depends on what it is
    ],
)
def test_what_stands_against_anything_is_known_before_it_has_a_contract(
    facts: dict[str, object], found: list[str]
) -> None:
    now = view(**facts)
    breaches = RiskGuard().beforehand(now)
    assert list(dict.fromkeys(one.check for one in breaches)) == found
    verdict = review(bracket(), now)
    assert set(breaches) <= set(verdict.breaches if isinstance(verdict, Denied) else ())


@pytest.mark.parametrize("name", ["armed", "knowledge", "trading_state"])
def test_a_check_that_fails_beforehand_stands_against_it(name: str) -> None:
    (breach,) = broken_guard(name, ERRORS[0]).beforehand(view())
    assert breach.check == name
