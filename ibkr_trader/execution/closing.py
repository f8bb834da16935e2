"""Ending positions: one contract or many, waited for until the broker has confirmed it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, NamedTuple

from ibkr_trader.core.contracts import label, ticker
from ibkr_trader.core.errors import OutcomeUnknown, RiskCheckError, TraderError
from ibkr_trader.core.events import Breach
from ibkr_trader.core.trading_day import session_at
from ibkr_trader.execution.closer import is_live
from ibkr_trader.execution.exchange_hours import exchange_now
from ibkr_trader.execution.placing import QUOTE_TIMEOUT
from ibkr_trader.execution.taking_over import take_over
from ibkr_trader.orders.closing import KIND
from ibkr_trader.portfolio.flattening import unfinished
from ibkr_trader.portfolio.ledger_fold import quantity_of
from ibkr_trader.portfolio.lost_orders import to_take_over
from ibkr_trader.risk.checks import strategy_owner

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ibkr_trader.core.models import Contract, Order, OrderId, Session
    from ibkr_trader.execution.trader import Trader

_HINT = "ibkr-trader positions"


class NotClosed(TraderError):
    """The position is still open, and the message says why."""


class StillClosing(NotClosed):
    """The position is still open, and its closing is under way: it goes on by itself."""


class Closed(NamedTuple):
    """What became of one contract that was to be closed.

    Attributes:
        orders: Those that were waited for.
        trouble: What kept it from being closed; None if nothing did.
    """

    contract: Contract
    orders: tuple[Order, ...] = ()
    trouble: TraderError | None = None


async def close_contract(
    trader: Trader, contract: Contract, *, timeout: float, origin: str = KIND, cause: str = ""
) -> tuple[Order, ...]:
    """End what is held of `contract` and every order of ours in it; return those orders.

    What a lost journal of ours had in it is taken over first: it is ours to cancel, and an exit
    that was left would open the other side once nothing is held.
    Closing what is closed already does nothing; a closing under way is joined. Each step
    waits for the broker to confirm the one before, so that two orders can never close the
    same shares.

    Args:
        trader: Whose position it is.
        contract: What is to be closed.
        timeout: Seconds to wait for the end.
        origin: Who asks for it.
        cause: What for, as the id of a decision.

    Raises:
        RiskCheckError: If a strategy asks for it that does not own what is held.
        StillClosing: If the link was lost in the middle of it: it goes on when that is back.
        NotClosed: If it cannot be closed now. With the market closed nothing is touched;
            else the message says whether a stop that was taken away is back.
        OutcomeUnknown: If the broker does not confirm it within `timeout` seconds. It goes
            on as long as this process runs, and then with the next one.
    """
    con_id = contract.con_id
    known = unfinished(trader.portfolio, client_id=trader.client_id)
    if con_id not in known and con_id not in trader.portfolio.closings:
        return ()
    await trader.learn(ticker(contract), currency=contract.currency)  # its hours as of now
    await trader.study(contract, timeout=QUOTE_TIMEOUT, opens=False)
    _require_market(trader, contract)
    _require_owner(trader, contract, origin)  # last: nothing waits between it and the closing
    take_over(trader, lost_in(trader, con_id), origin=origin, is_vital=True)
    run = trader.closer.begin(contract, origin=origin, cause=cause)
    try:
        async with asyncio.timeout(timeout):
            await run.heard()
    except TimeoutError as error:
        live = tuple(o for o in run.touched if is_live(trader.portfolio, o))
        message = f"closing {label(contract)} is not confirmed within {timeout:g} s"
        if _is_halted(trader, con_id):
            message += " (trading in it is halted)"
        if run.is_resting:  # nothing is unknown: the order is there, and nobody trades with it
            raise NotClosed(f"{message}: {', '.join(live)} works on", hint=_HINT) from error
        raise OutcomeUnknown(message, order_ids=live) from error
    if run.trouble:
        raise (NotClosed if run.is_over else StillClosing)(run.trouble, hint=_HINT)
    return tuple(o for i in run.touched if (o := trader.portfolio.order(i)) is not None)


def lost_in(trader: Trader, con_id: int) -> tuple[OrderId, ...]:
    """Return what a lost journal of ours had in a contract, as far as closing it takes it over."""
    found = to_take_over(trader.portfolio, client_id=trader.client_id, con_id=con_id)
    return tuple(order.order_id for order in found)


async def close_each(
    trader: Trader,
    contracts: Iterable[Contract],
    *,
    timeout: float,
    origin: str = KIND,
    tell: Callable[[str], None] = lambda _: None,
) -> list[Closed]:
    """Close every one of `contracts`, beside one another; one that fails stops no other."""

    async def close(contract: Contract) -> Closed:
        name, held = label(contract), quantity_of(trader.portfolio, contract.con_id)
        if held:
            tell(f"{name}: closing {held:+f}")
        try:
            orders = await close_contract(trader, contract, timeout=timeout, origin=origin)
        except TraderError as trouble:
            tell(f"{name}: not closed")  # why is for the reply, which says it of all of them
            return Closed(contract, trouble=trouble)
        if held:
            tell(f"{name}: closed")
        return Closed(contract, orders)

    async with asyncio.TaskGroup() as tasks:
        works = [tasks.create_task(close(contract)) for contract in contracts]
    return [work.result() for work in works]


def _require_market(trader: Trader, contract: Contract) -> None:
    """Leave the exits alone while nothing could take their place: a stop outlives the night."""
    sessions = _sessions(trader, contract.con_id)
    now = exchange_now(trader)
    if not sessions or session_at(sessions, now) is not None:
        return
    coming = [session.opens for session in sessions if session.opens > now]
    until = f"; it opens at {min(coming):%Y-%m-%d %H:%M} UTC" if coming else ""
    message = f"the market of {label(contract)} is closed{until}: its exits stay as they are"
    raise NotClosed(message, hint=_HINT)


def _require_owner(trader: Trader, contract: Contract, origin: str) -> None:
    """Leave what is not its own to whoever opened it: a person may close everything."""
    if objection := trader.outlook.strategies.objection(contract, origin):
        raise RiskCheckError(
            objection, breaches=(Breach(check=strategy_owner.NAME, message=objection),)
        )


def _sessions(trader: Trader, con_id: int) -> tuple[Session, ...]:
    details = trader.outlook.details(con_id)
    return details.liquid_sessions if details is not None else ()


def _is_halted(trader: Trader, con_id: int) -> bool:
    quote = trader.market.last_quote(con_id)
    return quote is not None and quote.halted
