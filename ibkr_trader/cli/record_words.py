"""What the journal's records say, in words: who asked for what, and each word of the broker."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibkr_trader.cli.order_view import sentence
from ibkr_trader.core import events as ev
from ibkr_trader.core.commands import CancelOrder, ModifyOrder, SubmitOrders
from ibkr_trader.core.ids import short_id
from ibkr_trader.core.text import broker_words, money, quantity

if TYPE_CHECKING:
    from ibkr_trader.cli.event_words import EventWords
    from ibkr_trader.core.commands import Command
    from ibkr_trader.core.models import Order

    Message = Command | ev.BaseEvent


def words_of(message: Message, words: EventWords, order: Order | None = None) -> str | None:
    """Return what a record says; None if it has nothing for people.

    Args:
        message: A command or an event.
        words: Puts events into words.
        order: The order that it is about, as it then stood, if it is known.
    """
    match message:
        case SubmitOrders() | ModifyOrder() | CancelOrder():
            return _asked(message)
        case ev.OrderEvent():
            return words.of(message, order) or _broker(message)
        case ev.AlarmEvent():
            return _alarm(message)
        case ev.BaseEvent():
            return words.of(message) or _kept(message)


def naming(order_id: str, text: str) -> str:
    """Return what a record says with its order's name, where the words have none."""
    name = short_id(order_id)
    return text if name in text else f"{name}: {text}"


def _asked(command: Command) -> str:
    """Who asked for what, and why: a command has no time of its own, its verdict has."""
    who = f"{command.origin or 'somebody'}: "
    cause = f", because of {command.correlation_id}" if command.correlation_id else ""
    match command:
        case SubmitOrders(orders=orders, kind=kind, plan=plan):
            terms = "".join(f", {name} {value}" for name, value in plan.items())
            return f"{who}{kind} of {len(orders)}{terms}{cause}"
        case ModifyOrder():
            names = ("quantity", "limit_price", "stop_price", "trail_amount", "trail_percent")
            given = [(name, getattr(command, name)) for name in names]
            new = [f"{n.replace('_', ' ')} {quantity(v)}" for n, v in given if v is not None]
            return f"{who}change to {', '.join(new)}{cause}"
        case CancelOrder():
            return f"{who}cancel{' of all orders' if command.is_of_all else ''}{cause}"


def _alarm(event: ev.AlarmEvent) -> str:
    """What became of an alarm: a feed has told of the trouble itself."""
    said = f"alarm {event.key}: "
    if event.seen_by:
        return f"{said}{event.seen_by} has taken note{f': {event.reason}' if event.reason else ''}"
    return said + ("it is over" if event.is_over else event.message)


def _broker(event: ev.OrderEvent) -> str | None:
    """What the broker says in between: too much for a feed, and what one looks for here."""
    match event:
        case ev.AcceptEvent(spec=spec, warning=warning):
            return f"the broker has {sentence(spec)}{f': {warning}' if warning else ''}"
        case ev.StatusEvent(is_working=is_working, held_for=held_for):
            return "working" if is_working else f"held by the broker ({held_for or 'trigger'})"
        case ev.DoneEvent(filled=filled):
            return f"the broker calls it filled: {quantity(filled)}"
        case ev.CommissionEvent(commission=commission, currency=currency):
            return f"commission {money(commission, currency)}"
        case ev.CancelRequestEvent(origin=origin):
            return f"cancel asked for by {origin or 'nobody knows whom'}"
        case ev.WarningEvent(code=code, reason=reason):
            return f"the broker remarks: {broker_words(reason)} (code {code})"
        case _:
            return None


def _kept(event: ev.BaseEvent) -> str | None:
    """What the desk notes for itself: a feed has told of it by other events, or need not."""
    match event:
        case ev.EquityEvent(net_liquidation=worth, peak=peak):
            return f"the account is worth {money(worth)}; at its peak {money(peak)}"
        case ev.CheckpointEvent():
            return "resting point: a restart reads from here"
        case _:
            return None
