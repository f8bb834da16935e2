"""What somebody may do at the desk, in the market, or by hand in TWS: each as one call."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from ibkr_trader.core.enums import OrderStatus, OrderType, Side, TimeInForce
from ibkr_trader.core.models import OrderRequest
from ibkr_trader.execution.closing import close_contract
from ibkr_trader.execution.placing import Wait, place, prepare
from ibkr_trader.execution.scaling import add, prepare_addition
from ibkr_trader.orders.bracket_orders import BracketOrderRequest
from ibkr_trader.orders.linked_orders import ScaleInRequest
from ibkr_trader.orders.oco_orders import OCOOrderRequest
from ibkr_trader.orders.trailing_stops import TrailingStopConfig
from tests.invariants.world import Added

if TYPE_CHECKING:
    from ibkr_trader.core.models import Order
    from ibkr_trader.orders.group import GroupRequest
    from tests.invariants.world import World

NAMES = {265598: "AAPL", 272093: "MSFT"}
WAIT = 20.0  # seconds of the exchange's that a deed waits for answers
CENT = Decimal("0.01")


def request(
    con_id: int, side: Side, quantity: int, *, kind: OrderType, price: Decimal | None = None
) -> OrderRequest:
    """Return the request for one order, good till cancelled unless it is for the market."""
    is_stop = kind is OrderType.STOP
    return OrderRequest(
        symbol=NAMES[con_id],
        side=side,
        quantity=Decimal(quantity),
        order_type=kind,
        limit_price=price if kind is OrderType.LIMIT else None,
        stop_price=price if is_stop else None,
        time_in_force=TimeInForce.DAY if kind is OrderType.MARKET else TimeInForce.GTC,
    )


def bracket(
    world: World, con_id: int, side: Side, quantity: int, *, away: int, limit: int | None = None
) -> None:
    """Enter, stop and target `away` percent off, at the market or `limit` percent below it."""
    mid = world.mid(con_id)
    sign, step = side.sign, mid * away / 100

    def at(price: Decimal) -> Decimal:
        return price.quantize(CENT)

    entry_at = at(mid - sign * mid * limit / 100) if limit is not None else None
    base = entry_at or mid
    kind = OrderType.LIMIT if entry_at is not None else OrderType.MARKET
    wanted = BracketOrderRequest(
        parent=request(con_id, side, quantity, kind=kind, price=entry_at),
        stop_loss=request(
            con_id, side.opposite, quantity, kind=OrderType.STOP, price=at(base - sign * step)
        ),
        take_profit=request(
            con_id, side.opposite, quantity, kind=OrderType.LIMIT, price=at(base + sign * step)
        ),
    )
    world.do(world.desk.submit_group(wanted))


def close(world: World, con_id: int) -> None:
    """Close what is held."""
    trader = world.trader
    position = trader.portfolio.positions.get(con_id) if trader is not None else None
    if trader is not None and position is not None:
        world.bared.add(con_id)  # its stop goes first, on purpose
        world.do(close_contract(trader, position.contract, timeout=WAIT))


def cancel(world: World, order: Order) -> None:
    """Take an order back, as a person at the desk."""
    if order.spec.role.is_protective:
        world.bared.add(order.spec.contract.con_id)
    world.do(world.desk.cancel_order(order.order_id))


def tighten(world: World, order: Order) -> None:
    """Move a stop half way to the market."""
    stop = order.spec.stop_price
    if stop is not None:
        nearer = (stop + (world.mid(order.spec.contract.con_id) - stop) / 2).quantize(CENT)
        asked = order.desired.stop_price if order.desired is not None else None
        if (nearer - (asked or stop)) * order.spec.side.sign > 0:
            world.widened.add(order.order_id)  # the market is through, or has turned
        world.do(world.desk.modify_order(order.order_id, stop_price=nearer))


def halt(world: World, *, symbol: str = "", keeps_entries: bool = False) -> None:
    """Halt everything, or one symbol."""
    assert world.trader is not None
    world.trader.halter.stop(
        "a bad feeling", origin="cli", symbol=symbol, keeps_entries=keeps_entries
    )
    world.run(0)


def flatten(world: World) -> None:
    """Halt everything, and close all that is held."""
    assert world.trader is not None
    world.bared |= world.trader.portfolio.positions.keys()  # their stops go first, on purpose
    world.bared |= {o.spec.contract.con_id for o in world.trader.portfolio.orders.values()}
    world.trader.halter.stop("enough", origin="cli", flatten=True)
    world.run(0)


def resume(world: World) -> None:
    """End every halt."""
    assert world.trader is not None
    for symbol in tuple(world.trader.outlook.book.switch.held):
        world.trader.halter.resume("looked at it", origin="cli", symbol=symbol)
    world.run(0)


def is_halted(world: World) -> bool:
    """Whether anything is halted, as the trader knows."""
    return world.trader is not None and bool(world.trader.outlook.book.switch.held)


def live(world: World) -> list[Order]:
    """Return our orders that the trader believes can be changed, oldest first."""
    if world.trader is None:
        return []
    fixed = (OrderStatus.PENDING_CANCEL, OrderStatus.PENDING, OrderStatus.UNKNOWN)
    orders = world.trader.portfolio.orders.values()
    return [o for o in orders if not o.is_foreign and o.status not in fixed]


def oco_entries(world: World, con_id: int, quantity: int, *, away: int) -> None:
    """Wait to enter long below the market or short above it, whichever comes first."""
    mid = world.mid(con_id)
    step = mid * away / 200
    legs = (
        request(
            con_id,
            side,
            quantity,
            kind=OrderType.LIMIT,
            price=(mid - side.sign * step).quantize(CENT),
        )
        for side in (Side.BUY, Side.SELL)
    )
    order_a, order_b = legs
    world.bared.add(con_id)  # nothing protects what it opens
    submit(world, OCOOrderRequest(order_a=order_a, order_b=order_b))


def oco_exits(world: World, con_id: int, *, away: int) -> None:
    """Give what is held a target and a stop."""
    held = int(world.exchange.state().held.get(con_id, 0))
    if not held:
        return
    side = Side.SELL if held > 0 else Side.BUY
    mid = world.mid(con_id)
    step = mid * away / 100 * side.sign  # SELL: sign -1, so the target is above
    target, stop = (mid - step).quantize(CENT), (mid + step).quantize(CENT)
    order_a = request(con_id, side, abs(held), kind=OrderType.LIMIT, price=target)
    order_b = request(con_id, side, abs(held), kind=OrderType.STOP, price=stop)
    submit(world, OCOOrderRequest(order_a=order_a, order_b=order_b))


def trail(world: World, con_id: int, *, percent: int, is_managed: bool) -> None:
    """Let a stop follow the market behind what is held."""
    held = int(world.exchange.state().held.get(con_id, 0))
    if held:
        config = TrailingStopConfig(
            symbol=NAMES[con_id],
            quantity=Decimal(abs(held)),
            trail_percent=Decimal(percent),
            is_managed=is_managed,
        )
        submit(world, config)


def submit(world: World, wanted: GroupRequest) -> None:
    """Prepare and place a group of any kind."""
    trader = world.trader
    assert trader is not None

    async def deed() -> None:
        prepared = await prepare(trader, wanted)
        await place(trader, prepared, wait=Wait.ACCEPTED, timeout=WAIT)

    world.do(deed())


def scale_in(world: World, con_id: int, quantity: int) -> None:
    """Add to what is held; the exits are to follow."""
    trader = world.trader
    assert trader is not None
    world.additions.append(Added(con_id, Decimal(quantity), world.clock.now()))

    async def deed() -> None:
        wanted = ScaleInRequest(symbol=NAMES[con_id], quantity=Decimal(quantity))
        addition = await prepare_addition(trader, wanted)
        await add(trader, addition, wait=Wait.ACCEPTED, timeout=WAIT)

    world.do(deed())
