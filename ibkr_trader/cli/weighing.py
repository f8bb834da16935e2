"""What the trader says of a change while it is being typed: nothing is sent, nothing is written.

The guard gives the same verdict that it will give when the change is asked for, so a screen
never says of itself what lowers risk. What the guard lets pass as an exit and yet could lose
more (a smaller stop) is not called so here: somebody should look at it twice. Beside it stands
what a person wants to know first: the price step, the market, and the loss before and after.
"""

from __future__ import annotations

import asyncio
import contextlib
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from ibkr_trader.cli import chosen, values
from ibkr_trader.cli.exits import UsageFault
from ibkr_trader.cli.limits_view import figure, gauge_name
from ibkr_trader.core.commands import ModifyOrder
from ibkr_trader.core.errors import AmbiguousContract, BrokerUnavailable
from ibkr_trader.core.text import money, price, quantity
from ibkr_trader.core.ticks import increment_at
from ibkr_trader.core.trading_day import session_at, sessions_of
from ibkr_trader.execution.desk import UnknownOrder
from ibkr_trader.risk.gauges import readings
from ibkr_trader.risk.proposal import changed_spec
from ibkr_trader.risk.verdict import Denied

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from decimal import Decimal

    from ibkr_trader.core.models import Order, OrderSpec
    from ibkr_trader.execution.desk import Desk
    from ibkr_trader.execution.trader import Trader
    from ibkr_trader.risk.check import Gauge
    from ibkr_trader.risk.view import RiskView

PATIENCE = 0.7  # seconds for a price: somebody is typing
_FRESH = timedelta(seconds=1)


class Typed(NamedTuple):
    """New terms as they were typed; empty is unchanged."""

    quantity: str = ""
    limit: str = ""
    stop: str = ""


class Weight(msgspec.Struct, frozen=True, kw_only=True):
    """What the trader says.

    Attributes:
        reduces: The guard found that it can only lower risk, and no stop hit loses more than
            before; None if it would not go out.
        fault: Why it would not, every reason; empty if it would.
        notes: What else there is to know, the most useful first.
        is_open: Whether the order could trade now, by its contract's own hours; None if nobody
            knows them.
    """

    reduces: bool | None = None
    fault: str = ""
    notes: tuple[str, ...] = ()
    is_open: bool | None = None


async def weigh(desk: Desk, name: str, typed: Typed) -> Weight:
    """Return what the guard says of changing the order `name` to what was typed."""
    read = _read(typed)
    if isinstance(read, str):
        return Weight(fault=read)
    try:
        order = chosen.the_one(desk, name, is_stop=bool(typed.stop and not typed.limit))
    except (UsageFault, UnknownOrder) as error:
        return Weight(fault=error.message)
    trader = desk.trader
    await _learn(trader, order)
    command = ModifyOrder(order_id=order.order_id, **read)
    verdict = trader.router.preview(command)
    # It may have changed, or ended, while a price was waited for.
    now = trader.portfolio.order(order.order_id) or order
    view, spec = trader.outlook.view(), changed_spec(now, command)
    after = _as_if(view, now, spec)
    notes = tuple(_notes(spec, view, after))
    if isinstance(verdict, Denied):
        return Weight(fault=verdict.reasons, notes=notes)
    remarks = tuple(one.message for one in verdict.warnings)
    lowers = verdict.reduces and not (
        _is_hotter(view, after, spec.contract.con_id) or _bursts(view, after)
    )
    return Weight(reduces=lowers, notes=(*notes, *remarks), is_open=_is_open(view, spec))


def _is_open(view: RiskView, spec: OrderSpec) -> bool | None:
    details = view.details.get(spec.contract.con_id)
    if details is None:
        return None
    sessions = sessions_of(spec, details)
    return session_at(sessions, view.exchange_now) is not None if sessions else None


