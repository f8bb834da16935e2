from __future__ import annotations

import msgspec

from ibkr_trader.cli.strategy_words import decided_words
from ibkr_trader.core.enums import Side, WouldBe
from tests.rules.test_parity import would


def test_what_a_shadow_would_have_traded_is_a_line() -> None:
    sold = "one, shadow: would have sold 10 AAPL at 110.00 (exit), gain +98.00"
    assert decided_words(would(1)) == sold
    bought = msgspec.structs.replace(would(1), side=Side.BUY, kind=WouldBe.ENTRY, gain=None)
    assert decided_words(bought) == "one, shadow: would have bought 10 AAPL at 110.00 (entry)"
