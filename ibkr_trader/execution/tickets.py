"""Tickets: what a preview showed, kept for a minute, so that exactly that is sent or nothing.

A ticket holds the very command and the picture it was made in. Sending it looks again: what has
moved since is named, and then nothing is sent. The order path is the same as for every other
command, so the checks judge it once more.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from ibkr_trader.core.commands import SubmitOrders
from ibkr_trader.core.contracts import label
from ibkr_trader.core.errors import (
    BrokerUnavailable,
    OrderRejectedError,
    RiskCheckError,
    TicketRefused,
)
from ibkr_trader.core.events import Breach
from ibkr_trader.core.models import ZERO, OrderId, WhatIf
from ibkr_trader.core.text import percent, price, quantity
from ibkr_trader.execution.consent import agreed, is_due
from ibkr_trader.execution.placing import (
    QUOTE_TIMEOUT,
    SETTLE_TIMEOUT,
    Prepared,
    Wait,
    know_shortable,
)
from ibkr_trader.execution.scaling import Addition, may_join
from ibkr_trader.orders.group import ORDER_TYPES
from ibkr_trader.portfolio.contexts import context
from ibkr_trader.portfolio.fingerprint import in_words, orders_moved
from ibkr_trader.risk.verdict import Denied

if TYPE_CHECKING:
    from ibkr_trader.core.models import Contract, Quote
    from ibkr_trader.execution.trader import Trader
    from ibkr_trader.risk.view import RiskView

LIFETIME = timedelta(seconds=60)
TOLERANCE = Decimal("0.005")  # how far the market may have moved, as a fraction of the mark
WHAT_IF_TIMEOUT = 5.0  # seconds for each order that the broker is asked about
MOST_ASKED = 4  # orders of one ticket: the broker is asked about one a second
_SKEW = timedelta(seconds=2)  # by which a clock may be set back without being noticed
_CHECK = "ticket"


class Basis(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The picture that a ticket was made in.

    Attributes:
        config: A short name for the settings.
        limits: A short name for the limits in force.
        held: What is held of the contract, signed.
        orders: The orders that work in the contract, by id, each in words.
        mark: What the contract was worth; None if nobody said.
        state: What the desk allowed of it.
    """

    profile: str
    account: str
    config: str
    limits: str
    held: Decimal
    orders: dict[str, str]
    mark: Decimal | None
    state: str


