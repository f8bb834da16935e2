"""`adopt` and `release`: a position handed to the desk, or taken from it, as it then stands."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ibkr_trader.cli import output
from ibkr_trader.cli.care_words import care_of
from ibkr_trader.cli.exits import Exit, UsageFault
from ibkr_trader.cli.order_view import order_document, orders_table
from ibkr_trader.cli.trading import desk_for, title, usage
from ibkr_trader.cli.wording import counted
from ibkr_trader.core.contracts import label, ticker
from ibkr_trader.core.text import price, quantity
from ibkr_trader.execution import caring
from ibkr_trader.execution.taking_over import take_over
from ibkr_trader.orders.cover_orders import Attach
from ibkr_trader.orders.exit_levels import Wanted
from ibkr_trader.orders.managed_trails import Trail
from ibkr_trader.orders.oco_orders import OCOOrderRequest
from ibkr_trader.orders.trailing_stops import TrailingStopConfig
from ibkr_trader.portfolio.caring import is_released
from ibkr_trader.portfolio.lost_orders import as_ours, unproven
from ibkr_trader.portfolio.protection import protection

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from decimal import Decimal

    from ibkr_trader.cli.face import Face
    from ibkr_trader.core.models import Order, OrderRequest, Position
    from ibkr_trader.execution.caring import Adoption
    from ibkr_trader.execution.desk import Desk


async def adopt(
    face: Face, symbol: str, wanted: Wanted, *, most: Decimal | None, timeout: float | None
) -> output.Reply:
    """Take a position over: protected as asked, and on record as looked after.

    Raises:
        NothingHeld, UsageFault: If there is nothing to look after, or not as it stands.
        TraderError: Whatever keeps its exits from being placed, or from being known.
    """
    async with desk_for(face, timeout=timeout) as desk:
        with _possible(), usage():
            found = await caring.prepare_adoption(desk.trader, symbol, wanted, most=most)
        if face.dry_run:
            return _would_adopt(face, desk, found)
        patience = timeout if timeout is not None else face.settings().timeout_seconds
        with usage():
            orders = await caring.adopt(desk.trader, found, timeout=patience)
        return _adopted(face, desk, found, orders)


async def adopt_orders(
    face: Face, symbol: str, perm_ids: Sequence[int], *, timeout: float | None
) -> output.Reply:
    """Take over orders of a lost journal by their permanent ids, as they stand; nothing is sent.

    Raises:
        CannotAdopt: If one is none of a lost journal of ours.
        TraderError: Whatever keeps the account from being known.
    """
    # Nothing may be cleared up on the way: they are taken as they are.
    async with desk_for(face, timeout=timeout, looks=True) as desk:
        with _possible():
            lost = await caring.prepare_orders(desk.trader, symbol, perm_ids)
        said = [
            f"{o.spec.reference}: {w}" for o in lost for w in unproven(desk.trader.portfolio, o)
        ]
        if not face.dry_run:
            taken = take_over(desk.trader, (o.order_id for o in lost), origin=caring.ORIGIN)
        else:
            taken = tuple(map(as_ours, lost))
        done = "would take over" if face.dry_run else "taken over"
        head = title(face.settings(), desk)
        blocks: list[str | output.Table] = [
            f"{head}  {done} {counted(len(taken), 'order')} of a lost journal; nothing was sent",
            orders_table(taken, utc=face.utc),
            *said,
        ]
        data = {
            "symbol": symbol,
            "sent": False,
            "orders": [order_document(order) for order in taken],
            "unproven": said,
        }
        return output.Reply(schema="taken_over/1", data=data, blocks=blocks)


async def release(face: Face, symbol: str, *, timeout: float | None) -> output.Reply:
    """Leave a position alone from now on, with every order of ours that belongs to it.

    Raises:
        NothingHeld, UsageFault: If there is nothing to leave alone, or not as it stands.
        TraderError: Whatever keeps the account from being known.
    """
    # Nothing may be cleared up on the way: it is given back untouched.
    async with desk_for(face, timeout=timeout, looks=True) as desk:
        head = title(face.settings(), desk)
        with _possible():
            if face.dry_run:
                held = await caring.position_of(desk.trader, symbol)
                words = f"{head}  would release {_size(held.quantity)} {label(held.contract)}"
                return _released(desk, held, [words, "Nothing was changed."])
            position = await caring.release(desk.trader, symbol)
        name, size = label(position.contract), _size(position.quantity)
        orders = _ours(desk, position)
        blocks: list[str | output.Table] = [f"{head}  released {size} {name}; nothing was sent"]
        if orders:
            blocks.append("These stay at the broker as they are, and nothing here moves them:")
            blocks.append(orders_table(orders, utc=face.utc))
        else:
            blocks.append("No order of ours belongs to it.")
        again = f"ibkr-trader adopt {ticker(position.contract)}"
        blocks.append(f"To have it looked after again: {again}")
        return _released(desk, position, blocks)


@contextmanager
def _possible() -> Iterator[None]:
    """Turn what stands against it into words of ours: nothing is broken."""
    try:
        yield
    except caring.CannotAdopt as error:
        raise UsageFault(error.message, hint=error.hint) from error


def _would_adopt(face: Face, desk: Desk, found: Adoption) -> output.Reply:
    name = label(found.position.contract)
    head = title(face.settings(), desk)
    lines: list[str | output.Table] = [f"{head}  would adopt {_size(found.held)} {name}"]
    request, size = found.request, quantity(found.size)
    lines.append(f"  {_COVERED if request is None else f'would place  {_words(request, size)}'}")
    if found.lost:
        lines.append(f"  would take over  {_lost(found)}")
    lines.append("Nothing was sent.")
    return output.Reply(
        schema="adopted/1", data=_document(desk, found, orders=(), sent=False), blocks=lines
    )


_COVERED = "stops end all of it already: they stay as they are"


def _lost(found: Adoption) -> str:
    return ", ".join(order.spec.reference for order in found.lost)


def _words(request: Attach | TrailingStopConfig | OCOOrderRequest, size: str) -> str:
    match request:
        case Attach(stop_price=at):
            return f"a stop for {size} at {price(at)}"
        case TrailingStopConfig():
            return f"a stop for {size} {_behind(request)}"
        case OCOOrderRequest(order_a=stop, order_b=target):
            where = _behind(stop) if stop.stop_price is None else f"at {price(stop.stop_price)}"
            return f"a stop for {size} {where}, and a target at {price(target.limit_price)}"


def _behind(wish: TrailingStopConfig | OrderRequest) -> str:
    trail = Trail(amount=wish.trail_amount, percent=wish.trail_percent)
    return f"that follows the market by {trail.words}"


def _adopted(face: Face, desk: Desk, found: Adoption, orders: tuple[Order, ...]) -> output.Reply:
    contract = found.position.contract
    head = title(face.settings(), desk)
    blocks: list[str | output.Table] = [f"{head}  adopted {_size(found.held)} {label(contract)}"]
    if found.lost:
        blocks.append(f"Taken over with it, as they stand: {_lost(found)}.")
    if orders:
        blocks.append(orders_table(orders, utc=face.utc))
    else:
        blocks.append(f"Nothing was sent: {_COVERED}.")
    data = _document(desk, found, orders=orders, sent=bool(orders))
    if not data["is_covered"]:
        blocks.append(f"NOT covered wholly. Next: ibkr-trader adopt {ticker(contract)} --stop 3%")
    blocks.append("Next: ibkr-trader positions  ibkr-trader cover")
    code = Exit.DONE if data["is_covered"] else Exit.INCOMPLETE
    return output.Reply(schema="adopted/1", data=data, blocks=blocks, exit=code)


def _document(
    desk: Desk, found: Adoption, *, orders: tuple[Order, ...], sent: bool
) -> dict[str, Any]:
    contract, portfolio = found.position.contract, desk.trader.portfolio
    guard = protection(found.position, portfolio.orders.values())
    return {
        "symbol": ticker(contract),
        "con_id": contract.con_id,
        "held": found.position.quantity,
        "adopted": found.held,
        "sent": sent,
        "orders": [order_document(order) for order in orders],
        "taken_over": [order.spec.reference for order in found.lost],
        "covered": guard.covered,
        "is_covered": guard.covered >= abs(found.held),
        "care": care_of(desk, contract.con_id),
    }


def _released(desk: Desk, position: Position, blocks: list[str | output.Table]) -> output.Reply:
    contract = position.contract
    data: dict[str, Any] = {
        "symbol": ticker(contract),
        "con_id": contract.con_id,
        "held": position.quantity,
        "orders": [order_document(order) for order in _ours(desk, position)],
        "released": is_released(desk.trader.portfolio, contract.con_id),
        "sent": False,
    }
    return output.Reply(schema="released/1", data=data, blocks=blocks)


def _ours(desk: Desk, position: Position) -> list[Order]:
    con_id = position.contract.con_id
    orders = desk.trader.portfolio.orders.values()
    return [o for o in orders if o.spec.contract.con_id == con_id and not o.is_foreign]


def _size(held: Decimal) -> str:
    return quantity(held, signed=True)
