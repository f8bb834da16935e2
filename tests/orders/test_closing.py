"""Closing a position: flat at the end, never turned round, never twice, never naked for long."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from ibkr_trader.core.commands import CancelOrder, ModifyOrder, SubmitOrders
from ibkr_trader.core.enums import OrderRole, OrderStatus, OrderType, Side
from ibkr_trader.core.events import CloseRequestEvent
from ibkr_trader.core.ids import make_order_id
from ibkr_trader.core.models import GroupId, Order, OrderId
from ibkr_trader.orders.closing import TRIES, Closing, ClosingStep, stop_under
from tests.orders.samples import AAPL, ACCOUNT, AT, MSFT, bracket_specs, order, spec

S = OrderStatus
CLOSING = Closing(group_id=GroupId("memo-9"), contract=AAPL, account=ACCOUNT)
CLOSE = OrderId("memo-9-close")
LONG = Decimal(10)
FLAT = Decimal(0)


def bracket(entry: S = S.FILLED, target: S = S.SUBMITTED, stop: S = S.PRESUBMITTED) -> list[Order]:
    """Return a long bracket of ten, each order in its state."""
    return [
        Order(spec=one, status=status, filled=Decimal(10 if status is S.FILLED else 0))
        for one, status in zip(bracket_specs(), (entry, target, stop), strict=True)
    ]


def cancels(step: ClosingStep) -> list[str]:
    return [c.order_id for c in step.commands if isinstance(c, CancelOrder)]


def submitted(step: ClosingStep) -> Any:
    (command,) = step.commands
    assert isinstance(command, SubmitOrders)
    assert command.reduces
    assert command.kind == "close"
    return command.orders[0]


def test_the_target_goes_first_the_stop_last_and_then_it_closes() -> None:
    orders = bracket()
    step = CLOSING.step(LONG, orders)
    assert cancels(step) == ["memo-1-target"]
    assert step.waiting_for == ("memo-1-target",)

    orders = bracket(target=S.PENDING_CANCEL)
    waiting = step.closing.step(LONG, orders)
    assert waiting.commands == ()
    assert waiting.waiting_for == ("memo-1-target",)

    step = step.closing.step(LONG, bracket(target=S.CANCELLED))
    assert cancels(step) == ["memo-1-stop"]

    over = bracket(target=S.CANCELLED, stop=S.CANCELLED)
    step = step.closing.step(LONG, over)
    close = submitted(step)
    assert (close.order_id, close.role, close.side) == (CLOSE, OrderRole.CLOSE, Side.SELL)
    assert (close.quantity, close.order_type) == (10, OrderType.MARKET)
    assert not step.is_over

    works = Order(spec=close, status=S.SUBMITTED)
    step = step.closing.step(LONG, [*over, works])
    assert (step.commands, step.waiting_for, step.is_over) == ((), (CLOSE,), False)

    done = Order(spec=close, status=S.FILLED, filled=LONG)
    step = step.closing.step(FLAT, [*over, done])
    assert (step.commands, step.is_over, step.trouble) == ((), True, "")


def test_a_short_is_bought_back() -> None:
    assert submitted(CLOSING.step(Decimal(-4), [])).side is Side.BUY


def test_a_stop_that_fills_meanwhile_leaves_nothing_to_close() -> None:
    step = CLOSING.step(LONG, bracket(target=S.CANCELLED))
    step = step.closing.step(FLAT, bracket(target=S.CANCELLED, stop=S.FILLED))
    assert (step.commands, step.is_over) == ((), True)


def test_what_is_left_after_a_partial_stop_is_closed() -> None:
    step = CLOSING.step(Decimal(3), bracket(target=S.CANCELLED, stop=S.CANCELLED))
    assert submitted(step).quantity == 3


def test_flat_with_nothing_working_is_over() -> None:
    assert CLOSING.step(FLAT, []).is_over
    assert CLOSING.step(FLAT, bracket(target=S.CANCELLED, stop=S.CANCELLED)).is_over


def test_flat_with_a_working_entry_keeps_its_stop_until_the_entry_is_over() -> None:
    """The entry may fill before its cancel arrives."""
    works = bracket(entry=S.SUBMITTED, target=S.PRESUBMITTED)
    step = CLOSING.step(FLAT, works)
    assert cancels(step) == ["memo-1-entry", "memo-1-target"]
    over = bracket(entry=S.CANCELLED, target=S.CANCELLED)
    assert cancels(step.closing.step(FLAT, over)) == ["memo-1-stop"]


def test_other_contracts_are_nobodys_business() -> None:
    elsewhere = order(contract=MSFT)
    assert CLOSING.step(FLAT, [elsewhere]).is_over


def test_each_cancel_is_asked_for_once() -> None:
    step = CLOSING.step(LONG, bracket())
    unheard = step.closing.step(LONG, bracket(target=S.UNKNOWN))
    assert unheard.commands == ()
    assert unheard.waiting_for == ("memo-1-target",)


def test_a_closing_order_of_another_process_is_waited_for() -> None:
    other = spec(
        OrderRole.CLOSE, group=GroupId("memo-8"), side=Side.SELL, order_type=OrderType.MARKET,
        limit_price=None,
    )  # fmt: skip
    step = CLOSING.step(LONG, [Order(spec=other, status=S.PENDING)])
    assert (step.commands, step.waiting_for) == ((), (other.order_id,))


def test_the_stop_that_goes_last_is_known_before_it_goes() -> None:
    found = stop_under(Decimal(10), bracket())
    assert found is not None
    assert (found.role, found.stop_price) == (OrderRole.STOP, bracket()[2].spec.stop_price)
    assert stop_under(Decimal(-10), bracket()) is None, "it ends no short position"
    assert stop_under(Decimal(10), bracket(stop=S.CANCELLED)) is None


def stranger(quantity: int, side: Side = Side.SELL) -> Order:
    return order(
        is_foreign=True, order_id=OrderId("foreign-7"), quantity=Decimal(quantity), side=side
    )


def test_what_strangers_would_close_is_left_to_them() -> None:
    step = CLOSING.step(LONG, [stranger(4)])
    assert submitted(step).quantity == 6
    step = CLOSING.step(LONG, [stranger(10)])
    assert (step.commands, step.is_over, step.waiting_for) == ((), True, ("foreign-7",))
    assert "foreign-7" in step.trouble
    assert submitted(CLOSING.step(LONG, [stranger(10, Side.BUY)])).quantity == 10


def test_what_strangers_close_already_keeps_its_stop() -> None:
    """Nothing would be sold in its place, so nothing may be cancelled first."""
    step = CLOSING.step(LONG, [*bracket(), stranger(10)])
    assert (step.commands, step.is_over) == ((), True)
    assert "foreign-7" in step.trouble
    assert cancels(CLOSING.step(LONG, [*bracket(), stranger(4)])) == ["memo-1-target"]


def failed(reason: str = "", side: Side = Side.SELL) -> Order:
    close = spec(
        OrderRole.CLOSE, group=GroupId("memo-9"), side=side, order_type=OrderType.MARKET,
        limit_price=None,
    )  # fmt: skip
    return Order(spec=close, status=S.REJECTED, reason=reason)


def test_a_close_that_fails_puts_the_stop_back() -> None:
    step = CLOSING.step(LONG, bracket(target=S.CANCELLED))
    over = [*bracket(target=S.CANCELLED, stop=S.CANCELLED), failed("no margin")]
    step = step.closing.step(Decimal(7), over)
    stop = submitted(step)
    assert (stop.order_id, stop.role, stop.quantity) == ("memo-9-stop", OrderRole.STOP, 7)
    assert (stop.stop_price, stop.parent_id, stop.broker_order_id) == (145, None, 0)
    assert step.is_over
    assert step.trouble == "memo-9-close is REJECTED: no margin; its stop is put back"

    gone = Order(spec=stop, status=S.REJECTED)
    step = step.closing.step(Decimal(7), [*over, gone])
    assert (step.commands, step.is_over) == ((), True)
    assert step.trouble == "memo-9-close is REJECTED: no margin"


def test_a_close_that_fails_without_a_stop_is_told() -> None:
    step = CLOSING.step(LONG, [failed()])
    assert (step.commands, step.trouble) == ((), "memo-9-close is REJECTED")


def test_a_stop_of_the_wrong_side_is_not_put_back() -> None:
    step = CLOSING.step(LONG, bracket(target=S.CANCELLED))
    over = bracket(target=S.CANCELLED, stop=S.CANCELLED)
    assert step.closing.step(Decimal(-3), [*over, failed(side=Side.BUY)]).commands == ()


def test_a_cancel_that_was_refused_is_asked_for_again_but_not_for_ever() -> None:
    step = CLOSING.step(LONG, bracket())
    for _ in range(TRIES - 1):
        assert cancels(step) == ["memo-1-target"]
        step = step.closing.step(LONG, bracket())  # looked up, and it works on
    assert cancels(step) == ["memo-1-target"]
    assert step.closing.step(LONG, bracket()).commands == ()
    step = step.closing.asking_again().step(LONG, bracket())  # a minute later
    assert cancels(step) == ["memo-1-target"]
    assert step.closing.step(LONG, bracket()).commands == ()


def of_group(status: S, copy: int = 1, role: OrderRole = OrderRole.CLOSE, **more: Any) -> Order:
    """Return an order of the closing's own."""
    group, is_stop = GroupId("memo-9"), role is OrderRole.STOP
    one = spec(
        role, group=group, order_id=make_order_id(group, role, copy=copy), side=Side.SELL,
        quantity=LONG, order_type=OrderType.STOP if is_stop else OrderType.MARKET,
        limit_price=None, stop_price=Decimal(145) if is_stop else None,
    )  # fmt: skip
    return Order(spec=one, status=status, **more)


