"""The settings of a Redis source keep to their ranges."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from ibkr_trader.adapters.settings import read_settings
from ibkr_trader.adapters.signals.redis_settings import RedisSettings


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"count": 0}, "s.count: expected `int` >= 1"),
        ({"count": 1_001}, "s.count"),
        ({"count": "7"}, "s.count"),
        ({"most_dead": 0}, "s.most_dead"),
        ({"max_deliveries": 0}, "s.max_deliveries"),
        ({"block_seconds": 0}, "s.block_seconds"),  # Redis would wait for ever
        ({"block_seconds": 61}, "s.block_seconds"),
        ({"timeout_seconds": 0}, "s.timeout_seconds"),
        ({"claim_after_seconds": 0.5}, "s.claim_after_seconds"),
        ({"recover_seconds": 0}, "s.recover_seconds"),
        ({"max_backoff_seconds": 0}, "s.max_backoff_seconds"),
        ({"stream": ""}, "s.stream"),
        ({"group": ""}, "s.group"),
        ({"name": "Not a name"}, "s.name"),
        ({"dead": "signals:ingress"}, "s.dead: it is the stream itself"),
        ({"url": "redis://10.0.0.1"}, "s.url: 10.0.0.1 would be asked in the clear"),
        ({"url": "redis://:x@127.0.0.1", "password_env": "P"}, "s.url: it has a password in it"),
        ({"nothing": 1}, "s.nothing: there is no such key"),
    ],
)
def test_what_is_out_of_range_is_refused_by_its_key(values: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match="s") as refused:
        read_settings(values, RedisSettings, path="s")
    assert str(refused.value).startswith(words)


def test_the_ends_of_the_ranges_are_in_them() -> None:
    least = {"count": 1, "block_seconds": 0.01, "claim_after_seconds": 1, "max_deliveries": 1}
    assert msgspec.convert(least, RedisSettings).count == 1
    assert msgspec.convert({"count": 1_000, "block_seconds": 60}, RedisSettings).count == 1_000
