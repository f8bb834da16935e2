"""The orders of a command hang together, and a change is of an order that can be changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibkr_trader.core.commands import ModifyOrder, SubmitOrders
from ibkr_trader.core.enums import OrderRole, OrderStatus
from ibkr_trader.core.errors import WHAT_BECAME_OF_IT
from ibkr_trader.core.events import Breach
from ibkr_trader.risk.check import Binds, check
from ibkr_trader.risk.gauges import rule
from ibkr_trader.risk.proposal import changed_spec

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ibkr_trader.core.models import Order, OrderId, OrderSpec
    from ibkr_trader.risk.proposal import Proposal
    from ibkr_trader.risk.view import RiskView

_UNCHANGEABLE = {
    OrderStatus.UNKNOWN: "nobody knows whether it was sent",
    OrderStatus.PENDING_CANCEL: "it is being cancelled",
}


@check(
    "command_form", Binds.ALL, gauge=rule("command_form", "the orders of a command hang together")
)
def command_form(proposal: Proposal, view: RiskView) -> Iterator[Breach]:
    """Deny commands that cannot be carried out as a whole."""
    if isinstance(proposal.command, SubmitOrders):
        yield from _submission(proposal.command, view)
    else:
        yield from _modification(proposal.command, view)


def _breach(message: str, actual: object = "", hint: str = "") -> Breach:
    return Breach(check="command_form", message=message, actual=str(actual), hint=hint)


def _submission(submit: SubmitOrders, view: RiskView) -> Iterator[Breach]:
    if not submit.orders:
        yield _breach("The command has no orders.")
    earlier: dict[OrderId, OrderSpec] = {}
    numbers: set[int] = set()
    for spec in submit.orders:
        # An order id is used once, ever: that is what makes a repeat recognisable.
        if spec.order_id in earlier or view.portfolio.order(spec.order_id) is not None:
            yield _breach(f"The order id {spec.order_id} is already in use.", spec.order_id)
        if spec.broker_order_id in numbers:
            yield _breach(f"Two orders have the broker order id {spec.broker_order_id}.")
        if spec.group_id != submit.group_id:
            yield _breach(f"Order {spec.order_id} is of another group, {spec.group_id}.")
        if spec.parent_id is not None:
            yield from _parentage(spec, earlier, view)
        if spec.oca_group:
            yield from _alternatives(spec, earlier, view)
        earlier[spec.order_id] = spec
        if spec.broker_order_id:
            numbers.add(spec.broker_order_id)


def _parentage(
    spec: OrderSpec, earlier: dict[OrderId, OrderSpec], view: RiskView
) -> Iterator[Breach]:
    parent = earlier.get(spec.parent_id) if spec.parent_id is not None else None
    if parent is None:
        order = view.portfolio.orders.get(spec.parent_id) if spec.parent_id is not None else None
        parent = order.spec if order is not None else None
    if parent is None:
        yield _breach(f"Order {spec.order_id} hangs from {spec.parent_id}, which does not work.")
    elif parent.contract.con_id != spec.contract.con_id:
        yield _breach(f"Order {spec.order_id} hangs from an order in another contract.")


def _alternatives(
    spec: OrderSpec, earlier: dict[OrderId, OrderSpec], view: RiskView
) -> Iterator[Breach]:
    """One group is of one kind, and never of an entry and an exit: the one would end the other."""
    there = view.portfolio.orders
    beside = view.exposure.contract(spec.contract).working  # no group spans two contracts
    working = [there[one.order_id].spec for one in beside if one.order_id in there]
    for other in (*earlier.values(), *working):
        if other.oca_group != spec.oca_group:
            continue
        if other.oca_type not in {None, spec.oca_type}:  # TWS may not tell it
            yield _breach(
                f"Order {spec.order_id} joins the group {spec.oca_group} as {spec.oca_type}, "
                f"and {other.order_id} is in it as {other.oca_type}.",
                spec.oca_type,
            )
        entry, exit_ = (spec, other) if other.role.is_protective else (other, spec)
        if entry.role is OrderRole.ENTRY and exit_.role.is_protective:
            yield _breach(
                f"The entry {entry.order_id} and the exit {exit_.order_id} are of one group: "
                "when the one trades, the other would go.",
                spec.oca_group,
            )


def _modification(modify: ModifyOrder, view: RiskView) -> Iterator[Breach]:
    order = view.portfolio.orders.get(modify.order_id)
    if order is None or order.status.is_closed:
        yield _breach(
            f"There is no working order {modify.order_id}.", modify.order_id, "ibkr-trader orders"
        )
    else:
        yield from _target(order, modify)


def _target(order: Order, modify: ModifyOrder) -> Iterator[Breach]:
    name = order.order_id
    if order.is_foreign:
        yield _breach(
            f"Order {name} was not placed here, so it is not changed here.", name, "use TWS"
        )
    if order.status in _UNCHANGEABLE:
        why = _UNCHANGEABLE[order.status]
        is_unknown = order.status is OrderStatus.UNKNOWN
        hint = WHAT_BECAME_OF_IT if is_unknown else "ibkr-trader orders"
        yield _breach(f"Order {name} cannot be changed: {why}.", order.status, hint)
    if changed_spec(order, modify) == (order.desired or order.spec):
        yield _breach(f"Order {name} already has these terms.", name, "give what is to change")
