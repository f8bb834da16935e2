"""What befalls orders and prices, in words: `10349 dead`, `precaution-hold never`, `bad-tick`."""

from typing import Any

from ibkr_trader.sim.gateway import acts
from ibkr_trader.sim.gateway import named_faults as named
from ibkr_trader.sim.gateway.fault_rules import Fault
from ibkr_trader.sim.gateway.words import (
    Form,
    Words,
    about_order,
    armed,
    chosen,
    count_in,
    number_of,
    price_in,
    seconds_in,
)


def _fate(words: Words) -> str:
    return chosen(words.word("FATE", "live"), "FATE", ("live", "dead"))


def _until(words: Words) -> float | None:
    text = words.word("SECONDS")
    return None if text == "never" else seconds_in(text)


def _nap(words: Words) -> acts.Act:
    text = words.word("SECONDS", "30")
    seconds = None if text == "never" else count_in(text, "SECONDS")
    return acts.Sleep(order=words.option("order", "*"), seconds=seconds)


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
    "10349": Form(
        f"10349 live|dead {_NAME}",
        "a note on an order's lifetime, or its end",
        about_order(named.tif_note, _fate),
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
        about_order(named.resize_481, lambda w: number_of(w, "SHARES")),
    ),
    "precaution-hold": Form(
        f"precaution-hold SECONDS|never {_NAME}",
        "the next order waits behind a question in TWS",
        about_order(named.precaution_hold, _until),
    ),
    "cancel-ack-only-at-open": Form(
        f"cancel-ack-only-at-open {_NAME}",
        "the next cancel waits for the opening",
        about_order(named.cancel_ack_only_at_open),
    ),
    "exec-correction-first": Form(
        f"exec-correction-first {_NAME}",
        "the next execution waits for its correction",
        about_order(named.correction_first),
    ),
    "bad-tick": Form(
        "bad-tick bid|ask|bid-ask|last PRICE|nan [--times N]",
        "prices are told wrong: -1, nan, ten times too high",
        armed(_bad_tick),
    ),
    "band": Form(
        "band PERCENT|off", "limits further through the market are cancelled (202)", _band
    ),
}