def test_a_close_that_never_left_goes_out_again_under_a_new_id() -> None:
    step = CLOSING.step(LONG, [of_group(S.NOT_SENT)])
    assert submitted(step).order_id == "memo-9-close.2"
    thrice = [of_group(S.NOT_SENT, copy=n) for n in range(1, TRIES + 1)]
    step = CLOSING.step(LONG, thrice)
    assert (step.commands, step.trouble) == ((), "memo-9-close is NOT_SENT")


def test_what_came_while_it_closed_is_closed_too() -> None:
    """A late execution of an entry that was cancelled: the first close was too small."""
    step = CLOSING.step(Decimal(3), [of_group(S.FILLED, filled=LONG)])
    again = submitted(step)
    assert (again.order_id, again.quantity) == ("memo-9-close.2", 3)


def test_nothing_is_sent_while_executions_are_still_to_come() -> None:
    told = of_group(S.FILLED, reported_filled=LONG)
    step = CLOSING.step(LONG, [told])
    assert (step.commands, step.waiting_for, step.is_over) == ((), (CLOSE,), False)

    step = CLOSING.step(LONG, bracket(target=S.CANCELLED))
    stop = msgspec.structs.replace(bracket(stop=S.CANCELLED)[2], reported_filled=Decimal(4))
    step = step.closing.step(LONG, [stop])
    assert (step.commands, step.waiting_for) == ((), ("memo-1-stop",))


