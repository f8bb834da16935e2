"""What set an order off, how long each stage of its way took, and what that cost, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibkr_trader.cli.report_view import lasted, points
from ibkr_trader.cli.wording import when
from ibkr_trader.core import events as ev
from ibkr_trader.core.text import SENTENCES, average, money, plain, price, quantity
from ibkr_trader.portfolio.forensic_fold import Forensics
from ibkr_trader.portfolio.forensics import Latency

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ibkr_trader.core.commands import Command
    from ibkr_trader.core.models import OrderId
    from ibkr_trader.portfolio.forensics import Decision, Execution, Shortfall, Signal

_WAYS = {
    Latency.ACCEPT: "accepted after {}",
    Latency.FILL: "first execution {} later",
    Latency.FINISH: "last one {} later",
}


class Chain:
    """One order's way, gathered while its history is read."""

    def __init__(self, order_id: OrderId) -> None:
        self._order_id = order_id
        self._known = Forensics()

    def hear(self, message: Command | ev.BaseEvent) -> None:
        """Take note of what may have set the order off, and of its own news."""
        match message:
            case ev.PredictionSignalEvent() | ev.DecisionEvent():
                self._known = self._known.after(message)
            case ev.OrderEvent(order_id=order_id) if order_id == self._order_id:
                self._known = self._known.after(message)
            case _:
                return

    def lines(self, *, utc: bool) -> list[str]:
        """Return what is known of it; nothing if the order was written down before all that."""
        found = self._known.execution(self._order_id)
        if found is None:
            return []
        lines: list[str] = []
        if found.signal is not None:
            lines.append(_signal(found.signal, found, utc=utc))
        if found.decision is not None:
            lines.append(_decision(found.decision, found))
        lines += _way(found, utc=utc)
        lines += _costs(found)
        return ["its way:", *(f"  {plain(line, limit=SENTENCES)}" for line in lines)]


def _signal(signal: Signal, found: Execution, *, utc: bool) -> str:
    words = [f"signal {signal.source}/{signal.signal_id}: {signal.signal}"]
    words.append(f"confidence {quantity(signal.confidence)}")
    if signal.price is not None:
        words.append(f"at {price(signal.price)}")
    if signal.issued_at is not None:
        words.append(f"issued {when(signal.issued_at, utc=utc)}")
    if (length := found.latencies.get(Latency.SIGNAL)) is not None:
        words.append(f"here {_length(lasted(length))} later")
    return ", ".join(words)


def _decision(decision: Decision, found: Execution) -> str:
    words = [f"decided by {found.rule}, version {decision.version}, because of {decision.cause}"]
    if (length := found.latencies.get(Latency.DECISION)) is not None:
        words.append(f"{_length(lasted(length))} after the signal")
    if decision.price is not None:
        words.append(f"the market was at {price(decision.price)}")
    if decision.facts:
        words.append("; ".join(f"{name} {value}" for name, value in decision.facts.items()))
    return ", ".join(words)


def _way(found: Execution, *, utc: bool) -> Iterator[str]:
    if found.sent_at is None:
        yield "never sent"
        return
    latencies = found.latencies
    words = [f"sent {when(found.sent_at, utc=utc)}"]
    if Latency.SEND in latencies:
        words.append(f"{_length(lasted(latencies[Latency.SEND]))} after the decision")
    words += [
        text.format(_length(lasted(latencies[stage])))
        for stage, text in _WAYS.items()
        if stage in latencies
    ]
    yield ", ".join(words)


def _costs(found: Execution) -> Iterator[str]:
    named = {
        "the signal's": found.against_signal,
        "the decision's": found.against_decision,
        "its trigger": found.slippage,
    }
    for name, one in named.items():
        if one is not None:
            yield f"cost against {name} {average(one.reference)}: {_cost(one)}"


def _cost(one: Shortfall) -> str:
    words = f"{money(one.money, signed=True)}, {points(one.bp)} bp"
    if one.total is None:
        return f"{words}; the commission is not known"
    total = f"{money(one.total, signed=True)}, {points(one.total_bp)} bp"
    return f"{words}; with commission {total}"


def _length(text: str) -> str:
    """What a table says in a column of milliseconds, with its unit."""
    return text if text[-1].isalpha() else f"{text} ms"
