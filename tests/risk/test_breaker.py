from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

import msgspec
import pytest

from ibkr_trader.core import events as ev
from ibkr_trader.core.codec import decode_event, encode
from ibkr_trader.core.enums import OrderRole, OrderStatus, TradingState
from ibkr_trader.core.models import Contract, GroupId, Order, OrderId, OrderSpec
from ibkr_trader.core.tallies import Refusal, Strikes
from ibkr_trader.risk.breaker import after, refused, takes_no_orders, trips
from ibkr_trader.risk.limits import RiskLimits
from tests.orders.samples import (
    AT,
    accepted,
    bracket_specs,
    fill,
    filled,
    later,
    order,
    spec,
    working,
    written,
)

LIMITS = RiskLimits()
BERKSHIRE = Contract(symbol="BRK B", con_id=3)


def one(number: int, **terms: object) -> OrderSpec:
    return spec(group=GroupId(f"memo-{number}"), **terms)  # type: ignore[arg-type] # of any kind


def told(events: Iterable[ev.BaseEvent], *orders: Order, so_far: Strikes = Strikes()) -> Strikes:  # noqa: B008 - a frozen value
    known = {found.order_id: found for found in orders}
    for event in events:
        mine = known.get(event.order_id) if isinstance(event, ev.OrderEvent) else None
        so_far = after(so_far, event, mine)
    return so_far


def rejected(what: OrderSpec, seconds: float = 0) -> ev.RejectEvent:
    return ev.RejectEvent(at=later(seconds), order_id=what.order_id, code=201, reason="no")


def unknown(what: OrderSpec, seconds: float = 0) -> ev.UnknownEvent:
    return ev.UnknownEvent(at=later(seconds), order_id=what.order_id, reason="silence")


def refusals(*symbols: str, every: float = 1) -> Strikes:
    """Strikes with a refusal every so many seconds."""
    found = tuple(Refusal(later(n * every), symbol) for n, symbol in enumerate(symbols))
    return Strikes(refusals=found)


def tripped(strikes: Strikes, seconds: float = 10, **changes: int) -> list[tuple[str, str, int]]:
    limits = msgspec.structs.replace(LIMITS, **changes)
    return [
        (trip.symbol, trip.origin, trip.number) for trip in trips(strikes, limits, later(seconds))
    ]


# -- refusals -----------------------------------------------------------------------------------


def test_a_refused_opening_counts_for_its_symbol() -> None:
    first, second = one(1), one(2, contract=BERKSHIRE)
    events = [written(first), rejected(first), written(second), rejected(second, 5)]
    found = told(events, order(spec=first), order(spec=second))
    assert found.refusals == (Refusal(AT, "AAPL"), Refusal(later(5), "BRK.B"))
    assert not found.waiting


def test_of_a_bracket_its_entry_counts_alone() -> None:
    specs = bracket_specs()
    events = [*map(written, specs), *map(rejected, specs)]
    found = told(events, *(order(spec=what) for what in specs))
    assert len(found.refusals) == 1


def test_an_exit_counts_never_whatever_its_role() -> None:
    stop, single = one(1, role=OrderRole.STOP), one(2)
    reducing = msgspec.structs.replace(written(single), reduces=True)
    events = [written(stop), rejected(stop), reducing, rejected(single)]
    assert told(events, order(spec=stop), order(spec=single)).refusals == ()


@pytest.mark.parametrize(("role", "count"), [(OrderRole.ENTRY, 1), (OrderRole.TARGET, 0)])
def test_one_refused_after_it_was_taken_counts_by_its_role(role: OrderRole, count: int) -> None:
    what = one(1, role=role)
    events = [written(what), accepted(what), rejected(what)]
    assert len(told(events, order(spec=what)).refusals) == count


def test_a_strangers_refusal_is_none_of_ours_nor_is_one_that_nobody_knows() -> None:
    what = one(1)
    assert told([rejected(what)], order(spec=what, is_foreign=True)) == Strikes()
    assert told([rejected(what)]) == Strikes()


def test_only_so_many_are_remembered() -> None:
    what = one(1)
    found = told([rejected(what, n) for n in range(150)], order(spec=what))
    assert (len(found.refusals), found.refusals[-1].at) == (100, later(149))


@pytest.mark.parametrize(
    ("strikes", "found"),
    [
        (refusals("AAPL", "AAPL"), []),
        (refusals("AAPL", "AAPL", "AAPL"), [("AAPL", "rejects", 3)]),
        (refusals("AAPL", "MSFT", "AAPL", "MSFT"), []),
        (refusals("A", "B", "C", "D", "E"), [("", "rejects", 5)]),
        (refusals("A", "A", "A", "B", "B"), [("", "rejects", 5), ("A", "rejects", 3)]),
        (refusals("A", "A", "A", every=40), []),
        (refusals("A", "A", "A", every=35), []),  # 70, 35 and 0 s ago
        (refusals("A", "A", "A", every=34.9), []),
    ],
)
def test_three_of_a_symbol_or_five_of_all_within_a_minute(
    strikes: Strikes, found: list[tuple[str, str, int]]
) -> None:
    last = (strikes.refusals[-1].at - AT).total_seconds()
    assert tripped(strikes, last) == found


def test_the_window_and_the_counts_are_limits() -> None:
    strikes = refusals("A", "A")
    assert tripped(strikes, max_rejects_per_symbol=2) == [("A", "rejects", 2)]
    assert tripped(strikes, max_rejects=2) == [("", "rejects", 2)]
    short = msgspec.structs.replace(LIMITS, reject_window=timedelta(seconds=2))
    assert refused(strikes, short, later(1.9)) == {"A": 2}
    assert refused(strikes, short, later(2)) == {"A": 1}
    assert refused(strikes, short, later(3)) == {}


