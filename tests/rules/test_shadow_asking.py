from __future__ import annotations

from itertools import count

import msgspec

from ibkr_trader.core.enums import Side
from ibkr_trader.risk.envelope import Envelope
from ibkr_trader.rules.rule_memory import RuleMemory
from ibkr_trader.rules.shadow_asking import Around, asked
from ibkr_trader.rules.shadow_book import ShadowBook
from ibkr_trader.rules.strategy_text import read_strategy
from tests.rules.moments import moment
from tests.rules.shadow_samples import D

RULE = """
[[rule]]
name = "%s"
when = "price.last > %s"
on = ["price"]
[rule.open]
side = "%s"
size = "10"
stop_loss = "5%%"
"""
STRATEGY = read_strategy(
    'name = "one"\nsymbols = ["AAPL"]\n'
    + RULE % ("Up", 100, "long")
    + RULE % ("High", 1000, "short")
)
EMPTY = ShadowBook(strategy="one", version=STRATEGY.version)


def test_what_is_decided_is_named_sized_and_in_the_book() -> None:
    numbers = count(1)
    around = Around(
        RuleMemory(), "price", name=lambda: f"n{next(numbers)}", marks=lambda _: None,
        multiplier=D(100), lot=D(2),
    )  # fmt: skip
    book, faults, (made,) = asked(STRATEGY, EMPTY, moment("150"), around=around)
    assert (made.decision_id, made.rule, made.is_shadow, faults) == ("n1", "Up", True, ())
    assert (made.terms["quantity"], made.terms["multiplier"]) == ("10", "100")
    (waiting,) = book.places["AAPL"].waiting
    assert (waiting.decision_id, waiting.side) == ("n1", Side.BUY)
    assert asked(STRATEGY, EMPTY, moment("50"), around=around).book is EMPTY


def test_a_size_is_cut_to_whole_lots_of_what_is_asked_about() -> None:
    bound = msgspec.structs.replace(STRATEGY, envelope=Envelope(capital=D(750)))
    around = Around(RuleMemory(), "price", name=lambda: "n", marks=lambda _: None, lot=D(2))
    _, _, (made,) = asked(bound, EMPTY, moment("150"), around=around)
    assert made.terms["quantity"] == "4"  # it would pay for five
