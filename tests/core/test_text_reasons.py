"""What a broker says before its reason is left out; where no reason follows, nothing is left."""

from __future__ import annotations

import pytest

from ibkr_trader.core.text import broker_words


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("Order Canceled - reason:", ""),
        ("Order rejected - reason:No margin", "No margin"),
        ("no margin", "no margin"),
        ("", ""),
    ],
)
def test_of_a_brokers_message_only_the_reason_is_left(said: str, reason: str) -> None:
    assert broker_words(said) == reason