# -- silence ------------------------------------------------------------------------------------


def test_two_commands_in_a_row_without_an_answer() -> None:
    first, second = one(1), one(2)
    strikes = told([written(first), unknown(first)])
    assert tripped(strikes) == []
    strikes = told([written(second, at=later(1)), unknown(second)], so_far=strikes)
    assert tripped(strikes) == [("", "unknown", 2)]
    assert tripped(strikes, max_unknown=3) == []
    (trip, *_) = trips(strikes, LIMITS, AT)
    assert trip.reason == "2 commands in a row were not answered by the broker"


def test_a_bracket_is_one_command_and_a_scale_in_another() -> None:
    specs = bracket_specs()
    more = spec(OrderRole.ENTRY, order_id=OrderId("memo-1-entry.2"))
    strikes = told([*map(written, specs), *map(unknown, specs), unknown(specs[0])])
    assert len(strikes.unanswered) == 1
    strikes = told([written(more, at=later(1)), unknown(more)], so_far=strikes)
    assert len(strikes.unanswered) == 2


@pytest.mark.parametrize(
    "answer",
    [
        accepted(one(2)),
        working("memo-2-single"),
        filled(fill(order_id="memo-2-single")),
        rejected(one(2)),
        ev.HoldEvent(at=AT, order_id=OrderId("memo-2-single")),
        ev.CancelEvent(at=AT, order_id=OrderId("memo-2-single")),
        ev.ExpireEvent(at=AT, order_id=OrderId("memo-2-single")),
        ev.DoneEvent(at=AT, order_id=OrderId("memo-2-single"), filled=one(2).quantity),
    ],
)
def test_an_answer_to_a_new_order_begins_the_count_anew(answer: ev.OrderEvent) -> None:
    first, second, third = one(1), one(2), one(3)
    begun = [written(first), unknown(first), written(second, at=later(1)), answer]
    strikes = told([*begun, written(third, at=later(2)), unknown(third)], order(spec=second))
    assert len(strikes.unanswered) == 1


@pytest.mark.parametrize(
    "other",
    [
        working("memo-9-single"),  # an old order's status proves nothing of new ones
        ev.CancelRequestEvent(at=AT, order_id=OrderId("memo-2-single"), origin="cli"),
        ev.ModifyEvent(at=AT, order_id=OrderId("memo-2-single"), spec=one(2)),
        ev.NotSentEvent(at=AT, order_id=OrderId("memo-2-single"), reason="no link"),
        ev.SyncEvent(at=AT, epoch=1),
    ],
)
def test_what_is_no_answer_does_not(other: ev.BaseEvent) -> None:
    first, second = one(1), one(2)
    begun = [written(first), unknown(first), written(second, at=later(1)), other]
    assert len(told(begun).unanswered) == 1


def test_what_was_never_sent_is_not_awaited_any_more() -> None:
    what = one(1)
    gone = ev.NotSentEvent(at=AT, order_id=what.order_id, reason="no link")
    strikes = told([written(what), gone])
    assert strikes == Strikes()
    assert told([gone, unknown(what)], so_far=strikes) is strikes


def test_one_that_is_found_after_all_is_an_answer() -> None:
    first, second = one(1), one(2)
    events = [written(first), unknown(first), written(second, at=later(1)), unknown(second)]
    strikes = told([*events, accepted(first)])
    assert strikes.unanswered == ()
    assert set(strikes.waiting) == {second.order_id}


# -- the end of it --------------------------------------------------------------------------------


def resumed(symbol: str, state: TradingState = TradingState.ACTIVE) -> ev.StateEvent:
    return ev.StateEvent(at=AT, state=state, reason="seen", symbol=symbol, origin="cli")


def test_who_resumes_begins_the_count_anew() -> None:
    strikes = msgspec.structs.replace(refusals("A", "A", "B"), unanswered=("memo-1",))
    here = told([resumed("A")], so_far=strikes)
    assert ([one.symbol for one in here.refusals], here.unanswered) == (["B"], ("memo-1",))
    everywhere = told([resumed("")], so_far=strikes)
    assert (everywhere.refusals, everywhere.unanswered) == ((), ())
    assert told([resumed("A", TradingState.HALTED)], so_far=strikes) is strikes


def test_a_checkpoint_keeps_them() -> None:
    first, second = one(1), one(2)
    events = [written(first), unknown(first), written(second), rejected(second)]
    strikes = told(events, order(OrderStatus.REJECTED, spec=second))
    mark = ev.CheckpointEvent(at=AT, strikes=strikes)
    again = decode_event(encode(mark))
    assert isinstance(again, ev.CheckpointEvent)
    assert again.strikes == strikes


@pytest.mark.parametrize(
    ("code", "reason", "is_final"),
    [
        (321, "Error validating request: The API interface is in Read-Only mode.", True),
        (321, "Error validating request: Invalid account code", False),
        (201, "a read-only margin", False),
    ],
)
def test_a_gateway_that_may_only_be_read_takes_no_order_at_all(
    code: int, reason: str, is_final: bool
) -> None:
    event = ev.RejectEvent(at=AT, order_id=OrderId("memo-1-single"), code=code, reason=reason)
    assert ("untick Read-Only API" in takes_no_orders(event)) is is_final
