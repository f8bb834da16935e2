"""A closing, step by step, in a whole account."""

from __future__ import annotations

from decimal import Decimal

import pytest

from ibkr_trader.core import events as ev
from ibkr_trader.core.commands import CancelOrder, SubmitOrders
from ibkr_trader.core.enums import Side
from ibkr_trader.core.models import GroupId, Position
from ibkr_trader.orders.closing import Closing
from ibkr_trader.portfolio.flattening import closable, flatten, unfinished
from ibkr_trader.portfolio.lost_orders import to_take_over
from ibkr_trader.portfolio.state import PortfolioState, fold
from tests.orders.samples import (
    AAPL,
    ACCOUNT,
    AT,
    MSFT,
    accepted,
    bracket_specs,
    fill,
    filled,
    spec,
    working,
    written,
)


def stating(quantity: int) -> PortfolioState:
    """Return a long position of ten without exits, of which the broker states another size."""
    entry = bracket_specs()[0]
    position = Position(
        account=ACCOUNT, contract=AAPL, quantity=Decimal(quantity), average_cost=Decimal(150)
    )
    return fold(
        [
            ev.CheckpointEvent(at=AT, positions=()),
            written(entry),
            filled(fill(10, order_id=entry.order_id)),
            ev.PositionReportEvent(at=AT, position=position),
        ]
    )


def held() -> PortfolioState:
    """Return a long position of ten under a bracket's two exits."""
    specs = bracket_specs()
    return fold(
        [
            *(written(one, kind="bracket") for one in specs),
            *(accepted(one) for one in specs),
            filled(fill(10, order_id=specs[0].order_id)),
        ]
    )


@pytest.mark.parametrize(("stated", "both"), [(10, 10), (40, 10), (4, 4), (0, 0), (-3, 0)])
def test_what_can_be_closed_is_what_both_have(stated: int, both: int) -> None:
    assert closable(stating(stated), AAPL) == both


def test_no_more_is_closed_than_the_broker_states() -> None:
    closing = Closing(group_id=GroupId("memo-9"), contract=AAPL, account=ACCOUNT)
    (submit,) = flatten(closing, stating(4), as_stated=True).commands
    assert isinstance(submit, SubmitOrders)
    assert submit.orders[0].quantity == 4
    step = flatten(closing, stating(0), as_stated=True)
    assert step.commands == ()
    assert step.is_over
    assert "holds nothing of it" in step.trouble


def close(state: PortfolioState, *, most: int = 10) -> tuple[PortfolioState, list[str]]:
    """Play router and broker until the closing is over; return what was done."""
    closing, done = Closing(group_id=GroupId("memo-9"), contract=AAPL, account=ACCOUNT), []
    for _ in range(most):
        step = flatten(closing, state)
        closing = step.closing
        for command in step.commands:
            if isinstance(command, CancelOrder):
                done.append(f"cancel {command.order_id}")
                state = fold(
                    [
                        ev.CancelRequestEvent(at=AT, order_id=command.order_id, origin="close"),
                        ev.CancelEvent(at=AT, order_id=command.order_id),
                    ],
                    state,
                )
            elif isinstance(command, SubmitOrders):
                (spec,) = command.orders
                done.append(f"{spec.side} {spec.quantity}")
                state = fold([written(spec, kind="close")], state)
                told = fill(10, "149", key="c", side=Side.SELL, order_id=spec.order_id)
                state = state.apply(filled(told))
        if step.is_over:
            return state, done
    raise AssertionError(done)


def test_a_bracket_is_taken_apart_and_the_position_sold() -> None:
    state, done = close(held())
    assert done == ["cancel memo-1-target", "cancel memo-1-stop", "SELL 10"]
    assert not state.positions
    assert not state.orders


def test_closing_again_does_nothing() -> None:
    state, _ = close(held())
    assert close(state) == (state, [])


def test_with_an_objection_the_exits_stay() -> None:
    closing = Closing(group_id=GroupId("memo-9"), contract=AAPL, account=ACCOUNT)
    step = flatten(closing, held(), objection="the market is closed")
    assert (step.commands, step.is_over, step.trouble) == ((), True, "the market is closed")


def test_what_is_held_or_has_an_order_of_ours_is_not_at_rest() -> None:
    assert unfinished(PortfolioState()) == {}
    state = held()
    assert list(unfinished(state)) == [AAPL.con_id]
    theirs = accepted(spec(contract=MSFT, order_id="foreign-3"), is_foreign=True)
    assert list(unfinished(state.apply(theirs))) == [AAPL.con_id]
    ours = fold([written(spec(contract=MSFT))], state)
    assert set(unfinished(ours)) == {AAPL.con_id, MSFT.con_id}


def test_what_a_lost_journal_of_ours_had_is_not_at_rest_either() -> None:
    theirs = spec(contract=MSFT, order_id="foreign-3", reference="lost2-3-single")
    told = {"is_foreign": True, "perm_id": 3}
    state = fold([accepted(theirs, **told), working("foreign-3")])
    (order,) = state.orders.values()
    ours = order.client_id
    assert set(unfinished(state, client_id=ours)) == {MSFT.con_id}
    assert unfinished(state, client_id=ours + 1) == unfinished(state) == {}
    assert to_take_over(state, client_id=ours) == (order,)
    twin = spec(contract=MSFT, order_id="foreign-4", reference="lost2-3-single")
    doubtful = fold([accepted(twin, **(told | {"perm_id": 4}))], state)
    assert to_take_over(doubtful, client_id=ours) == ()
    assert unfinished(doubtful, client_id=ours) == {}
    stranger = spec(contract=AAPL, order_id="foreign-5", reference="by hand")
    by_hand = fold([accepted(stranger, **told), working("foreign-5")])
    assert unfinished(by_hand, client_id=ours) == {}


def test_a_closing_that_begins_in_the_middle_ends_the_same() -> None:
    """A restart knows only the account: a cancel under way, a stop already gone."""
    half = held().apply(ev.CancelEvent(at=AT, order_id=bracket_specs()[1].order_id))
    state, done = close(half)
    assert done == ["cancel memo-1-stop", "SELL 10"]
    assert not state.positions
    assert Decimal(0) not in {order.spec.quantity for order in state.closed.values()}
