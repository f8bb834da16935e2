"""Adding to a position whose exits follow: find its group, send one entry more, see it done."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ibkr_trader.core.commands import SubmitOrders
from ibkr_trader.core.contracts import label
from ibkr_trader.core.enums import Side
from ibkr_trader.core.errors import TraderError
from ibkr_trader.core.text import quantity
from ibkr_trader.execution.consent import agreed
from ibkr_trader.execution.placing import (
    QUOTE_TIMEOUT,
    SETTLE_TIMEOUT,
    Wait,
    begin,
    know_shortable,
    learn_to_open,
    route,
    settle,
)
from ibkr_trader.orders.alike_exits import alike
from ibkr_trader.orders.group import Setting
from ibkr_trader.orders.linked_orders import Scalable
from ibkr_trader.portfolio.contexts import context
from ibkr_trader.portfolio.protection import protection

if TYPE_CHECKING:
    from decimal import Decimal

    from ibkr_trader.core.models import Contract, GroupId, Order, Quote
    from ibkr_trader.execution.trader import Trader
    from ibkr_trader.orders.bracket_orders import BracketOrderRequest
    from ibkr_trader.orders.group import OrderGroup
    from ibkr_trader.orders.linked_orders import ScaleInRequest
    from ibkr_trader.portfolio.contexts import Context
    from ibkr_trader.portfolio.state import PortfolioState


class NothingToScale(TraderError, LookupError):
    """There is no position of ours whose exits could follow; the message says what there is."""


class Addition(NamedTuple):
    """An entry about to join a group, with what was known when it was made.

    Attributes:
        group: The group that it opens with exits of its own; None if it joins another, whose
            exits will follow.
        exits: The exits that are there already.
    """

    command: SubmitOrders
    group: OrderGroup | None
    held: Decimal
    exits: tuple[Order, ...]
    quote: Quote | None


async def prepare_addition(trader: Trader, request: ScaleInRequest) -> Addition:
    """Find the group that is to grow and derive its entry; nothing is written or sent.

    Where no group can grow, the entry opens one of its own, with exits like those there are.

    Raises:
        ValueError: If the request contradicts itself.
        NothingToScale: If nothing is held, or nothing of ours protects it.
        AmbiguousContract: If the symbol is not exactly one contract.
        RiskCheckError: If nobody can name it now, and nothing may be opened anyway.
        BrokerUnavailable: If nobody answers.
    """
    request.validate()
    details = await learn_to_open(trader, request.symbol)
    await trader.recovery.settled(timeout=SETTLE_TIMEOUT)
    quote = await trader.study(details.contract, timeout=QUOTE_TIMEOUT)
    here = _context(trader, request, details.contract)
    joined = _growing(trader, here)
    setting = Setting(
        group_id=joined.group_id if joined is not None else trader.new_group_id(),
        contract=details.contract,
        account=trader.account,
        bands=details.bands,
        mark=quote.mark if quote is not None else None,
        held=here.held,
    )
    if joined is None:
        bracket, exits = _beside(request, here)
        group = bracket.group(setting)
        command = group.open()
        await know_shortable(trader, command)
        return Addition(command, group, here.held, exits, quote)
    portfolio = trader.portfolio
    known = (portfolio.order(order_id) for order_id in portfolio.groups.get(setting.group_id, ()))
    side = Side.holding(here.held)
    spec = request.entry([order for order in known if order is not None], side, setting)
    command = SubmitOrders(group_id=setting.group_id, orders=(spec,), kind=joined.open().kind)
    await know_shortable(trader, command)
    return Addition(command, None, here.held, here.exits_of(setting.group_id), quote)


async def add(
    trader: Trader, addition: Addition, *, wait: Wait, timeout: float
) -> tuple[Order, ...]:
    """Send the entry down the order path; return it, and the exits that follow it, as they stand.

    With `Wait.FILLED` the exits have followed, too: what is held then is covered, unless it
    is not within `timeout` seconds.

    Raises:
        NothingToScale: If the exits would not follow any more; nothing was sent.
        RiskCheckError: If our checks deny it; nothing was sent.
        OrderRejectedError: If the broker refused it.
        OutcomeUnknown: If it may have been sent and nobody says so. Never send it again.
        BrokerUnavailable: If the broker was gone before anything was sent.
    """
    spec, *others = addition.command.orders
    ids = (spec.order_id, *(other.order_id for other in others))
    if addition.group is not None:
        await begin(trader, addition.group, addition.command)
    else:
        await _join(trader, addition.command)
    entry, *_ = await settle(trader, ids, wait=wait, timeout=timeout)
    con_id, group_id = spec.contract.con_id, spec.group_id
    if wait is Wait.FILLED:
        await trader.until(lambda now: _have_followed(now, con_id, group_id), timeout=timeout)
    here = context(trader.portfolio, con_id)
    return (entry, *(here.exits_of(group_id) if here is not None else ()))


async def _join(trader: Trader, command: SubmitOrders) -> None:
    """Route an entry that joins a group, unless its exits have stopped following meanwhile.

    A person was asked, perhaps, and took their time: so it is looked at once they have agreed.
    Nothing is awaited between that look and the send.
    """
    await agreed(trader, command)
    if not may_join(trader, command.group_id):
        message = (
            f"the exits of {command.group_id} would not follow any more: nothing would protect "
            "what is added; nothing was sent"
        )
        hint = "repeat the command: it looks again, and brings exits of its own where it must"
        raise NothingToScale(message, hint=hint)
    await route(trader, command)


def may_join(trader: Trader, group_id: GroupId) -> bool:
    """Whether an entry more may join the group now: its exits will follow."""
    group = trader.groups.get(group_id)
    is_seeing = group_id not in trader.groups.blind  # the others enlarge nothing any more
    return is_seeing and isinstance(group, Scalable) and group.is_scalable


def _have_followed(portfolio: PortfolioState, con_id: int, group_id: GroupId) -> bool | None:
    """Whether the exits have their new sizes, by the broker's word and not only by our wish."""
    here = context(portfolio, con_id)
    exits = here.exits_of(group_id) if here is not None else ()
    is_settled = all(o.desired is None and not o.status.is_in_flight for o in exits)
    return True if is_settled and is_covered(portfolio, con_id) else None


