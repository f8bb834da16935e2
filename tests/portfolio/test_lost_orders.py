"""Orders of a lost journal come back by their own names, with what the broker proves of them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from ibkr_trader.core import codec
from ibkr_trader.core import events as ev
from ibkr_trader.core.enums import OrderRole, OrderStatus, Side
from ibkr_trader.core.errors import InvariantBroken
from ibkr_trader.core.models import GroupId, OrderId, OrderSpec
from ibkr_trader.portfolio.exposure import ExposureIndex
from ibkr_trader.portfolio.lost_orders import (
    as_ours,
    is_of_lost_journal,
    lost_orders,
    named,
    unproven,
    why_not,
)
from ibkr_trader.portfolio.state import PortfolioState, fold
from tests.orders.samples import (
    AAPL,
    AT,
    accepted,
    bracket_specs,
    fill,
    filled,
    later,
    order,
    spec,
    values,
    working,
)

CLIENT = 7  # as `accepted` says of orders
ENTRY, TARGET, STOP = bracket_specs()
SYNC = ev.SyncEvent(at=later(20), epoch=1)
WAS = {one.order_id: OrderId(f"foreign-{900 + one.broker_order_id}") for one in bracket_specs()}


def met(one: OrderSpec, **more: Any) -> ev.AcceptEvent:
    """The broker's word on an order whose journal is gone."""
    was = WAS.get(one.order_id, OrderId("foreign-999"))
    terms = msgspec.structs.replace(
        one,
        order_id=was,
        group_id=GroupId(was),
        role=OrderRole.SINGLE,
        parent_id=WAS[one.parent_id] if one.parent_id is not None else None,
        reference=one.order_id,
    )
    perm_id = int(was.removeprefix("foreign-"))
    return accepted(terms, **({"is_foreign": True, "perm_id": perm_id} | more))


def account(*news: ev.BaseEvent) -> PortfolioState:
    return fold([ev.SyncEvent(at=AT, epoch=1), *news])


def taking(state: PortfolioState, was: OrderId) -> ev.AdoptEvent:
    ours = as_ours(state.orders[was])
    return ev.AdoptEvent(at=later(9), order_id=ours.order_id, order=ours, was=was)


def taken_over(state: PortfolioState, *ids: OrderId) -> PortfolioState:
    for was in ids:
        state = state.apply(taking(state, was))
    return state


@pytest.mark.parametrize("order_of_taking", [(0, 1, 2), (2, 1, 0), (1, 0, 2)])
def test_a_bracket_has_its_names_roles_and_links_back(order_of_taking: tuple[int, ...]) -> None:
    state = account(met(ENTRY), met(TARGET), met(STOP))
    state = taken_over(state, *(WAS[bracket_specs()[at].order_id] for at in order_of_taking))
    assert set(state.orders) == {one.order_id for one in bracket_specs()}
    assert not any(one.is_foreign or one.spec.reference for one in state.orders.values())
    assert [state.orders[one.order_id].spec for one in bracket_specs()] == list(bracket_specs())
    assert set(state.groups) == {ENTRY.group_id}
    assert set(state.groups[ENTRY.group_id]) == set(state.orders)
    assert set(state.children) == {ENTRY.order_id}
    assert set(state.children[ENTRY.order_id]) == {TARGET.order_id, STOP.order_id}


def test_executions_of_before_are_its_own_and_move_nothing() -> None:
    was = WAS[ENTRY.order_id]
    before = account(
        met(ENTRY),
        filled(fill(4, order_id=was)),
        filled(fill(1, key="e2", order_id="foreign-1", side=Side.SELL)),
    )
    state = taken_over(before, was)
    assert state.positions == before.positions
    assert state.fills["e1"].order_id == ENTRY.order_id  # type: ignore[index]  # a FillId
    assert [one.order_id for one in state.books[AAPL.con_id].fills.values()] == [
        ENTRY.order_id,
        "foreign-1",
    ]
    more = state.apply(filled(fill(6, key="e3", order_id=ENTRY.order_id)))
    assert more.order(ENTRY.order_id).filled == 10  # type: ignore[union-attr]  # it is there
    assert more.positions[AAPL.con_id].quantity == 9
    assert more.apply(filled(fill(4, order_id=ENTRY.order_id))) is more


def test_an_execution_that_a_ledger_has_as_its_base_is_only_renamed() -> None:
    was = WAS[ENTRY.order_id]
    state = account(met(ENTRY), filled(fill(4, order_id=was)))
    book = state.books[AAPL.con_id].since(later(60))
    state = msgspec.structs.replace(state, books={AAPL.con_id: book})
    after = taken_over(state, was)
    assert after.books[AAPL.con_id] == book
    assert [one.order_id for one in after.fills.values()] == [ENTRY.order_id]


