"""Plan and apply: what differs at the broker is shown first, and done only as it was shown.

A plan is bound to the fingerprint of what the broker had when it was made. Who applies it asks
the broker again; if anything has moved, nothing is sent. Each step goes down the order path
like every other command, and is done once the broker has confirmed it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from ibkr_trader.core import events as ev
from ibkr_trader.core.errors import TicketRefused
from ibkr_trader.execution.covering import carry_out
from ibkr_trader.execution.guardian import open_markets
from ibkr_trader.execution.placing import QUOTE_TIMEOUT, SETTLE_TIMEOUT
from ibkr_trader.execution.taking_over import take_over
from ibkr_trader.orders.cover_orders import Attach
from ibkr_trader.orders.cover_scene import Terms
from ibkr_trader.portfolio.fingerprint import Fingerprint, fingerprint, moved
from ibkr_trader.portfolio.plan_steps import Plan, PlanStep, TakeOver
from ibkr_trader.portfolio.planning import Sight, make_plan
from ibkr_trader.portfolio.protection import protection

if TYPE_CHECKING:
    from ibkr_trader.core.commands import Command
    from ibkr_trader.core.models import Contract, Order
    from ibkr_trader.execution.trader import Trader

LIFETIME = timedelta(minutes=10)  # long enough for a second person to look at it
_SKEW = timedelta(seconds=2)  # by which a clock may be set back without being noticed


class Look(NamedTuple):
    """What one look at the broker has shown.

    Attributes:
        settled: What the look itself has brought to the broker's word, each in words.
    """

    plan: Plan
    state: Fingerprint
    settled: tuple[str, ...] = ()


class KeptPlan(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A plan that somebody has seen, and may have carried out within ten minutes, once.

    Attributes:
        state: What the broker had.
        steps: The plan, line by line.
        made_at, expires_at: By the machine's clock.
    """

    account: str
    state: Fingerprint
    steps: tuple[str, ...]
    made_at: datetime
    expires_at: datetime

    @property
    def remark(self) -> str:
        """What to say of one that was used."""
        return "what it has done is in the journal"

    def require_fresh(self, token: str, now: datetime) -> None:
        """Refuse a plan whose time is over, or that nobody here can have made.

        Raises:
            TicketRefused: If so.
        """
        again = "ibkr-trader reconcile"
        if self.expires_at - self.made_at != LIFETIME or now < self.made_at - _SKEW:
            raise TicketRefused(f"plan {token} is not one that reconcile made", hint=again)
        if now >= self.expires_at:
            minutes = f"{LIFETIME.total_seconds() / 60:.0f} minutes"
            raise TicketRefused(f"plan {token} is over: it was good for {minutes}", hint=again)


async def look(trader: Trader, *, tell: Callable[[str], None] = lambda _: None) -> Look:
    """Ask the broker for everything, and return what is not as it is meant; nothing is sent.

    Where orders are unaccounted for it is asked twice: a second look, a grace later, can prove
    that the broker has never had them.

    Raises:
        BrokerUnavailable: If nobody answers to the end.
    """
    settled: list[str] = []
    unsubscribe = trader.bus.subscribe(ev.DriftEvent, lambda one: settled.append(_differed(one)))
    try:
        await trader.recovery.synchronize()
        if not trader.recovery.is_settled:
            tell("not every order is accounted for: looking again in 5 s …")
            await trader.recovery.settled(timeout=SETTLE_TIMEOUT)
    finally:
        unsubscribe()
    for contract in _bare(trader):
        await trader.study(contract, timeout=QUOTE_TIMEOUT, opens=False)
    plan = _plan(trader)
    return Look(plan, fingerprint(trader.portfolio), tuple(dict.fromkeys(settled)))


def keep(trader: Trader, found: Look, *, now: datetime) -> KeptPlan:
    """Return the plan as it is kept for whoever applies it."""
    return KeptPlan(
        account=trader.account,
        state=found.state,
        steps=tuple(step.line for step in found.plan.steps),
        made_at=now,
        expires_at=now + LIFETIME,
    )


def moved_since(kept: KeptPlan, trader: Trader, found: Look) -> Iterator[str]:
    """Yield what is not as it was when the plan was made; nothing if it may be carried out."""
    if kept.account != trader.account:
        yield f"The account was {kept.account} and is {trader.account}."
    yield from moved(kept.state, found.state)
    lines = [step.line for step in found.plan.steps]
    yield from (f"No longer planned: {one}" for one in kept.steps if one not in lines)
    yield from (f"Planned by now: {one}" for one in lines if one not in kept.steps)


async def carry_out_step(
    trader: Trader, step: PlanStep, *, cause: str, timeout: float
) -> Order | None:
    """Do one step and return its order as it then stands; None if it is not needed any more.

    What an earlier step or the market has settled meanwhile is left out.

    Args:
        trader: Who does it.
        step: One that has an action.
        cause: What the command carries as its reason: the plan's name.
        timeout: Seconds to wait for the broker's confirmation.

    Raises:
        RiskCheckError: If our checks deny it; nothing was sent.
        OrderRejectedError: If the broker refuses it.
        OutcomeUnknown: If it may have been sent and no answer came.
        BrokerUnavailable: If the broker was gone before anything was sent.
        CannotTakeOver: If an order of a lost journal is not as it was.
        JournalError: If that one is ours again cannot be recorded.
    """
    due = {one.line for one in _plan(trader).doable}
    if step.line not in due:
        return None
    match step.action:
        case None:
            return None
        case TakeOver() as lost:
            (order,) = take_over(trader, (lost.order_id,), origin=cause)
            return order
        case Attach() as stop:
            command: Command = stop.order(trader.new_group_id(), trader.account)
        case action:
            command = action
    command = msgspec.structs.replace(command, correlation_id=cause)
    return await carry_out(trader, command, timeout=timeout)


def _plan(trader: Trader) -> Plan:
    guardian = trader.guardian
    sight = Sight(
        terms=Terms(guardian.rules, guardian.policy.known, trader.clock.now()),
        markets=open_markets(trader),
        misled=trader.groups.misled,
        client_id=trader.client_id,
    )
    return make_plan(trader.portfolio, sight)


def _bare(trader: Trader) -> list[Contract]:
    """What is held and not covered: where a stop belongs depends on the market."""
    portfolio = trader.portfolio
    working = portfolio.orders.values()
    held = portfolio.positions.values()
    return [one.contract for one in held if not protection(one, working).is_covered]


def _differed(event: ev.DriftEvent) -> str:
    return f"{event.subject}: ours {event.ours}, broker {event.theirs}"
