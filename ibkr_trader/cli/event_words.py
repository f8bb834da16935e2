"""What happened, in words: one sentence for each event that is worth one.

The lines of a running trader and the feed of its screens say the same, so the words have one
home. An order that ended is told with its terms, so whoever asks hands over the order as it
was then: later it may be another, or forgotten.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibkr_trader.cli.care_words import care_sentence
from ibkr_trader.cli.halts import by, how_to_resume
from ibkr_trader.cli.lights import away, is_of_ibkr
from ibkr_trader.cli.order_view import sentence
from ibkr_trader.cli.strategy_words import decided_words
from ibkr_trader.cli.wording import counted, when
from ibkr_trader.core import events as ev
from ibkr_trader.core.contracts import label
from ibkr_trader.core.enums import TradingState
from ibkr_trader.core.ids import short_id
from ibkr_trader.core.text import average, broker_words, money, price, quantity
from ibkr_trader.orders.managed_trails import Trail
from ibkr_trader.portfolio.odd_fills import bust_words, in_words, is_bust

if TYPE_CHECKING:
    from ibkr_trader.core.models import Order

_MOST_KNOWN = 1_000  # orders
# Two of them may well be alike, and are heard each: executions, alerts, keys.
_EACH_IS_NEWS = (
    ev.FillEvent | ev.CoverEvent | ev.OperatorEvent | ev.OptionsFlowEvent | ev.StrategyEvent
)


class EventWords:
    """Puts events into words, and remembers what it said last of each order and of the rest."""

    def __init__(self, *, utc: bool) -> None:
        self._utc = utc
        self._said: dict[str, str] = {}

    def news(self, event: ev.BaseEvent, order: Order | None = None) -> str | None:
        """Return what happened; None if it is worth no line, or was the last thing said.

        The broker says some things twice.
        """
        text = self.of(event, order)
        if text is None:
            return None
        subject = event.order_id if isinstance(event, ev.OrderEvent) else ""
        if len(self._said) > _MOST_KNOWN:
            self._said.clear()
        before, self._said[subject] = self._said.get(subject), text
        return None if before == text and not isinstance(event, _EACH_IS_NEWS) else text

    def of(self, event: ev.BaseEvent, order: Order | None = None) -> str | None:
        """Return what happened; `order` is the one it is about, as it then stood."""
        match event:
            case ev.OrderEvent():
                return _of_an_order(event) or _of_its_end(event, order)
            case ev.PositionEvent():
                return _position(event)
            case ev.CoverEvent(message=message, since=since) if since is not None:
                # The rules know no zone: what they write as UTC is shown as all other times.
                return message.replace(f"{since:%H:%M:%S} UTC", when(since, utc=self._utc))
            case ev.OperatorEvent(operator=operator, action=action):
                return f"{operator}: {action}"
            case ev.NoticeEvent() | ev.OptionsFlowEvent() | ev.StrategyEvent():
                return decided_words(event)
            case ev.SystemEvent():
                return _system(event, utc=self._utc)
            case _:
                return None


def _of_an_order(event: ev.OrderEvent) -> str | None:
    name = short_id(event.order_id)
    match event:
        case ev.NewOrderEvent(spec=spec):
            return f"sent {name} {sentence(spec)}"
        case ev.AdoptEvent(order=order):
            return f"taken over {order.order_id} {sentence(order.spec)}: it was of a lost journal"
        case ev.DenyEvent(breaches=breaches):
            return f"denied {name}: {'; '.join(one.message.rstrip('.') for one in breaches)}"
        case ev.FillEvent():
            return _execution(event, name)
        case ev.ModifyEvent(spec=spec):
            return f"changing {name} to {sentence(spec)}"
        case ev.ModifyRejectEvent(reason=reason):
            return f"the change of {name} was refused: {broker_words(reason)}"
        case ev.CancelRejectEvent(reason=reason):
            return f"the cancel of {name} was refused: {broker_words(reason)}"
        case _:
            return None


def _execution(event: ev.FillEvent, name: str) -> str:
    fill = event.fill
    if is_bust(event):
        return f"{label(fill.contract)}: {bust_words(event)}; it was of {name}"
    what = f"{fill.side} {quantity(fill.quantity)} {label(fill.contract)} @ {price(fill.price)}"
    if event.replaces is not None:
        return f"corrected {name} {what}: it was {in_words(event.replaces)}"
    return f"filled {name} {what}" + (", liquidated by the broker" * fill.is_liquidation)


def _of_its_end(event: ev.OrderEvent, order: Order | None) -> str | None:
    words = f" {sentence(order.spec)}" if order is not None else ""
    named = f"{short_id(event.order_id)}{words}"
    match event:
        case ev.CancelEvent():
            return f"cancelled {named}"
        case ev.ExpireEvent():
            return f"expired {named}"
        case ev.RejectEvent(reason=reason):
            return f"rejected {named}: {broker_words(reason)}"
        case ev.HoldEvent(reason=reason):
            return f"held by the broker {named}: {broker_words(reason)}"
        case ev.UnknownEvent(reason=reason):
            return f"UNKNOWN {named}: {reason}. Never repeat it"
        case ev.NotSentEvent(reason=reason):
            return f"not sent {named}: {reason}"
        case _:
            return None


def _position(event: ev.PositionEvent) -> str:
    held = event.position
    name = label(held.contract)
    if isinstance(event, ev.PositionCloseEvent):
        return f"flat in {name}; realised {money(event.realized_pnl, signed=True)}"
    return f"position {quantity(held.quantity, signed=True)} {name} at {average(held.average_cost)}"


def _system(event: ev.SystemEvent, *, utc: bool) -> str | None:
    match event:
        case ev.DisconnectEvent() | ev.ConnectEvent() | ev.SyncEvent():
            return _link(event, utc=utc)
        case ev.ErrorEvent(code=code, message=message):
            return f"{message} (code {code})" if code else message
        case ev.DriftEvent(subject=subject, ours=ours, theirs=theirs):
            return f"drift of {subject}: ours {ours}, the broker's {theirs}"
        case ev.StateEvent() | ev.ArmEvent():
            return _state(event)
        case ev.GroupEvent() | ev.TrailEvent() | ev.CareEvent():
            return _group(event)
        case ev.CoverEvent(message=message) | ev.LossEvent(message=message):
            return message
        case ev.CloseRequestEvent() | ev.CloseEndEvent():
            return _closing(event)
        case _:
            return None


def _state(event: ev.StateEvent | ev.ArmEvent) -> str:
    if isinstance(event, ev.ArmEvent):
        return event.reason if event.until is not None else f"disarmed: {event.reason}"
    what = f"{event.symbol} is" if event.symbol else "trading state"
    who = by(event.origin)
    text = f"{what} {event.state}{f', {who}' if who else ''}: {event.reason}"
    if event.state is TradingState.ACTIVE:
        return text
    if event.flattens:
        text += "; what is held is closed"
    return f"{text}. It ends with: {how_to_resume(event.symbol)}"


def _closing(event: ev.CloseRequestEvent | ev.CloseEndEvent) -> str | None:
    name = short_id(event.group_id)
    if isinstance(event, ev.CloseEndEvent):
        return f"{name}: {event.message or 'closed'}"
    # It is told again once its stop is known: nothing new for people.
    return None if event.stop is not None else f"{name}: closing {label(event.contract)}"


def _link(event: ev.DisconnectEvent | ev.ConnectEvent | ev.SyncEvent, *, utc: bool) -> str:
    match event:
        case ev.DisconnectEvent(reason=reason, until=until) if until is not None:
            back = f"it restarts, and is to be back by {when(until, utc=utc)}"
            gone = away(reason) if is_of_ibkr(reason) else f"gateway gone ({reason})"
            return f"{gone}: {back}. Stops at the broker stay"
        case ev.DisconnectEvent(reason=reason) if is_of_ibkr(reason):
            return f"{away(reason)}. Stops at the broker stay; waiting for it"
        case ev.DisconnectEvent(reason=reason):
            return f"gateway lost: {reason.rstrip('.')}. Stops at the broker stay; trying again"
        case ev.ConnectEvent():
            return "gateway connected; asking it for everything"
        case ev.SyncEvent(positions=positions):
            return f"in sync: {counted(len(positions), 'position')}"


def _group(event: ev.GroupEvent | ev.TrailEvent | ev.CareEvent) -> str:
    if isinstance(event, ev.CareEvent):
        return care_sentence(event)
    if isinstance(event, ev.GroupEvent):
        return f"{short_id(event.group_id)}: {event.message}"
    name = short_id(event.order_id)
    if not event.plan:
        return f"{name} stays where it is"
    return f"{name} follows the market by {Trail.planned(event.plan).words}"
