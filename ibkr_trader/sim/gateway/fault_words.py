"""Faults in words: `swallow placeOrder`, `dup orderStatus --order k7qav-1-stop`."""

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from ibkr_trader.sim.gateway import acts
from ibkr_trader.sim.gateway import fault_rules as rules
from ibkr_trader.sim.gateway.transport_words import WAYS, latency
from ibkr_trader.sim.gateway.words import (
    WHICH,
    BadWords,
    Form,
    Read,
    Words,
    about_order,
    chosen,
    client_in,
    count_in,
    number_of,
    seconds_in,
    striking,
)

_COMMISSIONS = ("none", "late", "dup", "unset")
_CUTS = ("before", "after", "answered")


def _code(words: Words) -> int:
    return count_in(words.word("CODE"), "CODE")


def _shares(words: Words) -> Decimal:
    return number_of(words, "SHARES")


def _seconds(words: Words) -> float:
    return seconds_in(words.word("SECONDS"))


def _commission(words: Words) -> acts.Act:
    how: Any = chosen(words.word("HOW"), "HOW", _COMMISSIONS)
    seconds = seconds_in(words.word("SECONDS", "5"))
    made = rules.commission(how, seconds=seconds, order=words.option("order", "*"))
    return acts.Arm(faults=made)


def _told(kind: type[rules.Reject | rules.Warn]) -> Callable[[Words], rules.Act]:
    def read(words: Words) -> rules.Act:
        code = _code(words)
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
        return striking(cut, ("placeOrder",))(words)

    return read


def _delay(words: Words) -> acts.Act:
    seconds = _seconds(words)
    if words.next in WAYS:
        return latency(words, seconds)
    return striking(lambda _: rules.Delay(seconds=seconds))(words)


_ORDER = "[--order NAME]"
FAULT_FORMS: dict[str, Form] = {
    "swallow": Form(
        f"swallow [REQUEST] {WHICH}",
        "a request (placeOrder) is lost",
        striking(lambda _: rules.Drop(), ("placeOrder",)),
    ),
    "drop": Form(f"drop MESSAGE… {WHICH}", "messages are lost", striking(lambda _: rules.Drop())),
    "dup": Form(f"dup MESSAGE… {WHICH}", "messages come twice", striking(lambda _: rules.Repeat())),
    "delay": Form(
        f"delay SECONDS MESSAGE… {WHICH} | c2s|s2c|both [--client N]",
        "messages come later, or all that goes this way",
        _delay,
    ),
    "reorder": Form(
        f"reorder PLACES MESSAGE… {WHICH}", "messages change places: 1,0 swaps", striking(_shuffle)
    ),
    "reject": Form(
        f"reject CODE [REQUEST] [--text TEXT] {WHICH}",
        "placeOrder, modifyOrder or cancelOrder is refused",
        striking(_told(rules.Reject), ("placeOrder",)),
    ),
    "warn": Form(
        f"warn CODE [REQUEST] [--text TEXT] {WHICH}",
        "the request is done, and a notice follows",
        striking(_told(rules.Warn), ("placeOrder",)),
    ),
    "rst": Form(
        f"rst [REQUEST] [--at before|after|answered] {WHICH} | now [--client N]",
        "the connection breaks at a request, or now",
        _cut("rst"),
    ),
    "fin": Form(
        f"fin [REQUEST] [--at before|after|answered] {WHICH} | now [--client N]",
        "the connection is closed at a request, or now",
        _cut("fin"),
    ),
    "ack-delay": Form(
        f"ack-delay SECONDS {_ORDER}",
        "an order arrives late",
        about_order(rules.ack_delay, _seconds),
    ),
    "unanswered": Form(
        f"unanswered {_ORDER}", "nothing is told of orders", about_order(rules.unanswered)
    ),
    "cancel-refused": Form(
        f"cancel-refused 161|10147|10148 {_ORDER}",
        "a cancel is refused, and the order works on",
        about_order(rules.cancel_refused, _code),
    ),
    "fill-wins-cancel": Form(
        f"fill-wins-cancel SHARES {_ORDER}",
        "so much trades before the cancel",
        about_order(rules.fill_wins_cancel, _shares),
    ),
    "fill-wins-modify": Form(
        f"fill-wins-modify SHARES {_ORDER}",
        "so much trades before the change",
        about_order(rules.fill_wins_modify, _shares),
    ),
    "exec-before-status": Form(
        f"exec-before-status {_ORDER}",
        "executions come before any status",
        about_order(rules.exec_before_status),
    ),
    "status-without-exec": Form(
        f"status-without-exec {_ORDER}",
        "no executions are told",
        about_order(rules.status_without_exec),
    ),
    "exec-without-status": Form(
        f"exec-without-status {_ORDER}",
        "no statuses are told",
        about_order(rules.exec_without_status),
    ),
    "commission": Form(
        f"commission none|late|dup|unset [SECONDS] {_ORDER}",
        "reports of commissions go wrong",
        _commission,
    ),
}
