"""Placing orders: `bracket-order` and `order`."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

import typer

from ibkr_trader.cli import values
from ibkr_trader.cli.face import FAMILIES, Face, command
from ibkr_trader.cli.output import Reply
from ibkr_trader.core.enums import OrderType, Side, TimeInForce
from ibkr_trader.core.models import OrderRequest

PANEL = "Orders"
app = FAMILIES.register("orders")(typer.Typer())

SymbolOption = Annotated[
    str, typer.Option("--symbol", metavar="SYMBOL", help="What to trade, e.g. AAPL.")
]
QuantityOption = Annotated[
    str, typer.Option("--quantity", metavar="N", help="How many, a whole number.")
]
MaybeQuantityOption = Annotated[
    str, typer.Option("--quantity", metavar="N", help="How many, a whole number; or --size.")
]
SizeOption = Annotated[
    str,
    typer.Option(
        "--size", metavar="RULE", help="Instead: risk:1%, risk:250, atr:2, kelly:0.55:1.8 …"
    ),
]
SideOption = Annotated[str, typer.Option("--side", metavar="SIDE", help="buy or sell.")]
TifOption = Annotated[
    str, typer.Option("--tif", metavar="TIF", help="How long it may wait: day, gtc, ioc, fok, opg.")
]
OutsideOption = Annotated[
    bool, typer.Option("--outside-rth", help="May also trade outside regular hours.")
]
WaitOption = Annotated[
    str,
    typer.Option(
        "--wait", metavar="HOW", help="Until it is accepted (the rule) or filled, or none."
    ),
]
PreviewOption = Annotated[
    bool,
    typer.Option("--preview", help="Send nothing: show all about it, and a token to send it."),
]
TimeoutOption = Annotated[
    str, typer.Option("--timeout", metavar="S", help="How many seconds to wait for answers.")
]


@command(
    app,
    "bracket-order",
    panel=PANEL,
    example="ibkr-trader bracket-order --symbol AAPL --quantity 10 --stop-loss 145 "
    "--take-profit 155",
    changes=True,
    together=True,
)
async def bracket_order(
    face: Face,
    *,
    symbol: SymbolOption,
    quantity: MaybeQuantityOption = "",
    size: SizeOption = "",
    stop_loss: Annotated[
        str, typer.Option("--stop-loss", metavar="PRICE", help="Where to give up.")
    ] = "",
    trail_amount: Annotated[
        str,
        typer.Option("--trail-amount", metavar="PRICE", help="Instead: a stop that far behind."),
    ] = "",
    trail_percent: Annotated[
        str, typer.Option("--trail-percent", metavar="PCT", help="The same, in percent.")
    ] = "",
    take_profit: Annotated[
        list[str] | None,
        typer.Option(
            "--take-profit",
            metavar="PRICE[:N]",
            help="Where to take the gain; of N, or of an equal part. May be repeated.",
        ),
    ] = None,
    side: SideOption = "buy",
    limit: Annotated[
        str, typer.Option("--limit", metavar="PRICE", help="Enter at this price or better.")
    ] = "",
    tif: TifOption = "day",
    exit_tif: Annotated[
        str, typer.Option("--exit-tif", metavar="TIF", help="How long the exits may wait.")
    ] = "gtc",
    outside_rth: OutsideOption = False,
    preview: PreviewOption = False,
    wait: WaitOption = "accepted",
    timeout: TimeoutOption = "",
) -> Reply:
    """Enter a position with its stop and profit targets, linked at the broker."""
    entry_limit = values.price(limit, "--limit") if limit else None
    entry = OrderRequest(
        side=values.choice(side, "--side", Side),
        quantity=values.quantity(quantity) if quantity else Decimal(1),
        symbol=values.symbol(symbol),
        order_type=OrderType.LIMIT if entry_limit else OrderType.MARKET,
        limit_price=entry_limit,
        time_in_force=values.choice(tif, "--tif", TimeInForce),
        outside_rth=outside_rth,
    )
    lasting = values.choice(exit_tif, "--exit-tif", TimeInForce)
    patience = values.seconds(timeout) if timeout else None

    from ibkr_trader.cli import bracket_ticket, placing  # noqa: PLC0415 - brings the client library

    request = bracket_ticket.typed(
        entry,
        bracket_ticket.Exits(
            stop_loss=stop_loss,
            trail_amount=trail_amount,
            trail_percent=trail_percent,
            targets=tuple(take_profit or ()),
            lasting=lasting,
        ),
        quantity=quantity,
        size=size,
    )
    return await placing.place_order(face, request, wait=wait, timeout=patience, preview=preview)


@command(
    app,
    "order",
    panel=PANEL,
    example="ibkr-trader order --symbol AAPL --side buy --quantity 10 --type limit "
    "--limit 149.50 --no-stop",
    changes=True,
    together=True,
)
async def order(
    face: Face,
    *,
    symbol: SymbolOption,
    quantity: QuantityOption,
    side: SideOption,
    no_stop: Annotated[
        bool, typer.Option("--no-stop", help="It is meant to open without a protective stop.")
    ] = False,
    kind: Annotated[
        str,
        typer.Option(
            "--type",
            metavar="TYPE",
            help="market, limit, stop, stop-limit, trail, moc or loc.",
        ),
    ] = "market",
    limit: Annotated[str, typer.Option("--limit", metavar="PRICE", help="The limit price.")] = "",
    stop: Annotated[str, typer.Option("--stop", metavar="PRICE", help="The trigger price.")] = "",
    trail_amount: Annotated[
        str, typer.Option("--trail-amount", metavar="PRICE", help="How far a trail stays behind.")
    ] = "",
    trail_percent: Annotated[
        str, typer.Option("--trail-percent", metavar="PCT", help="The same, in percent.")
    ] = "",
    tif: TifOption = "day",
    outside_rth: OutsideOption = False,
    preview: PreviewOption = False,
    wait: WaitOption = "accepted",
    timeout: TimeoutOption = "",
) -> Reply:
    """Place one order of any type."""
    request = OrderRequest(
        symbol=values.symbol(symbol),
        quantity=values.quantity(quantity),
        side=values.choice(side, "--side", Side),
        order_type=values.order_type(kind),
        limit_price=values.price(limit, "--limit") if limit else None,
        stop_price=values.price(stop, "--stop") if stop else None,
        trail_amount=values.price(trail_amount, "--trail-amount") if trail_amount else None,
        trail_percent=values.price(trail_percent, "--trail-percent") if trail_percent else None,
        time_in_force=values.choice(tif, "--tif", TimeInForce),
        outside_rth=outside_rth,
    )
    patience = values.seconds(timeout) if timeout else None

    from ibkr_trader.cli import placing  # noqa: PLC0415 - brings the client library

    return await placing.place_order(
        face, request, wait=wait, timeout=patience, preview=preview, without_stop=no_stop
    )
