"""`trail`: a stop that rests already is let follow the market, or stays where it is again."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec

from ibkr_trader.cli import chosen, output
from ibkr_trader.cli.exits import UsageFault
from ibkr_trader.cli.order_view import order_document, sentence
from ibkr_trader.cli.stopping import ORIGIN
from ibkr_trader.cli.trading import desk_for, title
from ibkr_trader.core.ids import short_id
from ibkr_trader.core.text import price
from ibkr_trader.execution.placing import QUOTE_TIMEOUT
from ibkr_trader.orders.managed_trails import Trail, banded

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ibkr_trader.cli.face import Face
    from ibkr_trader.core.models import Order, OrderId
    from ibkr_trader.execution.desk import Desk

_PER_CENT = Decimal(100)
_ALONE = "It is tightened by a running trader: ibkr-trader run"


async def let_trail(
    face: Face, order_id: str, wish: Trail | None, *, timeout: float | None
) -> output.Reply:
    """Let one stop follow the market; without a wish, end that.

    Raises:
        UsageFault: If it is no plain stop of ours that ends a position, or does not trail.
        TraderError: Whatever keeps it from being known.
    """
    async with desk_for(face, timeout=timeout) as desk:
        order = chosen.the_one(desk, order_id, is_stop=True)
        head, name = title(face.settings(), desk), short_id(order.order_id)
        trails = desk.trader.trails
        if wish is None:
            text = f"{name} stays at {price(order.spec.stop_price)} from now on"
            if trails.plan(order.order_id) is None:
                raise UsageFault(f"{name} does not trail", hint="ibkr-trader orders")
            if not face.dry_run:
                trails.end(order, origin=ORIGIN)
            return _reply(face, order, f"{head}  {text}", plan={})
        if fault := trails.fault(order):
            raise UsageFault(fault, hint="ibkr-trader orders")
        trail = await _trail(desk, order, wish)
        if not face.dry_run:
            trails.let(order, trail, origin=ORIGIN)
        blocks = [f"{head}  {name} follows the market by {wish.words}: {sentence(order.spec)}"]
        if face.trader is None:
            blocks.append(_ALONE)
        return _reply(face, order, *blocks, plan=trail.plan())


def trailed(desk: Desk, orders: Iterable[Order]) -> dict[OrderId, Trail]:
    """Return which of the orders a trader moves behind the market, and how."""
    found = ((order.order_id, desk.trader.trails.following(order)) for order in orders)
    return {order_id: trail for order_id, trail in found if trail is not None}


def trail_words(trail: Trail) -> str:
    """Return that a stop is trailed, and by how much."""
    begins = "" if trail.activation is None else f" from {price(trail.activation)} on"
    return f"trailed by the trader, {trail.words} behind{begins}"


def trail_document(trail: Trail | None) -> dict[str, Any] | None:
    """Return how a stop is trailed, as a script reads it."""
    if trail is None:
        return None
    return {
        "trail_amount": trail.amount,
        "trail_percent": trail.percent,
        "activation_price": trail.activation,
    }


async def _trail(desk: Desk, order: Order, wish: Trail) -> Trail:
    """Return the trail, with the contract's own price steps.

    Raises:
        UsageFault: If the stop would stay further behind than the price is high.
    """
    contract = order.spec.contract
    quote = await desk.trader.study(contract, timeout=QUOTE_TIMEOUT, opens=False)
    mark = quote.mark if quote is not None else None
    most = _PER_CENT if wish.amount is None else mark
    figure = wish.percent if wish.amount is None else wish.amount
    if figure is not None and most is not None and figure >= most:
        raise UsageFault(f"a stop cannot stay {wish.words} behind the market")
    details = desk.trader.outlook.details(contract.con_id)
    bands = banded(details.bands if details is not None else ())
    return msgspec.structs.replace(wish, bands=bands)


def _reply(face: Face, order: Order, *blocks: str, plan: dict[str, str]) -> output.Reply:
    said = [*blocks, *(["Nothing was changed."] if face.dry_run else [])]
    data = {
        "order": order_document(order),
        "trail_percent": plan.get("trail_percent"),
        "trail_amount": plan.get("trail_amount"),
        "sent": not face.dry_run,
    }
    return output.Reply(schema="trail/1", data=data, blocks=[*said])
