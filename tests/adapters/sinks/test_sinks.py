"""What all sinks have in common: they are found by name, and keep their secrets."""

from __future__ import annotations

import pickle

import msgspec
import pytest

from ibkr_trader.adapters.secret_text import NO_SECRET, Secret
from ibkr_trader.adapters.sinks import SINKS
from ibkr_trader.adapters.sinks.json_lines import JsonLinesSettings
from ibkr_trader.adapters.sinks.redis_streams import RedisStreamsSettings
from ibkr_trader.adapters.sinks.webhook import WebhookSettings

SETTINGS: dict[str, msgspec.Struct] = {
    "json_lines": JsonLinesSettings(path="told.jsonl"),
    "redis_streams": RedisStreamsSettings(username="desk", password=Secret("hunter2")),
    "webhook": WebhookSettings(
        url="https://hooks.example/T0/hunter2?k=hunter2",
        key=Secret("hunter2"),
        token=Secret("hunter2"),
    ),
}


def test_every_sink_is_found_and_made_of_its_own_settings() -> None:
    assert list(SINKS) == sorted(SETTINGS)
    for name, kind in SINKS.items():
        assert kind.settings is type(SETTINGS[name])
        assert kind(SETTINGS[name]).name


@pytest.mark.parametrize("name", SETTINGS)
def test_no_secret_is_shown(name: str) -> None:
    sink = SINKS[name](SETTINGS[name])
    assert "hunter2" not in f"{SETTINGS[name]!r} {SETTINGS[name]} {sink!r} {sink.name}"


def test_a_secret_is_revealed_to_who_asks_and_written_down_by_nobody() -> None:
    secret = Secret("hunter2")
    assert (secret.reveal(), bool(secret), bool(NO_SECRET)) == ("hunter2", True, False)
    assert (repr(secret), str(NO_SECRET)) == ("Secret(***)", "Secret()")
    with pytest.raises(TypeError):
        pickle.dumps(secret)
    with pytest.raises(TypeError):
        msgspec.json.encode(secret)
