"""What is to be done about exits that fit no position, and about positions without a stop.

The same rules as the guardian's (`orders/cover_rules.py`), asked once and without a delay: what
it does by itself where it may is here a step that waits for a person.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from ibkr_trader.core.commands import CancelOrder, ModifyOrder
from ibkr_trader.core.contracts import label, ticker
from ibkr_trader.core.ids import short_id
from ibkr_trader.core.text import price, quantity
from ibkr_trader.orders.cover_orders import Attach, Policy
from ibkr_trader.orders.cover_rules import doubt, looked_after, remedy, trimming
from ibkr_trader.orders.cover_scene import Watch
from ibkr_trader.orders.cover_surplus import cuts
from ibkr_trader.orders.coverage import coverage
from ibkr_trader.orders.members import traded
from ibkr_trader.portfolio.fingerprint import in_words
from ibkr_trader.portfolio.plan_steps import PlanStep, StepKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from decimal import Decimal

    from ibkr_trader.core.models import Order
    from ibkr_trader.orders.cover_scene import Scene, Terms
    from ibkr_trader.orders.cover_surplus import Cut


_AFTERWARDS = "it is planned once the exits fit"


def cover_steps(scene: Scene, terms: Terms) -> Iterator[PlanStep]:
    """Yield what brings the exits of one contract to what is held of it.

    What must make room goes first: where anything is too large, a stop that is missing is told at
    once, by the exits as they will be, and planned once they are.
    """
    if scene.is_left_alone:
        return
    found = cuts(scene.held, scene.orders, terms.known.exits)
    for cut in found:
        yield _cut(scene, cut)
    yield from _bare(_as_cut(scene, found), terms, is_cut=bool(found))


def _as_cut(scene: Scene, found: Iterable[Cut]) -> Scene:
    """Return the contract as it will be once what is too large was taken away."""
    left = {cut.order.order_id: cut.left for cut in found}
    orders = (_left_of(order, left.get(order.order_id)) for order in scene.orders)
    return scene._replace(orders=tuple(order for order in orders if order is not None))


def _left_of(order: Order, left: Decimal | None) -> Order | None:
    if left is None:
        return order
    spec = msgspec.structs.replace(order.spec, quantity=traded(order) + left)
    return msgspec.structs.replace(order, spec=spec, desired=None) if left else None


def _cut(scene: Scene, cut: Cut) -> PlanStep:
    order, command = cut.order, trimming(cut)
    name = short_id(order.order_id)
    if not cut.left:
        kind, held = StepKind.CANCEL, quantity(abs(scene.held))
        why = f"{held} held, and other exits end that" if scene.held else "nothing is held"
        words = f"cancel orphan {name}  {in_words(order)}: {why}"
    else:
        kind, size = StepKind.RESIZE, quantity(traded(order) + cut.left)
        words = f"resize {name} {quantity(order.spec.quantity)} -> {size}"
        if command is None:
            words += ": not now, the broker has not confirmed it yet"
    return PlanStep(
        id=f"{kind}-{name}",
        kind=kind,
        symbol=label(scene.contract),
        words=words,
        action=command,
        orders=(order.order_id,),
    )


def _bare(scene: Scene, terms: Terms, *, is_cut: bool) -> Iterator[PlanStep]:
    """What follows from a part that no stop would end, if it is ours to look after.

    Beside an exit that `is_cut` nothing is placed or changed for it: how much room there is for
    a stop is certain once the broker has confirmed that.
    """
    stands = coverage(scene.held, scene.orders, mark=scene.mark)
    size = min(stands.naked, looked_after(scene, terms.rules) - stands.covered)
    if size <= 0:
        return
    why = doubt(scene, Watch(), terms)
    if is_cut and not why:
        why = _AFTERWARDS if terms.rules.policy is Policy.ATTACH else ""
    elif terms.rules.policy is Policy.ATTACH and not why:
        action, why = remedy(scene, size, terms)
        if isinstance(action, CancelOrder | ModifyOrder | Attach):
            yield _remedied(scene, action, why)
            return
    yield _naked(scene, size, why, policy=terms.rules.policy)


def _remedied(scene: Scene, action: CancelOrder | ModifyOrder | Attach, why: str) -> PlanStep:
    symbol, con_id = label(scene.contract), scene.contract.con_id
    if isinstance(action, Attach):
        words = f"stop {action.side} {quantity(action.quantity)} at {price(action.stop_price)}"
        return PlanStep(
            id=f"{StepKind.STOP}-{symbol}",
            kind=StepKind.STOP,
            symbol=symbol,
            words=words,
            action=action,
            con_id=con_id,
        )
    kind = StepKind.CANCEL if isinstance(action, CancelOrder) else StepKind.RESIZE
    name = short_id(action.order_id)
    return PlanStep(
        id=f"{kind}-{name}",
        kind=kind,
        symbol=symbol,
        words=_changed(_order(scene, action), action, why),
        action=action,
        orders=(action.order_id,),
        con_id=con_id,
    )


def _changed(order: Order, action: CancelOrder | ModifyOrder, why: str) -> str:
    name = short_id(order.order_id)
    if isinstance(action, CancelOrder):
        return f"cancel {name}  {in_words(order)}: {why}"
    size = action.quantity or order.spec.quantity
    return f"resize {name} {quantity(order.spec.quantity)} -> {quantity(size)}"


def _order(scene: Scene, action: CancelOrder | ModifyOrder) -> Order:
    return next(order for order in scene.orders if order.order_id == action.order_id)


def _naked(scene: Scene, size: Decimal, why: str, *, policy: Policy) -> PlanStep:
    symbol = label(scene.contract)
    words = f"{quantity(size)} of {quantity(abs(scene.held))} {symbol} without a working stop"
    closes = policy is Policy.FLATTEN
    return PlanStep(
        id=f"{StepKind.NAKED}-{symbol}",
        kind=StepKind.NAKED,
        symbol=symbol,
        words=f"{words}: {why}" if why else words,
        next=f"ibkr-trader {f'close {ticker(scene.contract)}' if closes else 'cover --fix'}",
        con_id=scene.contract.con_id,
    )
