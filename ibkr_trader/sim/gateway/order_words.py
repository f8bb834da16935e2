"""What befalls orders and prices, in words: `10349 dead`, `precaution-hold never`, `bad-tick`."""

from collections.abc import Callable
from typing import Any

from ibkr_trader.sim.gateway import acts
from ibkr_trader.sim.gateway import fault_rules as rules
from ibkr_trader.sim.gateway import named_faults as named
from ibkr_trader.sim.gateway.fault_rules import Fault
from ibkr_trader.sim.gateway.words import (
    Form,
    Words,
    chosen,
    count_in,
    number_of,
    price_in,
    seconds_in,
)

Read = Callable[[Words], acts.Act]


def _armed(make: Callable[[Words], tuple[Fault, ...]]) -> Read:
    return lambda words: acts.Arm(faults=make(words))


def _order(words: Words) -> str:
    return words.option("order", "*")


def _tif_note(words: Words) -> tuple[Fault, ...]:
    fate: Any = chosen(words.word("FATE", "live"), "FATE", ("live", "dead"))
    return named.tif_note(fate, order=_order(words))


def _hold(words: Words) -> tuple[Fault, ...]:
    text = words.word("SECONDS")
    seconds = None if text == "never" else seconds_in(text)
    return named.precaution_hold(seconds, order=_order(words))


def _nap(words: Words) -> acts.Act:
    text = words.word("SECONDS", "30")
    seconds = None if text == "never" else count_in(text, "SECONDS")
    return acts.Sleep(order=_order(words), seconds=seconds)


def _bad_tick(words: Words) -> tuple[Fault, ...]:
    side: Any = chosen(words.word("SIDE"), "SIDE", tuple(named.KINDS))
    price = price_in(words.word("PRICE"))
    times = count_in(words.option("times", "0"), "--times", least=0)
    return named.bad_tick(side, price, times=times)


def _band(words: Words) -> acts.Act:
    text = words.next
    if text == "off":
        words.word("PERCENT")
        return acts.Band()
    return acts.Band(percent=number_of(words, "PERCENT"))


_NAME = "[--order NAME]"
ORDER_FORMS: dict[str, Form] = {
    "accept-no-ack": Form(
        f"accept-no-ack {_NAME}",
        "an order works, and nobody says so",
        _armed(lambda w: rules.unanswered(order=_order(w))),
    ),
    "10349": Form(
        f"10349 live|dead {_NAME}", "a note on an order's lifetime, or its end", _armed(_tif_note)
    ),
    "inactive-then-live": Form(
        f"inactive-then-live [SECONDS|never] {_NAME}",
        "the next order is Inactive, and then it works",
        _nap,
    ),
    "two-permids": Form(
        "two-permids ORDER",
        "an order lives twice, under one name",
        lambda w: acts.Double(order=w.word("ORDER")),
    ),
    "resize-481": Form(
        f"resize-481 SHARES {_NAME}",
        "the broker takes the next order for fewer shares",
        _armed(lambda w: named.resize_481(number_of(w, "SHARES"), order=_order(w))),
    ),
    "precaution-hold": Form(
        f"precaution-hold SECONDS|never {_NAME}",
        "the next order waits behind a question in TWS",
        _armed(_hold),
    ),
    "cancel-ack-only-at-open": Form(
        f"cancel-ack-only-at-open {_NAME}",
        "the next cancel waits for the opening",
        _armed(lambda w: named.cancel_ack_only_at_open(order=_order(w))),
    ),
    "exec-correction-first": Form(
        f"exec-correction-first {_NAME}",
        "the next execution waits for its correction",
        _armed(lambda w: named.correction_first(order=_order(w))),
    ),
    "bad-tick": Form(
        "bad-tick bid|ask|bid-ask|last PRICE|nan [--times N]",
        "prices are told wrong: -1, nan, ten times too high",
        _armed(_bad_tick),
    ),
    "band": Form(
        "band PERCENT|off", "limits further through the market are cancelled (202)", _band
    ),
}