def test_the_event_alone_is_enough_after_a_checkpoint() -> None:
    state = account(met(ENTRY), met(STOP), filled(fill(4, order_id=WAS[ENTRY.order_id])))
    events = [taking(state, WAS[ENTRY.order_id])]
    state = state.apply(events[0])
    events.append(taking(state, WAS[STOP.order_id]))
    state = state.apply(events[1])
    read = [codec.decode_event(codec.encode(event)) for event in events]
    again = fold(read)
    assert dict(again.orders) == dict(state.orders)
    assert dict(again.groups) == dict(state.groups)
    assert dict(again.children) == dict(state.children)


def test_it_lives_on_by_its_own_name_and_its_old_one_is_no_order() -> None:
    was = WAS[ENTRY.order_id]
    state = taken_over(account(met(ENTRY)), was)
    state = state.apply(working(ENTRY.order_id))
    assert state.orders[ENTRY.order_id].status is OrderStatus.SUBMITTED
    late = state.apply(met(ENTRY))  # said before the adapter knew
    assert set(late.orders) == {ENTRY.order_id}
    elsewhere = msgspec.structs.replace(met(ENTRY), order_id=OrderId("foreign-7-101"))
    assert set(state.apply(elsewhere).orders) == {ENTRY.order_id}  # by yet another name
    other = state.apply(met(ENTRY, perm_id=5))  # of the same name, and another order
    assert set(other.orders) == {ENTRY.order_id, was}
    with pytest.raises(InvariantBroken, match="a second time"):
        other.apply(taking(other, was))


def test_news_that_waited_for_its_terms_is_not_kept_for_the_old_name() -> None:
    was = WAS[ENTRY.order_id]
    state = account(met(ENTRY))
    state = msgspec.structs.replace(state, unclaimed={was: (working(was),)})
    assert taken_over(state, was).unclaimed == {}


def test_what_it_was_called_filled_for_is_waited_for_by_its_own_name() -> None:
    """And once a statement of all positions has it, the old name is no order again."""
    was = WAS[ENTRY.order_id]
    state = account(met(ENTRY), working(was, 3))
    events = [taking(state, was)]
    state = fold(events, state)
    assert state.unheard == {ENTRY.order_id: state.orders[ENTRY.order_id]}
    assert fold(events).unheard == state.unheard  # after a checkpoint, too
    after = state.apply(SYNC)
    assert set(after.orders) == {ENTRY.order_id}
    assert after.unheard == {}
    assert set(ExposureIndex.of(after).orders) == {ENTRY.order_id}


def test_what_hung_from_it_is_waited_for_with_its_new_link() -> None:
    stop = WAS[STOP.order_id]
    state = account(met(ENTRY), met(STOP), working(stop, 2))
    state = taken_over(state, WAS[ENTRY.order_id])
    assert state.unheard == {stop: state.orders[stop]}


def test_what_was_called_filled_while_the_broker_was_asked_is_still_waited_for() -> None:
    """The claim was heard by the old name, and the positions may lack it."""
    was = WAS[ENTRY.order_id]
    state = taken_over(account(met(ENTRY), working(was, 3)), was)
    after = state.apply(msgspec.structs.replace(SYNC, claimed=(was,)))
    assert set(after.unheard) == {ENTRY.order_id}
    assert set(after.orders) == {ENTRY.order_id}


@pytest.mark.parametrize("is_early", [False, True], ids=["", "at-first-met"])
def test_news_that_was_named_before_is_news_of_it(*, is_early: bool) -> None:
    """What was read under the old name may come after the taking over."""
    was = WAS[STOP.order_id]
    state = taken_over(account(met(ENTRY), met(STOP)), WAS[ENTRY.order_id], was)
    told = fill(3, order_id=was, perm_id=0 if is_early else 903)
    after = fold([working(was, 3, perm_id=903), filled(told)], state)
    stop = after.orders[STOP.order_id]
    assert values(stop.filled, stop.reported_filled, stop.unheard) == (3, 3, 0)
    assert [one.order_id for one in after.fills.values()] == [STOP.order_id]
    assert [one.order_id for one in after.books[AAPL.con_id].fills.values()] == [STOP.order_id]
    less = msgspec.structs.replace(STOP, quantity=Decimal(7))
    again = after.apply(met(less))
    assert again.orders[STOP.order_id].spec == less
    assert set(again.orders) == {ENTRY.order_id, STOP.order_id}
    cost = ev.CommissionEvent(at=AT, order_id=was, fill_id="e1", commission=Decimal(1))
    assert again.apply(cost).orders[STOP.order_id].commission == 1


def test_terms_that_were_named_before_are_told_by_every_name_of_now() -> None:
    state = taken_over(account(met(ENTRY), met(STOP)), WAS[ENTRY.order_id], WAS[STOP.order_id])
    assert named(state, met(STOP)) == accepted(STOP, perm_id=903)
    asleep = working(STOP.order_id)
    assert named(state, asleep) is asleep


