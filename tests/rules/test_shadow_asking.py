from __future__ import annotations

from itertools import count

from ibkr_trader.core.enums import Side
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