def test_while_executions_of_an_exit_are_still_to_come_the_stop_stays() -> None:
    """What is held is not known yet; the same way out, a second time, would turn it round."""
    target, stop = bracket(target=S.FILLED, stop=S.PRESUBMITTED)[1:]
    target = msgspec.structs.replace(target, filled=FLAT, reported_filled=LONG)
    step = CLOSING.step(LONG, [target, stop])
    assert (step.commands, step.waiting_for) == ((), ("memo-1-target",))
    told = msgspec.structs.replace(target, heard=LONG)
    assert CLOSING.step(LONG, [told, stop]).waiting_for == ("memo-1-stop",)


def test_a_close_that_rests_may_be_left_alone_one_that_nobody_knows_of_may_not() -> None:
    for status, is_resting in ((S.SUBMITTED, True), (S.INACTIVE, True), (S.UNKNOWN, False)):
        for step in (
            CLOSING.step(LONG, [of_group(status)]),
            CLOSING.give_up(LONG, [of_group(status)], "too late"),
        ):
            assert (step.waiting_for, step.is_resting) == ((CLOSE,), is_resting)


def left_in_the_middle() -> Closing:
    """Return a closing whose stop is on record as taken away."""
    return CLOSING.step(LONG, bracket(target=S.CANCELLED)).closing


def test_a_closing_is_what_was_put_on_record() -> None:
    stop = bracket_specs()[2]
    request = CloseRequestEvent(
        at=AT, group_id=CLOSING.group_id, contract=AAPL, account=ACCOUNT, stop=stop
    )
    assert Closing.of(request) == msgspec.structs.replace(CLOSING, stop=stop)


