"""Adopted and released hold for as long as the position does, and over a checkpoint."""

from __future__ import annotations

from decimal import Decimal

import pytest

from ibkr_trader.core import codec
from ibkr_trader.core import events as ev
from ibkr_trader.core.commands import CancelOrder, SubmitOrders
from ibkr_trader.core.enums import Care, OrderRole, Side
from ibkr_trader.core.models import GroupId, OrderId
from ibkr_trader.portfolio.caring import (
    additions,
    adopted,
    is_about,
    is_left_alone,
    is_past,
    is_released,
    is_taken_over,
    leave_it,
)
from ibkr_trader.portfolio.ledger_fold import subject_of
from ibkr_trader.portfolio.protection import opened_here, scenes
from ibkr_trader.portfolio.state import PortfolioState, fold
from tests.orders.samples import (
    AAPL,
    AT,
    MSFT,
    accepted,
    fill,
    filled,
    later,
    spec,
    written,
)
from tests.portfolio.plan_stage import STOP, TARGET, bracket, plan, sold
from tests.portfolio.stage import held

BY_HAND = ev.SyncEvent(at=AT, epoch=1, positions=(held(10),))


def said(care: Care, quantity: int = 10) -> ev.CareEvent:
    return ev.CareEvent(at=later(10), contract=AAPL, care=care, held=Decimal(quantity))


def traded(quantity: int, side: Side, *, order_id: str, key: str) -> ev.FillEvent:
    return filled(fill(quantity, key=key, side=side, order_id=order_id, at=later(20)))


def here(state: PortfolioState) -> Decimal:
    return opened_here(state, state.positions[AAPL.con_id])


def test_what_is_adopted_counts_as_opened_here() -> None:
    state = fold([BY_HAND])
    assert not here(state)
    assert adopted(state, AAPL.con_id) is None
    taken = state.apply(said(Care.ADOPTED))
    assert here(taken) == Decimal(10)
    assert here(state.apply(said(Care.ADOPTED, 4))) == Decimal(4)
    again = codec.decode_event(codec.encode(said(Care.ADOPTED)))
    assert fold([BY_HAND, again]) == taken


@pytest.mark.parametrize(
    ("side", "order_id", "ours"),
    [
        (Side.SELL, "foreign-1", 6),
        (Side.SELL, "memo-1-single", 6),
        (Side.BUY, "memo-1-single", 14),
        (Side.BUY, "foreign-1", 10),
    ],
)
def test_what_comes_after_counts_as_ever(side: Side, order_id: str, ours: int) -> None:
    bought = filled(fill(10, key="e0", order_id="foreign-9", at=later(5)))
    start = [ev.SyncEvent(at=AT, epoch=1), bought, said(Care.ADOPTED)]
    assert here(fold([*start, traded(4, side, order_id=order_id, key="e1")])) == Decimal(ours)


@pytest.mark.parametrize(("taken", "ours"), [(0, 6), (1, 7), (4, 10), (10, 10)])
def test_what_is_adopted_adds_to_what_was_opened_here(taken: int, ours: int) -> None:
    mine = filled(fill(6, key="e0", order_id="memo-1-single", at=later(1)))
    by_hand = filled(fill(4, key="e1", order_id="foreign-9", at=later(2)))
    start = [ev.SyncEvent(at=AT, epoch=1), mine, by_hand]
    words = [said(Care.ADOPTED, taken)] if taken else []
    assert here(fold([*start, *words])) == Decimal(ours)


def test_it_ends_with_the_position() -> None:
    state = fold([BY_HAND, said(Care.RELEASED)])
    part = traded(4, Side.SELL, order_id="foreign-1", key="e1")
    assert is_released(state.apply(part), AAPL.con_id)
    for size in (10, 15):
        gone = traded(size, Side.SELL, order_id="foreign-1", key="e1")
        assert state.apply(gone).cares == {}
    assert fold([said(Care.RELEASED)]).cares == {}


