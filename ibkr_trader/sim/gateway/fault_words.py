"""Faults in words: `swallow placeOrder`, `dup orderStatus --order k7qav-1-stop`."""

import re
from collections.abc import Callable
from typing import Any

from ibkr_trader.sim.gateway import acts
from ibkr_trader.sim.gateway import fault_rules as rules
from ibkr_trader.sim.gateway.fault_rules import Fault
from ibkr_trader.sim.gateway.transport_words import TRANSPORT_FORMS, WAYS, client_in, latency
from ibkr_trader.sim.gateway.words import (
    BadWords,
    Form,
    Words,
    chosen,
    number_of,
    real_in,
    when_in,
)

Read = Callable[[Words], acts.Act]
_COMMISSIONS = ("none", "late", "dup", "unset")
_CUTS = ("before", "after", "answered")


def _fault(act: Callable[[Words], rules.Act], names: tuple[str, ...] = ()) -> Read:
    def read(words: Words) -> acts.Act:
        done = act(words)
        when = when_in(words, words.rest(names))
        return acts.Arm(faults=(Fault(when=when, act=done),))

    return read


def _about_order(make: Callable[..., tuple[Fault, ...]], *first: str) -> Read:
    """Read a named fault: its number first, if it has one, and then which orders it is about."""

    def read(words: Words) -> acts.Act:
        figures: list[Any] = [number_of(words, what) for what in first]
        figures = [int(f) if what == "CODE" else f for what, f in zip(first, figures, strict=True)]
        return acts.Arm(faults=make(*figures, order=words.option("order", "*")))

    return read


def _ack_delay(words: Words) -> acts.Act:
    seconds = real_in(words.word("SECONDS"), "SECONDS")
    return acts.Arm(faults=rules.ack_delay(seconds, order=words.option("order", "*")))


def _commission(words: Words) -> acts.Act:
    how: Any = chosen(words.word("HOW"), "HOW", _COMMISSIONS)
    seconds = real_in(words.word("SECONDS", "5"), "SECONDS")
    made = rules.commission(how, seconds=seconds, order=words.option("order", "*"))
    return acts.Arm(faults=made)


def _told(kind: type[rules.Reject | rules.Warn]) -> Callable[[Words], rules.Act]:
    def read(words: Words) -> rules.Act:
        code = int(number_of(words, "CODE"))
        return kind(code=code, text=words.option("text", f"code {code}, by gateway inject"))

    return read


def _shuffle(words: Words) -> rules.Act:
    text = words.word("PLACES")
    if not re.fullmatch(r"\d(,\d)*", text):
        message = f"PLACES are like 1,0 (swap two) or 0,0,1 (repeat one), not {text!r}"
        raise BadWords(message)
    return rules.Shuffle(order=tuple(int(place) for place in text.split(",")))


def _cut(how: Any) -> Read:
    def cut(words: Words) -> rules.Act:
        at: Any = chosen(words.option("at", "before"), "--at", _CUTS)
        return rules.Cut(how=how, at=at)

    def read(words: Words) -> acts.Act:
        if words.next == "now":
            words.word("now")
            return acts.HangUp(how=how, client=client_in(words))
        return _fault(cut, ("placeOrder",))(words)

    return read


def _delay(words: Words) -> acts.Act:
    seconds = real_in(words.word("SECONDS"), "SECONDS")
    if words.next in WAYS:
        return latency(words, seconds)
    return _fault(lambda _: rules.Delay(seconds=seconds))(words)


_ORDER = "[--order NAME]"
_WHICH = "[--order NAME] [--nth N] [--times N]"
FAULT_FORMS: dict[str, Form] = {
    "swallow": Form(
        f"swallow [REQUEST] {_WHICH}",
        "a request (placeOrder) is lost",
        _fault(lambda _: rules.Drop(), ("placeOrder",)),
    ),
    "drop": Form(f"drop MESSAGE… {_WHICH}", "messages are lost", _fault(lambda _: rules.Drop())),
    "dup": Form(f"dup MESSAGE… {_WHICH}", "messages come twice", _fault(lambda _: rules.Repeat())),
    "delay": Form(
        f"delay SECONDS MESSAGE… {_WHICH} | c2s|s2c|both [--client N]",
        "messages come later, or all that goes this way",
        _delay,
    ),
    "reorder": Form(
        f"reorder PLACES MESSAGE… {_WHICH}", "messages change places: 1,0 swaps", _fault(_shuffle)
    ),
    "reject": Form(
        f"reject CODE [REQUEST] [--text TEXT] {_WHICH}",
        "placeOrder, modifyOrder or cancelOrder is refused",
        _fault(_told(rules.Reject), ("placeOrder",)),
    ),
    "warn": Form(
        f"warn CODE [REQUEST] [--text TEXT] {_WHICH}",
        "the request is done, and a notice follows",
        _fault(_told(rules.Warn), ("placeOrder",)),
    ),
    "rst": Form(
        f"rst [REQUEST] [--at before|after|answered] {_WHICH} | now [--client N]",
        "the connection breaks at a request, or now",
        _cut("rst"),
    ),
    "fin": Form(
        f"fin [REQUEST] [--at before|after|answered] {_WHICH} | now [--client N]",
        "the connection is closed at a request, or now",
        _cut("fin"),
    ),
    "ack-delay": Form(f"ack-delay SECONDS {_ORDER}", "an order arrives late", _ack_delay),
    "unanswered": Form(
        f"unanswered {_ORDER}", "nothing is told of orders", _about_order(rules.unanswered)
    ),
    "cancel-refused": Form(
        f"cancel-refused 161|10147|10148 {_ORDER}",
        "a cancel is refused, and the order works on",
        _about_order(rules.cancel_refused, "CODE"),
    ),
    "fill-wins-cancel": Form(
        f"fill-wins-cancel SHARES {_ORDER}",
        "so much trades before the cancel",
        _about_order(rules.fill_wins_cancel, "SHARES"),
    ),
    "fill-wins-modify": Form(
        f"fill-wins-modify SHARES {_ORDER}",
        "so much trades before the change",
        _about_order(rules.fill_wins_modify, "SHARES"),
    ),
    "exec-before-status": Form(
        f"exec-before-status {_ORDER}",
        "executions come before any status",
        _about_order(rules.exec_before_status),
    ),
    "status-without-exec": Form(
        f"status-without-exec {_ORDER}",
        "no executions are told",
        _about_order(rules.status_without_exec),
    ),
    "exec-without-status": Form(
        f"exec-without-status {_ORDER}",
        "no statuses are told",
        _about_order(rules.exec_without_status),
    ),
    "commission": Form(
        f"commission none|late|dup|unset [SECONDS] {_ORDER}",
        "reports of commissions go wrong",
        _commission,
    ),
    **TRANSPORT_FORMS,
}
