"""Exits that the broker sends by itself shortly before the close, whoever is still awake.

A timed exit beside another exit could trade twice, and the broker cannot be told to only
reduce. So each joins the one-cancels-all group of the exits that it backs: whichever
trades first ends the others, on the broker's side. Exits that are in no group cannot be
joined, and then nothing is placed and the reason is given. What no exit covers gets one of
its own.

The plan is derived from how things stand, so it can be made again at any time: what is as
it should be is kept, a size is changed in place, everything else is replaced.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from ibkr_trader.core.commands import CancelOrder, Command, ModifyOrder, SubmitOrders
from ibkr_trader.core.enums import OcaType, OrderRole, OrderType, Side, TimeInForce
from ibkr_trader.core.ids import make_order_id, parse_order_id
from ibkr_trader.core.models import Contract, GroupId, Order, OrderId, OrderSpec

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

KIND = "timed"
_MOST_COPIES = 99  # that an order id has room for


class Held(NamedTuple):
    """The position whose end is planned: `quantity` is signed."""

    contract: Contract
    account: str
    quantity: Decimal


class TimedPlan(NamedTuple):
    """What to do so that the broker ends the position by itself.

    Attributes:
        commands: To be routed in order; those that cancel come first.
        kept: Timed exits that are as they should be.
        cancelled: Those that are taken back: wait for it before the others go out.
        trouble: Why nothing can be placed, in plain words.
    """

    commands: tuple[Command, ...] = ()
    kept: tuple[OrderId, ...] = ()
    cancelled: tuple[OrderId, ...] = ()
    trouble: str = ""


class _Want(NamedTuple):
    """One timed exit as it should be; `home` is its id in the bracket that it belongs to."""

    oca_group: str
    oca_type: OcaType | None
    quantity: Decimal
    home: OrderId | None = None


def plan_timed_exits(
    held: Held,
    orders: Iterable[Order],
    *,
    at: datetime,
    group_id: GroupId,
    families: Mapping[GroupId, tuple[OrderId, ...]] = MappingProxyType({}),
) -> TimedPlan:
    """Return how `held` gets its timed exits at `at` (UTC).

    Args:
        held: What is to be ended.
        orders: Every order that may still trade; those of other contracts are ignored.
        at: When the broker is to send them.
        group_id: A fresh group, for the ids of new ones.
        families: Every order that each group of ours has had.
    """
    mine = [o for o in orders if o.spec.contract.con_id == held.contract.con_id]
    ours = [o for o in mine if not o.is_foreign]
    timed = [o for o in ours if o.spec.role is OrderRole.TIMED]
    exits = [o for o in mine if o not in timed and o.spec.side.sign * held.quantity < 0]
    loose = [o.order_id for o in exits if not o.spec.oca_group]
    if loose:
        trouble = (
            f"{', '.join(loose)} would close it too, and is in no one-cancels-all group that a "
            "timed exit could join"
        )
        return _taken_back(timed, trouble)
    wants = _wants(held, exits, families)
    return _fitted(held, timed, wants, at=at, group_id=group_id)


def _wants(
    held: Held, exits: list[Order], families: Mapping[GroupId, tuple[OrderId, ...]]
) -> list[_Want]:
    """One for each group of exits, as large as it, and one for what no exit covers."""
    left, wants = abs(held.quantity), list[_Want]()
    for name in dict.fromkeys(o.spec.oca_group for o in exits):
        members = [o for o in exits if o.spec.oca_group == name]
        size = min(left, max(o.remaining for o in members))
        if size > 0:
            home = _home(members, families)
            wants.append(_Want(name, members[0].spec.oca_type, size, home))
            left -= size
    return [*wants, _Want("", None, left)] if left > 0 else wants


def _home(members: list[Order], families: Mapping[GroupId, tuple[OrderId, ...]]) -> OrderId | None:
    """The id that makes it one of a bracket's exits, so that the bracket knows of its end.

    A bracket with several stops tells its exits apart by their numbers: there it stays alone.
    """
    groups = {order.spec.group_id for order in members if order.spec.parent_id}
    if len(groups) != 1 or not all(order.spec.parent_id for order in members):
        return None
    (group_id,) = groups
    kin = [ref for one in families.get(group_id, ()) if (ref := parse_order_id(one)) is not None]
    copy = 1 + max((ref.copy for ref in kin if ref.role is OrderRole.TIMED), default=0)
    if sum(ref.role is OrderRole.STOP for ref in kin) != 1 or copy > _MOST_COPIES:
        return None
    return make_order_id(group_id, OrderRole.TIMED, copy=copy)


def _fitted(
    held: Held, timed: list[Order], wants: list[_Want], *, at: datetime, group_id: GroupId
) -> TimedPlan:
    side = Side.closing(held.quantity)
    resized: list[Command] = []
    kept: list[OrderId] = []
    missing: list[_Want] = []
    spare = list(timed)
    for want in wants:
        found = next((o for o in spare if _serves(o, want, side=side, at=at)), None)
        if found is None:
            missing.append(want)
            continue
        spare.remove(found)
        kept.append(found.order_id)
        if found.remaining != want.quantity:
            size = want.quantity + found.filled
            resized.append(ModifyOrder(order_id=found.order_id, quantity=size, origin=KIND))
    placed = [
        _submit(held, want, side=side, at=at, order_id=want.home or _id(group_id, number))
        for number, want in enumerate(missing, start=1)
    ]
    back = _taken_back(spare)
    return back._replace(commands=(*back.commands, *resized, *placed), kept=tuple(kept))


def _serves(order: Order, want: _Want, *, side: Side, at: datetime) -> bool:
    spec = order.spec
    return (spec.oca_group, spec.side, spec.good_after) == (want.oca_group, side, at)


def _taken_back(timed: list[Order], trouble: str = "") -> TimedPlan:
    cancels = tuple(
        CancelOrder(
            order_id=order.order_id, broker_order_id=order.spec.broker_order_id, origin=KIND
        )
        for order in timed
    )
    gone = tuple(order.order_id for order in timed)
    return TimedPlan(commands=cancels, cancelled=gone, trouble=trouble)


def _id(group_id: GroupId, number: int) -> OrderId:
    return make_order_id(group_id, OrderRole.TIMED, copy=number)


def _submit(
    held: Held, want: _Want, *, side: Side, at: datetime, order_id: OrderId
) -> SubmitOrders:
    group_id = GroupId(order_id.rpartition("-")[0])
    spec = OrderSpec(
        order_id=order_id,
        group_id=group_id,
        role=OrderRole.TIMED,
        contract=held.contract,
        account=held.account,
        side=side,
        quantity=want.quantity,
        order_type=OrderType.MARKET,
        time_in_force=TimeInForce.DAY,
        good_after=at,
        oca_group=want.oca_group,
        oca_type=want.oca_type,
    )
    return SubmitOrders(group_id=group_id, orders=(spec,), kind=KIND, origin=KIND, reduces=True)