class Ticket(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A command that somebody has seen, and may send within a minute.

    Attributes:
        scales: It adds to a position (`scale-in`): into the group that it names if `joins`.
        wait: How far its orders must come before they count as placed.
        made_at, expires_at: By the machine's clock.
    """

    command: SubmitOrders
    basis: Basis
    made_at: datetime
    expires_at: datetime
    wait: Wait = Wait.ACCEPTED
    scales: bool = False
    joins: bool = False

    @property
    def contract(self) -> Contract:
        """What it trades: all orders of a group are of one contract."""
        return self.command.orders[0].contract

    @property
    def remark(self) -> str:
        """What to say of one that was used."""
        return f"what it placed is {self.command.group_id}, if anything"

    def require_fresh(self, token: str, now: datetime) -> None:
        """Refuse a ticket whose minute is over, or that no preview can have made.

        Raises:
            TicketRefused: If so.
        """
        again = "repeat the command with --preview"
        contracts = {spec.contract.con_id for spec in self.command.orders}
        is_sound = self.expires_at - self.made_at == LIFETIME and len(contracts) == 1
        if not is_sound or now < self.made_at - _SKEW:
            raise TicketRefused(f"ticket {token} is not one that --preview made", hint=again)
        if now >= self.expires_at:
            late = (now - self.expires_at).total_seconds()
            seconds = f"{LIFETIME.total_seconds():.0f} s"
            message = f"ticket {token} expired {late:.0f} s ago: it was good for {seconds}"
            raise TicketRefused(message, hint=again)


class Where(NamedTuple):
    """Whose settings are in force: what a ticket must agree with, beside the account."""

    profile: str
    config: str


class Answer(NamedTuple):
    """What the broker says of one order: what it would do, why it would be refused, or nothing.

    Attributes:
        code: The broker's, of a refusal.
        words: Its reason, or why there is no answer.
    """

    order_id: OrderId
    what_if: WhatIf | None = None
    code: int = 0
    words: str = ""

    @property
    def is_refused(self) -> bool:
        """Whether the broker would not take the order."""
        return bool(self.code)


def issue(
    trader: Trader, made: Prepared | Addition, *, where: Where, wait: Wait, now: datetime
) -> Ticket:
    """Return the ticket of a group, or of a scale-in, that is ready to be sent.

    Its group's number is written down, so that nothing else can take it meanwhile.
    """
    scales = isinstance(made, Addition)
    trader.journal.observe(group=trader.journal.state.last_group)
    return Ticket(
        command=made.command,
        basis=basis_of(trader, made.command, made.quote, where=where),
        made_at=now,
        expires_at=now + LIFETIME,
        wait=wait,
        scales=scales,
        joins=scales and made.group is None,
    )


def basis_of(trader: Trader, command: SubmitOrders, quote: Quote | None, *, where: Where) -> Basis:
    """Return the picture as it is now, as far as `command` is concerned."""
    view, contract = trader.outlook.view(), command.orders[0].contract
    position = view.portfolio.positions.get(contract.con_id)
    return Basis(
        profile=where.profile,
        account=trader.account,
        config=where.config,
        limits=_limits_in_force(view),
        held=position.quantity if position is not None else ZERO,
        orders={
            order.order_id: in_words(order)
            for order in view.portfolio.orders.values()
            if order.spec.contract.con_id == contract.con_id
        },
        mark=quote.mark if quote is not None else None,
        state=_state(view, contract),
    )


async def ask_broker(trader: Trader, command: SubmitOrders) -> tuple[Answer, ...]:
    """Ask the broker what each order that does not hang from another would do.

    Never fails: what is not answered says so.
    """
    answers: list[Answer] = []
    for spec in [one for one in command.orders if one.parent_id is None][:MOST_ASKED]:
        try:
            told = await trader.broker.what_if(spec, timeout=WHAT_IF_TIMEOUT)
        except OrderRejectedError as refusal:
            answers.append(Answer(spec.order_id, code=refusal.code, words=refusal.reason))
        except BrokerUnavailable as silence:
            answers.append(Answer(spec.order_id, words=silence.message))
            break  # who did not answer once will not, and the market does not wait
        else:
            answers.append(Answer(spec.order_id, told))
    return tuple(answers)


async def reopen(trader: Trader, ticket: Ticket, *, sends: bool = True) -> Quote | None:
    """Learn what a second look needs, and return the contract's price of now.

    If it is to be sent and a person must agree, that person is asked here, before anything
    is used up.

    Raises:
        AmbiguousContract: If the contract cannot be named any more.
        BrokerUnavailable: If nobody answers.
        TraderError: If the person does not agree.
    """
    await trader.recovery.settled(timeout=SETTLE_TIMEOUT)
    await trader.study(ticket.contract, timeout=QUOTE_TIMEOUT)
    await know_shortable(trader, ticket.command)
    if sends:
        await agreed(trader, ticket.command)
    return await trader.price(ticket.contract, timeout=QUOTE_TIMEOUT)


def redeem(
    trader: Trader,
    ticket: Ticket,
    quote: Quote | None,
    *,
    where: Where,
    claim: Callable[[], None],
    sends: bool = True,
) -> Prepared | Addition:
    """Look again, use the ticket up, and return what is now to be sent at once.

    There is no `await` in here, nor before the send: what was looked at still holds.

    Args:
        trader: Who is to send it.
        ticket: What was previewed.
        quote: The contract's price of now.
        where: The settings of now.
        claim: Uses the ticket up, durably; called once everything else has agreed.
        sends: It is to be sent, so whoever must agree has to have done so by now.

    Raises:
        RiskCheckError: If something has moved, the checks would deny it now, or somebody is
            still to be asked; nothing is used up.
        TicketRefused: If it was used in the meantime.
    """
    moved = list(_moved(ticket.basis, basis_of(trader, ticket.command, quote, where=where)))
    moved += _displaced(trader, ticket)
    if moved:
        raise RiskCheckError(
            "; ".join(moved),
            breaches=tuple(Breach(check=_CHECK, message=one) for one in moved),
            hint="repeat the command with --preview",
        )
    verdict = trader.router.rehearse(ticket.command)
    if isinstance(verdict, Denied):
        raise RiskCheckError(verdict.reasons, breaches=verdict.breaches)
    if sends and is_due(trader, ticket.command):  # asking now would take time, and a ticket
        message = "It was denied a moment ago, so nobody was asked to agree to it."
        breach = Breach(check=_CHECK, message=message)
        raise RiskCheckError(message, breaches=(breach,), hint="repeat the commit")
    made = _made_again(trader, ticket, quote)
    claim()
    return made


def _made_again(trader: Trader, ticket: Ticket, quote: Quote | None) -> Prepared | Addition:
    command, contract = ticket.command, ticket.contract
    group = None
    if command.kind not in ORDER_TYPES:
        raise TicketRefused(f"the ticket is damaged: there is no order type {command.kind!r}")
    if not ticket.joins:
        group = ORDER_TYPES[command.kind](command.group_id, command.orders, command.plan)
    if ticket.scales:
        here = context(trader.portfolio, contract.con_id)
        exits = here.exits_of(command.group_id) if here is not None and ticket.joins else ()
        return Addition(command, group, ticket.basis.held, exits, quote)
    details = trader.outlook.details(contract.con_id)
    if group is None or details is None:  # neither was asked for
        raise TicketRefused("the ticket is damaged: it joins a group, and adds to nothing")
    return Prepared(group, command, details, quote)


def _displaced(trader: Trader, ticket: Ticket) -> Iterator[str]:
    """Where the orders of the ticket have no place any more."""
    command = ticket.command
    taken = [o.order_id for o in command.orders if trader.portfolio.order(o.order_id) is not None]
    if taken:
        yield f"There is an order {taken[0]} already."
    if ticket.joins and not may_join(trader, command.group_id):
        yield f"The group {command.group_id} cannot grow any more."


def _moved(then: Basis, now: Basis) -> Iterator[str]:
    """Everything that is not as it was when the ticket was made."""
    for what, before, after in (
        ("profile", then.profile, now.profile),
        ("account", then.account, now.account),
        ("trading state", then.state, now.state),
        ("position", quantity(then.held), quantity(now.held)),
    ):
        if before != after:
            yield f"The {what} was {before} and is {after}."
    if then.config != now.config:
        yield "The settings are not those of the preview."
    if then.limits != now.limits:
        yield "The limits in force have changed."
    yield from orders_moved(then.orders, now.orders)
    yield from _mark_moved(then.mark, now.mark)


def _mark_moved(then: Decimal | None, now: Decimal | None) -> Iterator[str]:
    if then is None or now is None:
        if then is not now:
            had, has = ("no price", "one") if then is None else ("a price", "none")
            yield f"The market had {had}, and now has {has}."
        return
    move = abs(now - then) / then if then else Decimal(1)
    if move > TOLERANCE:
        yield (
            f"The market moved {percent(move)}, from {price(then)} to {price(now)}; "
            f"a ticket allows {percent(TOLERANCE)}."
        )


def _state(view: RiskView, contract: Contract) -> str:
    own = view.switch.of(contract)
    if own is None:
        return view.trading_state.value
    return f"{view.trading_state.value}, {label(contract)} {own.state.value}"


def _limits_in_force(view: RiskView) -> str:
    text = msgspec.json.encode(
        (view.limits, view.symbol_limits, view.limits_fault), order="deterministic", enc_hook=dict
    )
    return hashlib.sha256(text).hexdigest()[:16]
