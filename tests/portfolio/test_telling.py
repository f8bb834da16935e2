"""What each event is told as, and by which id."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from ibkr_trader.core import events as ev
from ibkr_trader.core.codec import EVENT_TYPES, decode_event, encode
from ibkr_trader.core.enums import OrderStatus, Outcome
from ibkr_trader.core.errors import InvariantBroken
from ibkr_trader.core.models import AccountValues, Order, OrderId
from ibkr_trader.portfolio.lost_orders import as_ours
from ibkr_trader.portfolio.payloads import (
    ExecutionFill,
    FillKind,
    LifecycleKind,
    OrderLifecycleEvent,
    Payload,
    PositionSnapshot,
    SignalDecision,
)
from ibkr_trader.portfolio.payloads import encode as encode_payload
from ibkr_trader.portfolio.positions import position_events
from ibkr_trader.portfolio.state import PortfolioState, fold
from ibkr_trader.portfolio.telling import TOLD, Source, payloads_of, source_of
from tests.orders.samples import (
    AAPL,
    ACCOUNT,
    AT,
    MSFT,
    accepted,
    fill,
    filled,
    later,
    spec,
    working,
    written,
)  # fmt: skip
from tests.portfolio.stage import held

D = Decimal
ID = OrderId("memo-1-single")
KIND = LifecycleKind
REAL = "U1234567"
BREACHES = (
    ev.Breach(check="armed", message="it is not armed."),
    ev.Breach(check="heat", message="it is too hot."),
    ev.Breach(check="heat", message="much too hot."),
    ev.Breach(check="day", message="only a half day.", is_warning=True),
)


def step(event: ev.OrderEvent, *before: ev.BaseEvent, **more: Any) -> OrderLifecycleEvent:
    """Return what an event of an order is told as, after what happened before it."""
    told = [
        one
        for one in payloads_of(event, fold([*before, event]), **more)
        if isinstance(one, OrderLifecycleEvent)
    ]
    (found,) = told
    return found


def test_a_new_order_is_told_in_full() -> None:
    event = msgspec.structs.replace(
        written(spec(account=REAL, trail_amount=D(1), stop_price=D(3), trail_percent=D(2))),
        origin="strategy/momentum",
        correlation_id="d-17",
    )
    told = step(event)
    assert told.event_id.startswith("memo-1-single.new.")
    assert (told.kind, told.at, told.order_id, told.group_id) == (KIND.NEW, AT, ID, "memo-1")
    assert (told.origin, told.correlation_id) == ("strategy/momentum", "d-17")
    assert (told.symbol, told.con_id, told.account) == ("AAPL", 265598, "U***567")
    assert (told.side, told.order_type, told.role, told.time_in_force) == (
        "BUY", "LIMIT", "single", "DAY",
    )  # fmt: skip
    assert (told.quantity, told.limit_price, told.stop_price) == (D(10), D(150), D(3))
    assert (told.trail_amount, told.trail_percent) == (D(1), D(2))
    assert (told.status, told.filled, told.average_price) == ("PENDING", D(0), None)
    assert (told.broker_order_id, told.perm_id, told.is_foreign) == (101, 0, False)
    assert source_of(event) == Source("strategy/momentum", "d-17")


def test_later_steps_name_who_asked_if_anybody_knows() -> None:
    sources = {ID: Source("cli", "c-1")}
    told = step(accepted(spec()), written(spec()), sources=sources)
    assert (told.origin, told.correlation_id) == ("cli", "c-1")
    assert (told.kind, told.perm_id, told.status) == (KIND.ACCEPTED, 9001, "PRESUBMITTED")
    assert step(accepted(spec()), written(spec())).origin == ""


NEWS: list[tuple[ev.OrderEvent, KIND, OrderStatus | None, str, int]] = [
    (ev.NotSentEvent(at=AT, order_id=ID, reason="no link"), KIND.NOT_SENT,
     OrderStatus.NOT_SENT, "no link", 0),
    (working(ID), KIND.STATUS, OrderStatus.SUBMITTED, "", 0),
    (ev.DoneEvent(at=AT, order_id=ID, filled=D(10)), KIND.DONE, OrderStatus.FILLED, "", 0),
    (ev.ModifyEvent(at=AT, order_id=ID, spec=spec(limit_price=D(149))), KIND.MODIFY_REQUESTED,
     OrderStatus.PENDING_MODIFY, "", 0),
    (ev.ModifyRejectEvent(at=AT, order_id=ID, code=104, reason="too late"), KIND.MODIFY_REJECTED,
     None, "too late", 104),
    (ev.CancelRequestEvent(at=AT, order_id=ID), KIND.CANCEL_REQUESTED,
     OrderStatus.PENDING_CANCEL, "", 0),
    (ev.CancelEvent(at=AT, order_id=ID, reason="by hand", code=202), KIND.CANCELLED,
     OrderStatus.CANCELLED, "by hand", 202),
    (ev.CancelRejectEvent(at=AT, order_id=ID, code=161, reason="it fills"), KIND.CANCEL_REJECTED,
     None, "it fills", 161),
    (ev.ExpireEvent(at=AT, order_id=ID), KIND.EXPIRED, OrderStatus.EXPIRED, "", 0),
    (ev.RejectEvent(at=AT, order_id=ID, code=201, reason=f"margin of {REAL}\x1b[2J"),
     KIND.REJECTED, OrderStatus.REJECTED, "margin of U***567[2J", 201),
    (ev.HoldEvent(at=AT, order_id=ID, reason="locate"), KIND.HELD, OrderStatus.INACTIVE,
     "locate", 0),
    (ev.UnknownEvent(at=AT, order_id=ID, reason="silence"), KIND.UNKNOWN, OrderStatus.UNKNOWN,
     "silence", 0),
    (ev.WarningEvent(at=AT, order_id=ID, code=399, reason="after hours"), KIND.WARNING,
     None, "after hours", 399),
]  # fmt: skip


@pytest.mark.parametrize(("event", "kind", "status", "reason", "code"), NEWS)
def test_each_step_says_how_the_order_stands_after_it(
    event: ev.OrderEvent, kind: KIND, status: OrderStatus | None, reason: str, code: int
) -> None:
    start = (written(spec(account=REAL)), working(ID)) if kind != KIND.NOT_SENT else (
        written(spec(account=REAL)),
    )  # fmt: skip
    told = step(event, *start)
    assert (told.kind, told.reason, told.code) == (kind, reason, code)
    assert told.status == (status or OrderStatus.SUBMITTED)
    assert told.limit_price == (D(149) if kind == KIND.MODIFY_REQUESTED else D(150))


def test_an_order_that_is_taken_over_is_told_as_it_stands() -> None:
    foreign = spec(order_id=OrderId("foreign-77"), reference=ID)
    known = accepted(foreign, is_foreign=True, perm_id=77)
    ours = as_ours(fold([known]).orders[OrderId("foreign-77")])
    event = ev.AdoptEvent(at=AT, order_id=ID, order=ours, was=OrderId("foreign-77"))
    told = step(event, known)
    assert (told.kind, told.order_id, told.perm_id) == (KIND.ADOPTED, ID, 77)
    assert (told.is_foreign, told.status, told.limit_price) == (False, "PRESUBMITTED", D(150))


def test_every_kind_of_news_of_an_order_is_told_in_its_own_way() -> None:
    told = {kind for kind in EVENT_TYPES if issubclass(kind, ev.OrderEvent)}
    seen = {type(one) for one, *_ in NEWS}
    seen |= {ev.NewOrderEvent, ev.DenyEvent, ev.AcceptEvent, ev.FillEvent, ev.CommissionEvent}
    seen |= {ev.AdoptEvent}
    assert seen == told
    by_hand = {KIND.NEW, KIND.DENIED, KIND.ACCEPTED, KIND.ADOPTED, KIND.FILL}
    assert {kind for _, kind, *_ in NEWS} | by_hand == {*KIND}


def test_news_without_words_repeats_the_last_ones() -> None:
    before = (written(spec()), working(ID), ev.HoldEvent(at=AT, order_id=ID, reason="locate"))
    assert step(working(ID, at=later(1)), *before).reason == "locate"


def test_a_denial_names_its_checks_and_leaves_mere_warnings_out() -> None:
    told = step(ev.DenyEvent(at=AT, order_id=ID, breaches=BREACHES, spec=spec()))
    assert told.denied_by == ("armed", "heat")
    assert told.reason == "it is not armed. it is too hot. much too hot."
    assert (told.status, told.quantity) == (OrderStatus.DENIED, D(10))
    # A change that is denied leaves the order as it is.
    told = step(ev.DenyEvent(at=AT, order_id=ID, breaches=BREACHES), written(spec()), working(ID))
    assert (told.kind, told.status, told.quantity) == (KIND.DENIED, OrderStatus.SUBMITTED, D(10))


def test_news_of_an_order_that_nobody_knows_yet_has_no_terms() -> None:
    told = step(working("foreign-9"))
    assert (told.order_id, told.status, told.quantity, told.symbol) == ("foreign-9", None, None, "")
    assert (told.filled, told.group_id, told.account) == (None, "", "")


# -- executions -----------------------------------------------------------------------------


def executed(event: ev.BaseEvent, *before: ev.BaseEvent, **more: Any) -> ExecutionFill:
    first, *_ = payloads_of(event, fold([*before, event]), **more)
    assert isinstance(first, ExecutionFill)
    return first


def test_an_execution_is_told_with_the_order_after_it() -> None:
    told = fill(4, "150.25", account=REAL, perm_id=9, exchange="ARCA", realized_pnl=D(2))
    news = filled(told, at=later(1))
    sources = {ID: Source("cli", "c-1")}
    first, second = payloads_of(news, fold([written(spec()), news]), sources=sources)
    assert isinstance(first, ExecutionFill)
    assert isinstance(second, OrderLifecycleEvent)
    assert (first.event_id, first.kind, first.revision) == ("e1.1", FillKind.EXECUTION, 1)
    assert (first.at, first.executed_at) == (later(1), AT)
    assert (first.order_id, first.group_id, first.origin) == (ID, "memo-1", "cli")
    assert (first.correlation_id, first.account, first.symbol) == ("c-1", "U***567", "AAPL")
    assert (first.side, first.quantity, first.price) == ("BUY", D(4), D("150.25"))
    assert (first.commission, first.realized_pnl, first.corrects) == (None, D(2), None)
    assert (first.exchange, first.perm_id, first.con_id) == ("ARCA", 9, 265598)
    assert (second.kind, second.status) == (KIND.FILL, OrderStatus.PARTIALLY_FILLED)
    assert (second.filled, second.average_price) == (D(4), D("150.25"))


def test_a_correction_names_what_it_takes_the_place_of() -> None:
    wrong, right = fill(4), fill(3, revision=2)
    told = executed(filled(right, replaces=wrong), written(spec()), filled(wrong))
    assert (told.event_id, told.kind, told.corrects) == ("e1.2", FillKind.CORRECTION, 1)
    assert told.quantity == D(3)


def cost(amount: str = "1.05") -> ev.CommissionEvent:
    return ev.CommissionEvent(
        at=later(2), order_id=ID, fill_id="e1", commission=D(amount), realized_pnl=D(5)
    )


def test_what_an_execution_has_cost_is_told_when_it_is_known() -> None:
    told = executed(cost(), written(spec()), filled(fill()))
    assert (told.event_id, told.kind) == ("e1.1.cost", FillKind.COST)
    assert (told.at, told.commission, told.realized_pnl) == (later(2), D("1.05"), D(5))
    assert len(payloads_of(cost(), fold([written(spec()), filled(fill()), cost()]))) == 1


def test_a_cost_that_comes_first_is_told_with_its_execution() -> None:
    assert payloads_of(cost(), fold([cost()])) == ()
    assert executed(filled(fill()), cost()).commission == D("1.05")


def test_an_execution_of_an_order_that_nobody_knows_is_told_all_the_same() -> None:
    told = executed(filled(fill()))
    assert (told.group_id, told.quantity) == ("", D(10))
    # And one that is older than what is known by now tells of itself.
    portfolio = fold([filled(fill(3, revision=2))])
    first, _ = payloads_of(filled(fill(4)), portfolio)
    assert isinstance(first, ExecutionFill)
    assert (first.revision, first.quantity) == (1, D(4))
    first, _ = payloads_of(filled(fill(4)), PortfolioState())
    assert isinstance(first, ExecutionFill)
    assert first.quantity == D(4)


# -- positions ------------------------------------------------------------------------------


def test_a_position_that_moves_is_told_by_what_moved_it() -> None:
    news = filled(fill(10, "150"), at=later(1))
    before, after = fold([written(spec())]), fold([written(spec()), news])
    (change,) = position_events(before, after, news)
    (told,) = payloads_of(change, after)
    assert isinstance(told, PositionSnapshot)
    assert told.event_id == "position.265598.10.memo-1-single.20261120T150001.000000"
    assert (told.quantity, told.cause, told.market_price) == (D(10), ID, D(150))
    stranger = msgspec.structs.replace(change, cause=None)
    (told,) = payloads_of(stranger, after)
    assert told.event_id == "position.265598.10..20261120T150001.000000"


def test_once_in_sync_all_that_is_held_is_told_and_what_is_flat_by_now() -> None:
    bought = filled(fill(10, "150", contract=MSFT, key="m"))
    start = [ev.SyncEvent(at=AT, epoch=1), bought]
    again = ev.SyncEvent(at=later(5), epoch=2, positions=(held(7, AAPL),))
    told = payloads_of(again, fold([*start, again]))
    assert all(isinstance(one, PositionSnapshot) for one in told)
    assert {one.symbol: one.quantity for one in told} == {"AAPL": 7, "MSFT": 0}  # type: ignore[attr-defined]  # judged above
    assert {one.at for one in told} == {later(5)}


# -- signals and decisions --------------------------------------------------------------------

SIGNAL: dict[str, Any] = {
    "at": AT, "ticker": "AAPL", "source": "api", "signal_id": "s-1", "issued_at": later(-1),
}  # fmt: skip
SIGNALS: list[tuple[ev.BaseEvent, str, dict[str, Any]]] = [
    (ev.PredictionSignalEvent(**SIGNAL, signal="BUY", confidence=D("0.9"), price=D(150)), "signal",
     {"action": "BUY", "confidence": D("0.9"), "price": D(150)}),
    (ev.FlowThresholdEvent(**SIGNAL, measure="trades", value=D(9), threshold=D(5)), "flow",
     {"measure": "trades", "value": D(9), "threshold": D(5)}),
    (ev.SignalRefusedEvent(**SIGNAL, code="stale", message="too\nold", count=3), "refused",
     {"code": "stale", "reasons": ("too old",), "count": 3}),
    (ev.SignalEndEvent(**SIGNAL, outcome=Outcome.ACTED, decisions=("d1",), reasons=("a\tb",)),
     "signal_end", {"outcome": Outcome.ACTED, "decisions": ("d1",), "reasons": ("a b",)}),
]  # fmt: skip


@pytest.mark.parametrize(("event", "kind", "more"), SIGNALS)
def test_a_signal_is_told_by_its_source_and_id(
    event: ev.BaseEvent, kind: str, more: dict[str, Any]
) -> None:
    (told,) = payloads_of(event, PortfolioState())
    assert isinstance(told, SignalDecision)
    assert told.event_id.startswith(f"api/s-1.{kind}.")
    assert (told.kind, told.symbol, told.source, told.signal_id) == (kind, "AAPL", "api", "s-1")
    assert (told.at, told.issued_at) == (AT, later(-1))
    assert {name: getattr(told, name) for name in more} == more


def test_a_decision_and_its_end_are_told() -> None:
    decided = ev.DecisionEvent(
        at=AT, strategy="momentum", decision_id="d1", rule="enter", version="ab12", ticker="AAPL",
        cause="api/s-1", wish="open_position", terms={"risk": "1\n%"}, facts={"held": "0\x1b"},
        price=D(150), is_shadow=True,
    )  # fmt: skip
    (told,) = payloads_of(decided, PortfolioState())
    assert isinstance(told, SignalDecision)
    assert told.event_id.startswith("d1.decision.")
    assert (told.kind, told.strategy, told.rule, told.version) == (
        "decision", "momentum", "enter", "ab12",
    )  # fmt: skip
    assert (told.symbol, told.decision_id, told.cause, told.wish) == (
        "AAPL", "d1", "api/s-1", "open_position",
    )  # fmt: skip
    assert (told.terms, told.facts) == ({"risk": "1 %"}, {"held": "0"})
    assert (told.price, told.is_shadow) == (D(150), True)
    ended = ev.DecisionEndEvent(
        at=AT, strategy="momentum", decision_id="d1", outcome=Outcome.REFUSED, reasons=("no\n",),
        order_ids=(ID,),
    )  # fmt: skip
    (told,) = payloads_of(ended, PortfolioState())
    assert isinstance(told, SignalDecision)
    assert told.event_id.startswith("d1.decision_end.")
    assert (told.outcome, told.reasons, told.order_ids) == (Outcome.REFUSED, ("no",), (ID,))


def test_a_kind_of_signal_that_nobody_tells_of_is_a_fault() -> None:
    class Rumour(ev.OptionsFlowEvent, frozen=True, kw_only=True):
        pass

    with pytest.raises(InvariantBroken, match="Rumour"):
        payloads_of(Rumour(at=AT, ticker="AAPL"), PortfolioState())


# -- what all have in common --------------------------------------------------------------------


@pytest.mark.parametrize(
    "event",
    [
        ev.TimeEvent(at=AT),
        ev.ErrorEvent(at=AT, code=1, message="x"),
        ev.FaultEvent(at=AT, strategy="s", rule="r", message="m"),
    ],
)
def test_what_is_no_news_for_others_is_not_told(event: ev.BaseEvent) -> None:
    assert payloads_of(event, PortfolioState()) == ()
    assert not isinstance(event, TOLD)


def ids(payloads: tuple[Payload, ...]) -> list[str]:
    return [one.event_id for one in payloads]


@pytest.mark.parametrize("event", [one for one, *_ in (*NEWS, *SIGNALS)])
def test_a_fact_has_the_same_id_when_it_is_read_back(event: ev.BaseEvent) -> None:
    before = fold([written(spec()), working(ID)])
    again = decode_event(encode(event))
    assert ids(payloads_of(event, before)) == ids(payloads_of(again, before))
    other = msgspec.structs.replace(event, at=later(0.000001))
    assert ids(payloads_of(event, before)) != ids(payloads_of(other, before))


def test_the_same_words_that_lead_to_something_else_are_another_fact() -> None:
    again = working(ID)
    one, other = fold([written(spec()), again]), fold([written(spec()), filled(fill(4)), again])
    assert ids(payloads_of(again, one)) != ids(payloads_of(again, other))


def test_no_account_is_told_in_full() -> None:
    order = Order(spec=spec(account=REAL), status=OrderStatus.SUBMITTED, reason=f"for {REAL}")
    worth = AccountValues(account=REAL)
    for portfolio in (
        PortfolioState(orders={ID: order}, values=worth),
        PortfolioState(values=worth),
    ):
        for event, *_ in NEWS:
            for payload in payloads_of(event, portfolio):
                assert REAL not in encode_payload(payload).decode()
    # The simulator's own is nobody's, and is shown.
    assert step(written(spec())).account == ACCOUNT
