"""A view of an account on which strategies trade, and what they ask of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from ibkr_trader.core.commands import ModifyOrder, SubmitOrders
from ibkr_trader.core.enums import OrderRole, OrderType, Side
from ibkr_trader.core.ids import make_order_id
from ibkr_trader.core.models import GroupId
from ibkr_trader.risk.envelope import Envelope
from tests.orders.samples import AAPL, MSFT
from tests.orders.samples import spec as terms
from tests.portfolio.strategy_play import ALPHA, BETA, ORIGINS, D, Play
from tests.risk.world import NOW, RICH, aged, details, quote, view

if TYPE_CHECKING:
    from ibkr_trader.core.models import Contract, OrderId, OrderSpec
    from ibkr_trader.risk.view import RiskView

WIDE = {ALPHA: Envelope(), BETA: Envelope()}


def priced() -> Play:
    """Return an account on which nothing has happened, with AAPL at 150 and MSFT at 300."""
    play = Play()
    play.price("150")
    play.price("300", MSFT)
    return play


def seen(play: Play, **changes: Any) -> RiskView:
    """Return the view that a play leads to."""
    facts: dict[str, Any] = {
        "now": NOW,
        "portfolio": msgspec.structs.replace(play.portfolio, values=RICH),
        "exposure": play.exposure,
        "pnl": play.pnl,
        "strategies": play.book,
        "envelopes": WIDE,
        "quotes": {
            AAPL.con_id: aged(quote("149.99", "150", AAPL, shortable=D(3))),
            MSFT.con_id: aged(quote("299.99", "300", MSFT, shortable=D(3))),
        },
        "details": {AAPL.con_id: details(AAPL), MSFT.con_id: details(MSFT)},
    }
    return view(**(facts | changes))


def bounded(play: Play, **bounds: Any) -> RiskView:
    """Return the same, with alpha's envelope."""
    return seen(play, envelopes={ALPHA: Envelope(**bounds), BETA: Envelope()})


def wish(
    who: str = ALPHA,
    size: int = 10,
    *,
    side: Side = Side.BUY,
    contract: Contract = AAPL,
    group: str = "memo-90",
    **more: Any,
) -> SubmitOrders:
    """Return the bracket that somebody asks for: at the market, with a stop."""
    return SubmitOrders(
        group_id=GroupId(group),
        orders=bracket(size, side, contract=contract, group=GroupId(group), **more),
        kind="bracket",
        origin=ORIGINS[who],
    )


def bracket(
    size: int, side: Side, *, contract: Contract, group: GroupId, **more: Any
) -> tuple[OrderSpec, OrderSpec]:
    shared: dict[str, Any] = {"group": group, "contract": contract, "quantity": D(size)}
    market: dict[str, Any] = {"order_type": OrderType.MARKET, "limit_price": None}
    entry = terms(OrderRole.ENTRY, side=side, **shared, **(market | more))
    level = 300 if contract is MSFT else 150
    stop = terms(
        OrderRole.STOP,
        side=side.opposite,
        order_type=OrderType.STOP,
        limit_price=None,
        stop_price=D(level) * (1 - D("0.02") * side.sign),
        parent_id=make_order_id(group, OrderRole.ENTRY),
        broker_order_id=102,
        **shared,
    )
    return entry, stop


def larger(order_id: OrderId, size: int, who: str = ALPHA) -> ModifyOrder:
    """Return the wish that an entry be larger."""
    return ModifyOrder(order_id=order_id, quantity=D(size), origin=ORIGINS[who])