def is_covered(portfolio: PortfolioState, con_id: int) -> bool:
    """Whether working stops would end all that is held of a contract."""
    position = portfolio.positions.get(con_id)
    return position is None or protection(position, portfolio.orders.values()).is_covered


def _context(trader: Trader, request: ScaleInRequest, contract: Contract) -> Context:
    """What goes on in the contract, if something is held; else the command to use instead."""
    here, name = context(trader.portfolio, contract.con_id), label(contract)
    if here is None:
        message = f"nothing is held in {name}: there is nothing to add to"
        hint = (
            f"ibkr-trader bracket-order --symbol {request.symbol} "
            f"--quantity {request.quantity:f} --stop-loss PRICE --take-profit PRICE"
        )
        raise NothingToScale(message, hint=hint)
    if not here.held:
        waiting = next((order.order_id for order in here.entries), "")
        message = f"nothing is held in {name} yet: {waiting or 'an order'} still waits"
        hint = f"ibkr-trader modify {waiting} --quantity N" if waiting else "ibkr-trader orders"
        raise NothingToScale(message, hint=hint)
    return here


def _growing(trader: Trader, here: Context) -> OrderGroup | None:
    """The newest group here whose exits can follow."""
    for group_id in reversed(here.groups):
        if may_join(trader, group_id):
            return trader.groups.get(group_id)
    return None


def _beside(
    request: ScaleInRequest, here: Context
) -> tuple[BracketOrderRequest, tuple[Order, ...]]:
    """The bracket with exits like those of the newest group here that has a stop."""
    for group_id in reversed(here.groups):
        exits = here.exits_of(group_id)
        bracket = alike(request, exits, held=here.held)
        if bracket is not None:
            return bracket, exits
    held = f"{quantity(abs(here.held))} {label(here.contract)}"
    message = f"{held} are held without a stop of ours: nothing would protect what is added"
    raise NothingToScale(message, hint=f"ibkr-trader trailing-stop --symbol {request.symbol}")
