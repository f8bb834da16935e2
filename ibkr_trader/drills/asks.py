"""What a story asks the desk for, around the price at which its market began.

Prices are percentages of that one, so a story plays at any stock.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from ibkr_trader.core.enums import OrderRole, OrderType, Side, TimeInForce
from ibkr_trader.core.errors import RiskCheckError
from ibkr_trader.core.models import OrderRequest
from ibkr_trader.drills.judges import Wish
from ibkr_trader.drills.scene import Skipped
from ibkr_trader.execution.placing import Wait, place, prepare
from ibkr_trader.orders.bracket_orders import BracketOrderRequest
from ibkr_trader.orders.oco_orders import OCOOrderRequest

if TYPE_CHECKING:
    from collections.abc import Awaitable, Iterable

    from ibkr_trader.core.models import OrderSpec
    from ibkr_trader.drills.scene import Scene
    from ibkr_trader.orders.group import GroupRequest

_OPENS = frozenset({OrderRole.ENTRY, OrderRole.SINGLE})
_KINDS = {
    (False, False): OrderType.MARKET,
    (True, False): OrderType.LIMIT,
    (False, True): OrderType.STOP,
}
# Checks that deny because of how the desk stands, whatever the settings say.
_NO_SETTING = frozenset({"knowledge", "drift", "tick", "command_form", "order_form"})
STOP, TARGET, REST = Decimal(-3), Decimal(3), Decimal("-0.6")  # percent from the beginning


def level(scene: Scene, percent: Decimal) -> Decimal:
    """Return a price so many percent from where the market began."""
    return round(scene.base * (100 + percent) / 100, 2)


def single(
    scene: Scene,
    side: Side = Side.BUY,
    *,
    limit: Decimal | None = None,
    stop: Decimal | None = None,
    quantity: int | None = None,
) -> OrderRequest:
    """Return one order: at a limit, at a stop, each in percent, or at the market."""
    return OrderRequest(
        symbol=scene.symbol,
        side=side,
        quantity=Decimal(scene.size if quantity is None else quantity),
        order_type=_KINDS[limit is not None, stop is not None],
        limit_price=None if limit is None else level(scene, limit),
        stop_price=None if stop is None else level(scene, stop),
    )


def bracket(scene: Scene, *, limit: Decimal | None = None) -> BracketOrderRequest:
    """Return an entry, at the market or resting, with a stop below and a target above it."""
    return BracketOrderRequest(
        parent=single(scene, limit=limit),
        stop_loss=single(scene, Side.SELL, stop=STOP),
        take_profit=single(scene, Side.SELL, limit=TARGET),
        exit_time_in_force=TimeInForce.GTC,
    )


def either(scene: Scene) -> OCOOrderRequest:
    """Return two entries of which one trades: buy below, or sell short above."""
    return OCOOrderRequest(
        order_a=single(scene, limit=STOP), order_b=single(scene, Side.SELL, limit=TARGET)
    )


async def ask(scene: Scene, request: GroupRequest | OrderRequest, *, wait: Wait) -> None:
    """Ask the desk for orders, as a command does.

    Raises:
        TraderError: As `place`.
    """
    prepared = await scene.doing(prepare(scene.trader, request))
    scene.evidence.asked.update(_wishes(prepared.command.orders))
    patience = 30.0
    await scene.doing(place(scene.trader, prepared, wait=wait, timeout=patience))


async def held_bracket(scene: Scene) -> None:
    """Begin with a position under a bracket: bought at the market, its exits at the broker.

    Raises:
        Skipped: If the settings do not allow it.
    """
    await begin(ask(scene, bracket(scene), wait=Wait.FILLED))
    stop, target = level(scene, STOP), level(scene, TARGET)
    scene.did(f"{scene.size} {scene.symbol} bought, stop {stop}, target {target}")


async def resting_bracket(scene: Scene) -> None:
    """Begin with an entry that waits below the market, its exits with it.

    Raises:
        Skipped: If the settings do not allow it.
    """
    await begin(ask(scene, bracket(scene, limit=REST), wait=Wait.ACCEPTED))
    price, stop = level(scene, REST), level(scene, STOP)
    scene.did(f"a bracket is placed: {scene.size} {scene.symbol} at {price}, stop {stop}")


async def partly_filled_bracket(scene: Scene) -> int:
    """Begin with an entry of which a part has filled; return how many shares of it.

    Raises:
        Skipped: If the settings do not allow it.
    """
    await resting_bracket(scene)
    part = scene.size * 4 // 10
    await scene.floor.trade("entry", quantity=part)
    scene.did(f"{part} of {scene.size} are filled")
    await scene.gateway.wait(3, step=0.25)
    return part


async def first_bracket(scene: Scene) -> str:
    """Begin with a bracket that waits below the market; return why it fails, if it does.

    Raises:
        Skipped: If the settings do not allow it.
    """
    return await scene.trying(begin(ask(scene, bracket(scene, limit=REST), wait=Wait.ACCEPTED)))


async def another_bracket(scene: Scene) -> str:
    """Ask for a bracket that waits below the market; return why it is denied, if it is."""
    why = await scene.trying(ask(scene, bracket(scene, limit=REST), wait=Wait.ACCEPTED))
    scene.did(f"a bracket is asked for: {why or 'it is sent'}")
    return why


async def begin(work: Awaitable[object]) -> None:
    """Do what a drill needs before anything goes wrong.

    Raises:
        Skipped: If the settings do not allow it, in the words of the denial.
        RiskCheckError: If it is denied for what no setting asks for: then something is wrong.
    """
    try:
        await work
    except RiskCheckError as error:
        if any(one.check in _NO_SETTING for one in error.breaches):
            raise
        raise Skipped(error.message) from error


def _wishes(orders: Iterable[OrderSpec]) -> list[Wish]:
    return [
        Wish(
            one.contract.symbol,
            one.side.value,
            one.quantity,
            one.limit_price or None,
            one.stop_price or None,
        )
        for one in orders
        if one.role in _OPENS
    ]