def test_a_checkpoint_keeps_it() -> None:
    state = fold([BY_HAND, said(Care.RELEASED)])
    mark = ev.CheckpointEvent(
        at=later(30), positions=(held(10),), cares=tuple(state.cares.values())
    )
    assert is_released(fold([mark]), AAPL.con_id)


def test_a_group_is_taken_over_with_its_position() -> None:
    assert is_taken_over(bracket(said(Care.ADOPTED)), STOP.group_id)
    assert not is_taken_over(bracket(said(Care.RELEASED)), STOP.group_id)
    assert not is_taken_over(bracket(said(Care.ADOPTED)), GroupId("memo-9"))


def test_what_is_released_is_left_alone_and_nothing_else() -> None:
    state = bracket(said(Care.RELEASED))
    cancel = CancelOrder(order_id=STOP.order_id)
    new = SubmitOrders(group_id=STOP.group_id, orders=(spec(),))
    other = SubmitOrders(group_id=STOP.group_id, orders=(spec(contract=MSFT),))
    assert [is_left_alone(state, one) for one in (cancel, new, other)] == [True, True, False]
    assert not is_left_alone(state, CancelOrder(order_id=OrderId("memo-9-stop")))
    assert not is_left_alone(bracket(), cancel)
    assert "until ibkr-trader adopt AAPL" in leave_it(state, AAPL)
    assert leave_it(state, MSFT) == ""


def test_a_released_position_is_no_scene_of_the_guardian_s_and_only_told_in_a_plan() -> None:
    (scene,) = scenes(bracket(said(Care.RELEASED)))
    assert scene.is_left_alone
    found = plan(bracket(said(Care.RELEASED), sold(4)))
    assert [step.id for step in found.steps] == ["released-AAPL"]
    assert found.steps[0].words.startswith("released 2026-11-20 15:00:10 UTC: +6 and its orders")
    assert found.differing == ()
    taken = fold([BY_HAND, said(Care.ADOPTED)])
    assert [step.kind for step in plan(taken).steps] == ["naked"]


def test_a_group_is_about_the_contracts_of_its_orders() -> None:
    assert is_about(bracket(), STOP.group_id, subject_of(AAPL))
    assert not is_about(bracket(), STOP.group_id, subject_of(MSFT))
    assert not is_about(bracket(), GroupId("memo-9"), subject_of(AAPL))


def test_what_was_added_is_what_still_works_beyond_the_first_entry() -> None:
    ids = [OrderId(f"{STOP.group_id}-entry.{number}") for number in (2, 3, 4)]
    more = [
        spec(OrderRole.ENTRY, group=STOP.group_id, order_id=order_id, broker_order_id=90 - place)
        for place, order_id in enumerate(ids)
    ]
    begun = [one for entry in more for one in (written(entry, kind="bracket"), accepted(entry))]
    ended = ev.CancelEvent(at=later(9), order_id=ids[0])
    asked = ev.CancelRequestEvent(at=later(9), order_id=ids[1])
    assert [one.order_id for one in additions(bracket(*begun), STOP.group_id)] == ids[::-1]
    left = additions(bracket(*begun, ended, asked), STOP.group_id)
    assert [one.order_id for one in left] == ids[2:]
    assert additions(bracket(), STOP.group_id) == ()
    assert additions(bracket(), GroupId("memo-9")) == ()


def test_a_group_is_past_once_its_orders_have_ended_and_its_contract_is_flat() -> None:
    ends = [ev.CancelEvent(at=later(30), order_id=one.order_id) for one in (TARGET, STOP)]
    flat = ev.SyncEvent(at=later(40), epoch=2, positions=())
    unlike = ev.PositionReportEvent(at=later(50), position=held(10))
    assert is_past(bracket(*ends, flat), STOP.group_id)
    assert not is_past(bracket(*ends), STOP.group_id), "ten are held"
    assert not is_past(bracket(flat), STOP.group_id), "its exits are at work"
    assert not is_past(bracket(*ends, flat, unlike), STOP.group_id), "the broker says otherwise"
    assert not is_past(bracket(*ends, flat), GroupId("memo-9")), "of it, nothing is known"
