"""Orders that look after each other: `trailing-stop` and `oco-order`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ibkr_trader.cli import values
from ibkr_trader.cli.exits import UsageFault
from ibkr_trader.cli.face import FAMILIES, Face, command
from ibkr_trader.cli.families.orders import (
    PANEL,
    OutsideOption,
    PreviewOption,
    QuantityOption,
    SymbolOption,
    TimeoutOption,
)
from ibkr_trader.cli.output import Reply
from ibkr_trader.core.enums import OcaType, OrderType, Side, TimeInForce
from ibkr_trader.core.models import OrderRequest

if TYPE_CHECKING:
    from decimal import Decimal

app = FAMILIES.register("linked")(typer.Typer())

_LEG = "sell:limit:155:5"
_LEG_TYPES = (OrderType.LIMIT, OrderType.STOP, OrderType.TRAIL)
_SHORTEST, _LONGEST = 3, 4  # the parts of a leg, without and with its quantity
_FEWEST = 2  # legs


@command(
    app,
    "trailing-stop",
    panel=PANEL,
    example="ibkr-trader trailing-stop --symbol AAPL --quantity 10 --trail-percent 2.0",
    changes=True,
    together=True,
)
async def trailing_stop(
    face: Face,
    *,
    symbol: SymbolOption,
    quantity: QuantityOption,
    trail_percent: Annotated[
        str,
        typer.Option("--trail-percent", metavar="PCT", help="How far it stays behind, in percent."),
    ] = "",
    trail_amount: Annotated[
        str, typer.Option("--trail-amount", metavar="PRICE", help="The same, as an amount.")
    ] = "",
    side: Annotated[
        str,
        typer.Option(
            "--side", metavar="SIDE", help="sell or buy (the rule: what ends what is held)."
        ),
    ] = "",
    activation_price: Annotated[
        str,
        typer.Option(
            "--activation-price", metavar="PRICE", help="Follow only once the market is there."
        ),
    ] = "",
    stop: Annotated[
        str,
        typer.Option("--stop", metavar="PRICE", help="Where it begins (the rule: the trail away)."),
    ] = "",
    managed: Annotated[
        bool,
        typer.Option("--managed", help="A plain stop at IBKR, tightened by a running trader."),
    ] = False,
    tif: Annotated[
        str, typer.Option("--tif", metavar="TIF", help="How long it may wait: gtc or day.")
    ] = "gtc",
    outside_rth: OutsideOption = False,
    preview: PreviewOption = False,
    timeout: TimeoutOption = "",
) -> Reply:
    """Protect what is held with a stop that follows the market and never goes back."""
    if bool(trail_percent) == bool(trail_amount):
        wrong = "give one of them, not both" if trail_percent else "one of them is missing"
        raise UsageFault(f"--trail-percent or --trail-amount: {wrong}")
    name, size = values.symbol(symbol), values.quantity(quantity)
    way = values.choice(side, "--side", Side) if side else None
    amount, percent = (
        _price(trail_amount, "--trail-amount"),
        _price(trail_percent, "--trail-percent"),
    )
    activation, begin = _price(activation_price, "--activation-price"), _price(stop, "--stop")
    lasting = values.choice(tif, "--tif", TimeInForce)
    patience = values.seconds(timeout) if timeout else None

    from ibkr_trader.cli import placing  # noqa: PLC0415 - brings the client library
    from ibkr_trader.orders.trailing_stops import TrailingStopConfig  # noqa: PLC0415 - as above

    config = TrailingStopConfig(
        symbol=name,
        quantity=size,
        side=way,
        trail_amount=amount,
        trail_percent=percent,
        activation_price=activation,
        stop_price=begin,
        is_managed=managed,
        time_in_force=lasting,
        outside_rth=outside_rth,
    )
    return await placing.place_order(
        face, config, wait="accepted", timeout=patience, preview=preview
    )


@command(
    app,
    "oco-order",
    panel=PANEL,
    example="ibkr-trader oco-order --symbol AAPL --buy-limit 145 --sell-limit 155 --quantity 10",
    changes=True,
    together=True,
)
async def oco_order(
    face: Face,
    *,
    symbol: SymbolOption,
    quantity: Annotated[
        str, typer.Option("--quantity", metavar="N", help="How many, of each leg that has none.")
    ] = "",
    buy_limit: Annotated[
        str, typer.Option("--buy-limit", metavar="PRICE", help="Buy at this price or better.")
    ] = "",
    sell_limit: Annotated[
        str, typer.Option("--sell-limit", metavar="PRICE", help="Sell at this price or better.")
    ] = "",
    buy_stop: Annotated[
        str, typer.Option("--buy-stop", metavar="PRICE", help="Buy once the market rises to it.")
    ] = "",
    sell_stop: Annotated[
        str, typer.Option("--sell-stop", metavar="PRICE", help="Sell once the market falls to it.")
    ] = "",
    leg: Annotated[
        list[str] | None,
        typer.Option(
            "--leg",
            metavar="LEG",
            help=f"SIDE:TYPE:PRICE[:N], as often as needed, e.g. {_LEG}; "
            "TYPE is limit, stop or trail.",
        ),
    ] = None,
    oca: Annotated[
        str,
        typer.Option(
            "--oca",
            metavar="HOW",
            help="cancel or reduce the others (the rule: entries cancel, exits reduce).",
        ),
    ] = "",
    on_race: Annotated[
        str,
        typer.Option(
            "--on-race", metavar="HOW", help="If both sides trade: flatten the surplus, or keep."
        ),
    ] = "flatten",
    tif: Annotated[
        str, typer.Option("--tif", metavar="TIF", help="How long entries may wait: day or gtc.")
    ] = "day",
    exit_tif: Annotated[
        str, typer.Option("--exit-tif", metavar="TIF", help="How long exits may wait.")
    ] = "gtc",
    outside_rth: OutsideOption = False,
    preview: PreviewOption = False,
    timeout: TimeoutOption = "",
) -> Reply:
    """Place orders of which one cancels or reduces the others, linked at the broker."""
    name, size = values.symbol(symbol), values.quantity(quantity) if quantity else None
    lasting = values.choice(tif, "--tif", TimeInForce)
    flags = {
        "buy:limit": ("--buy-limit", buy_limit),
        "sell:limit": ("--sell-limit", sell_limit),
        "buy:stop": ("--buy-stop", buy_stop),
        "sell:stop": ("--sell-stop", sell_stop),
    }
    given = [(option, f"{kind}:{text}") for kind, (option, text) in flags.items() if text]
    given += [("--leg", text) for text in leg or ()]
    legs = [
        _leg(text, option, symbol=name, quantity=size, lasting=lasting, outside_rth=outside_rth)
        for option, text in given
    ]
    if len(legs) < _FEWEST:
        message = f"an OCO order needs two legs or more, and {len(legs) or 'none'} is given"
        raise UsageFault(f"{message}: --buy-limit, --sell-limit, --buy-stop, --sell-stop, --leg")
    lasting_exits = values.choice(exit_tif, "--exit-tif", TimeInForce)
    patience = values.seconds(timeout) if timeout else None

    from ibkr_trader.cli import placing  # noqa: PLC0415 - brings the client library
    from ibkr_trader.orders.oco_legs import OnRace  # noqa: PLC0415 - as above
    from ibkr_trader.orders.oco_orders import OCOOrderRequest  # noqa: PLC0415 - as above

    request = OCOOrderRequest(
        order_a=legs[0],
        order_b=legs[1],
        more=tuple(legs[2:]),
        oca_type=values.choice(oca, "--oca", OcaType) if oca else None,
        on_race=values.choice(on_race, "--on-race", OnRace),
        exit_time_in_force=lasting_exits,
    )
    return await placing.place_order(
        face, request, wait="accepted", timeout=patience, preview=preview
    )


def _leg(
    text: str,
    option: str,
    *,
    symbol: str,
    quantity: Decimal | None,
    lasting: TimeInForce,
    outside_rth: bool,
) -> OrderRequest:
    """Read `sell:limit:155:5`; the quantity may be left to `--quantity`."""
    parts = text.split(":")
    if not _SHORTEST <= len(parts) <= _LONGEST:
        message = f"{option} {text!r} must be SIDE:TYPE:PRICE[:N], such as {_LEG}"
        raise UsageFault(message, option=option, typed=text, better=_LEG)
    kind = values.order_type(parts[1], option)
    if kind not in _LEG_TYPES:
        message = f"{option} {text!r}: a leg is a limit, a stop or a trail"
        raise UsageFault(message, option=option, typed=text, better=_LEG)
    if len(parts) == _LONGEST:
        size = values.quantity(parts[3], option)
    elif quantity is not None:
        size = quantity
    else:
        raise UsageFault(f"{option} {text!r} has no quantity, and --quantity is missing")
    figure = parts[2].removesuffix("%") if kind is OrderType.TRAIL else parts[2]
    at = values.price(figure, option)
    is_percent = figure != parts[2]
    return OrderRequest(
        symbol=symbol,
        side=values.choice(parts[0], option, Side),
        quantity=size,
        order_type=kind,
        limit_price=at if kind is OrderType.LIMIT else None,
        stop_price=at if kind is OrderType.STOP else None,
        trail_amount=at if kind is OrderType.TRAIL and not is_percent else None,
        trail_percent=at if is_percent else None,
        time_in_force=lasting,
        outside_rth=outside_rth,
    )


def _price(text: str, option: str) -> Decimal | None:
    return values.price(text, option) if text else None