def _read(typed: Typed) -> dict[str, Any] | str:
    """The new terms; or why they cannot be meant, every reason."""
    ways: dict[str, tuple[str, Callable[[str], Decimal]]] = {
        "quantity": (typed.quantity, values.quantity),
        "limit_price": (typed.limit, lambda text: values.price(text, "limit")),
        "stop_price": (typed.stop, lambda text: values.price(text, "stop")),
    }
    found: dict[str, Any] = {}
    faults: list[str] = []
    for name, (text, read) in ways.items():
        try:
            if text:
                found[name] = read(text)
        except UsageFault as fault:
            faults.append(fault.message.removeprefix("--"))
    if not found and not faults:
        faults.append("nothing is changed")
    return "; ".join(faults) if faults else found


async def _learn(trader: Trader, order: Order) -> None:
    """Have a price that the review may rely on, if one comes at once."""
    contract = order.spec.contract
    aged = trader.outlook.view().quotes.get(contract.con_id)
    is_known = trader.outlook.details(contract.con_id) is not None
    if is_known and aged is not None and aged.age < _FRESH:
        return
    with contextlib.suppress(TimeoutError, BrokerUnavailable, AmbiguousContract):
        async with asyncio.timeout(PATIENCE):
            await trader.study(contract, timeout=PATIENCE, opens=False)


def _notes(spec: OrderSpec, view: RiskView, after: RiskView) -> Iterator[str]:
    con_id = spec.contract.con_id
    details, aged = view.details.get(con_id), view.quotes.get(con_id)
    at = spec.stop_price or spec.limit_price
    if details is not None and at is not None:
        yield f"tick {quantity(increment_at(at, details.bands))}"
    if aged is not None:
        yield f"last {price(aged.quote.last or aged.quote.mark)}"
    if after is not view:
        yield f"risk {money(_heat(view, con_id))} → {money(_heat(after, con_id))}"
        yield from _tightest(view, after)


def _as_if(view: RiskView, order: Order, spec: OrderSpec) -> RiskView:
    """The view as it would be once the broker has confirmed the change; the same without one."""
    if order.order_id not in view.portfolio.orders:
        return view
    changed = msgspec.structs.replace(order, spec=spec, desired=None)
    orders = {**view.portfolio.orders, order.order_id: changed}
    portfolio = msgspec.structs.replace(view.portfolio, orders=orders)
    return msgspec.structs.replace(
        view, portfolio=portfolio, exposure=view.exposure.follow(portfolio)
    )


def _heat(view: RiskView, con_id: int) -> Decimal | None:
    """What is lost in a contract if every stop in it hits, and every order that may open fills."""
    found = view.heat_now().contracts.get(con_id)
    return None if found is None else found.total


def _is_hotter(before: RiskView, after: RiskView, con_id: int) -> bool:
    """Whether more could be lost: a smaller stop opens nothing, and leaves a part without one."""
    sooner, later = _heat(before, con_id), _heat(after, con_id)
    return sooner is not None and later is not None and later > sooner


def _bursts(before: RiskView, after: RiskView) -> bool:
    """Whether a limit would be in use beyond its end, and by more than before."""
    known = {_place(one): one.used for one in readings(before)}
    for one in readings(after):
        was = known.get(_place(one))
        is_over = one.limit is not None and one.used is not None and one.used > one.limit
        if is_over and (was is None or one.used is None or one.used > was):
            return True
    return False


def _tightest(before: RiskView, after: RiskView) -> Iterator[str]:
    """Yield the limit that is the fullest of those whose use changes, if there is one."""
    known = {_place(one): one.used for one in readings(before)}
    changed = [
        one
        for one in readings(after)
        if one.share is not None and known.get(_place(one), one.used) != one.used
    ]
    if changed:
        one = max(changed, key=lambda gauge: gauge.share or 0)
        was, limit = figure(known[_place(one)], one.unit), figure(one.limit, one.unit)
        yield f"{gauge_name(one)} {was} → {figure(one.used, one.unit)} of {limit}"


def _place(gauge: Gauge) -> tuple[object, ...]:
    """What a gauge is known by: a check may say several things of one subject."""
    return gauge.check, gauge.subject, gauge.unit, gauge.limit