def test_an_order_that_has_got_an_old_name_is_another() -> None:
    was = WAS[ENTRY.order_id]
    state = taken_over(account(met(ENTRY)), was)
    told = filled(fill(3, order_id=was, perm_id=5))
    assert named(state, told) is told
    other = state.apply(met(ENTRY, perm_id=5))
    assert named(other, working(was)).order_id == was


def test_old_names_are_forgotten_with_their_orders() -> None:
    was = WAS[ENTRY.order_id]
    state = taken_over(account(met(ENTRY)), was)
    assert state.begin_day(later(60)).renamed == {was: ENTRY.order_id}
    over = state.apply(ev.CancelEvent(at=later(9), order_id=was))
    assert not over.orders
    gone = over.begin_day(later(60))
    assert gone.renamed == {}
    assert named(gone, working(was)) == working(was)


def test_what_hung_from_it_and_has_ended_is_renamed_too() -> None:
    stop = WAS[STOP.order_id]
    state = account(met(ENTRY), met(STOP), ev.CancelEvent(at=AT, order_id=stop))
    after = taken_over(state, WAS[ENTRY.order_id])
    assert after.closed[stop].spec.parent_id == ENTRY.order_id


@pytest.mark.parametrize(
    ("changes", "is_lost"),
    [
        ({"is_foreign": True}, True),
        ({"is_foreign": False}, False),
        ({"is_foreign": True, "client_id": 8}, False),
        ({"is_foreign": True, "reference": "icli-42"}, False),
    ],
)
def test_whose_order_is_of_a_lost_journal(changes: dict[str, Any], *, is_lost: bool) -> None:
    known: dict[str, Any] = {"client_id": CLIENT, "reference": "k7qav-3-stop"}
    assert is_of_lost_journal(order(**(known | changes)), client_id=CLIENT) is is_lost


def test_nobody_is_of_a_client_that_has_no_number() -> None:
    one = order(is_foreign=True, client_id=0, reference="k7qav-3-stop")
    assert not is_of_lost_journal(one, client_id=0)


def test_lost_orders_of_a_contract_begin_with_the_entry() -> None:
    state = account(met(STOP), met(ENTRY))
    found = lost_orders(state, client_id=CLIENT, con_id=AAPL.con_id)
    assert [one.spec.reference for one in found] == [ENTRY.order_id, STOP.order_id]
    assert lost_orders(state, client_id=CLIENT, con_id=1) == ()
    assert lost_orders(state, client_id=8, con_id=AAPL.con_id) == ()


def test_what_cannot_be_told_apart_or_may_be_over_is_not_taken() -> None:
    was = WAS[ENTRY.order_id]
    state = account(met(ENTRY))
    lost = state.orders[was]
    assert why_not(state, lost) == ""
    leaving = msgspec.structs.replace(lost, status=OrderStatus.PENDING_CANCEL)
    assert why_not(state, leaving) == "the broker calls it PENDING_CANCEL"
    nameless = msgspec.structs.replace(lost, perm_id=0)
    assert why_not(state, nameless) == "the broker has not said its permanent id"
    twin = met(ENTRY, perm_id=5)
    terms = msgspec.structs.replace(twin.spec, order_id=OrderId("foreign-5"))
    twin = msgspec.structs.replace(twin, order_id=OrderId("foreign-5"), spec=terms)
    assert why_not(state.apply(twin), lost) == f"more than one order is called {ENTRY.order_id}"
    known = state.apply(accepted(ENTRY, perm_id=4))
    assert why_not(known, lost) == f"the journal has another order {ENTRY.order_id}"


def test_what_the_broker_does_not_prove_is_said() -> None:
    rules = "the rules of its group are lost, the broker's own links hold"
    state = account(met(ENTRY), met(STOP))
    assert list(unproven(state, state.orders[WAS[STOP.order_id]])) == [rules]
    assert list(unproven(state, state.orders[WAS[ENTRY.order_id]])) == [rules]
    alone = account(met(STOP))
    gone = f"{ENTRY.order_id} is not at the broker any more"
    assert list(unproven(alone, alone.orders[WAS[STOP.order_id]])) == [gone, rules]
    single = account(met(spec()))
    assert list(unproven(single, single.orders[OrderId("foreign-999")])) == []


def test_a_reference_of_another_kind_names_nothing() -> None:
    with pytest.raises(ValueError, match="is no reference"):
        as_ours(order(is_foreign=True, reference="icli-42"))


def test_sizes_are_as_the_broker_states_them() -> None:
    small = met(msgspec.structs.replace(ENTRY, quantity=Decimal(3)))
    state = taken_over(account(small), WAS[ENTRY.order_id])
    assert state.orders[ENTRY.order_id].spec.quantity == 3