def test_giving_up_puts_the_stop_back_once() -> None:
    over = bracket(target=S.CANCELLED, stop=S.CANCELLED)
    step = left_in_the_middle().give_up(LONG, over, "too late")
    assert submitted(step).order_id == "memo-9-stop"
    assert (step.is_over, step.trouble) == (True, "too late; its stop is put back")
    again = left_in_the_middle().give_up(
        LONG, [*over, of_group(S.REJECTED, role=OrderRole.STOP)], "x"
    )
    assert (again.commands, again.is_over, again.trouble) == ((), True, "x")
    unsent = left_in_the_middle().give_up(
        LONG, [*over, of_group(S.NOT_SENT, role=OrderRole.STOP)], "x"
    )
    assert submitted(unsent).order_id == "memo-9-stop.2"
    thrice = [of_group(S.NOT_SENT, copy=n, role=OrderRole.STOP) for n in range(1, TRIES + 1)]
    assert left_in_the_middle().give_up(LONG, [*over, *thrice], "x").commands == ()


def test_giving_up_waits_for_what_is_on_its_way() -> None:
    leaving = bracket(target=S.CANCELLED, stop=S.PENDING_CANCEL)
    step = left_in_the_middle().give_up(LONG, leaving, "too late")
    assert (step.commands, step.waiting_for, step.is_over) == ((), ("memo-1-stop",), False)


def test_giving_up_with_the_stop_still_there_changes_nothing() -> None:
    step = CLOSING.give_up(LONG, bracket(), "too late")
    assert (step.commands, step.is_over, step.trouble) == ((), True, "too late")
    assert CLOSING.give_up(FLAT, bracket(), "too late").trouble == ""


def test_of_several_stops_the_largest_is_remembered() -> None:
    small = msgspec.structs.replace(
        bracket_specs()[2], order_id=OrderId("memo-2-stop"), quantity=Decimal(2)
    )
    orders = [*bracket(target=S.CANCELLED), Order(spec=small, status=S.PRESUBMITTED)]
    step = CLOSING.step(Decimal(12), orders)
    assert cancels(step) == ["memo-1-stop", "memo-2-stop"]
    assert step.closing.stop is not None
    assert step.closing.stop.order_id == "memo-1-stop"


LIVE = [status for status in S if not status.is_closed]


@given(
    held=st.integers(-20, 20),
    target=st.sampled_from(list(S)),
    stop=st.sampled_from(list(S)),
    foreign=st.integers(0, 20),
)
def test_a_close_never_stands_beside_another_exit(
    held: int, target: S, stop: S, foreign: int
) -> None:
    """Whatever fills after the close went out, the position cannot turn round by our doing."""
    orders = bracket(target=target, stop=stop)
    side = Side.SELL if held > 0 else Side.BUY
    if foreign:
        orders.append(stranger(foreign, side))
    step = CLOSING.step(Decimal(held), orders)
    for command in step.commands:
        if isinstance(command, SubmitOrders):
            (close,) = command.orders
            assert not any(o.status in LIVE for o in orders if not o.is_foreign)
            assert close.quantity + foreign <= abs(held)
            assert close.side is side


def test_a_closing_order_is_cut_to_what_somebody_else_has_left() -> None:
    close = order(
        S.PARTIALLY_FILLED,
        role=OrderRole.CLOSE,
        order_id=CLOSE,
        side=Side.SELL,
        filled=Decimal(3),
    )
    assert CLOSING.step(Decimal(7), [close]).commands == ()
    step = CLOSING.step(Decimal(2), [close])
    (cut,) = step.commands
    assert isinstance(cut, ModifyOrder)
    assert (cut.order_id, cut.quantity) == (CLOSE, Decimal(5))
    assert (
        step.closing.step(Decimal(2), [close]).commands == ()
    )  # once; a refusal is not argued with
    assert step.closing.step(Decimal(1), [close]).commands != ()
    assert cancels(CLOSING.step(FLAT, [close])) == [CLOSE]
    hand = order(is_foreign=True, order_id=OrderId("foreign-1"), side=Side.SELL)
    assert cancels(CLOSING.step(Decimal(7), [close, hand])) == [CLOSE]
