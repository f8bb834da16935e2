"""Every kind of sink is found by its name, is one file's only part, and keeps its secrets."""

from __future__ import annotations

import inspect
from collections import Counter
from typing import Any

import pytest

from ibkr_trader.adapters.sinks import SINKS

HIDDEN = "hunter2-hunter2-hunter2"
LEAST: dict[str, dict[str, Any]] = {
    "json_lines": {"path": "told.jsonl"},
    "redis_streams": {"url": "redis://desk@127.0.0.1", "password_env": "DESK_SECRET"},
    "webhook": {
        "url": f"https://hooks.example/T0/{HIDDEN}?k={HIDDEN}",
        "key_env": "DESK_SECRET",
        "token_env": "DESK_SECRET",
    },
}


@pytest.fixture(autouse=True)
def secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DESK_SECRET", HIDDEN)


def test_the_sinks_are_there_and_each_file_has_one() -> None:
    assert list(SINKS) == sorted(LEAST)
    homes = Counter(inspect.getmodule(factory) for _, factory in SINKS.items())
    assert set(homes.values()) == {1}


@pytest.mark.parametrize("name", LEAST)
def test_no_secret_is_shown(name: str) -> None:
    sink = SINKS[name](LEAST[name])
    assert sink.name
    assert HIDDEN not in f"{sink!r} {sink.name} {vars(sink)}"


@pytest.mark.parametrize("name", LEAST)
def test_a_mistake_names_its_table_and_key_and_the_keys_that_there_are(name: str) -> None:
    with pytest.raises(
        ValueError, match=rf"^sinks\.{name}\.pigeon: there is no such key"
    ) as caught:
        SINKS[name]({**LEAST[name], "pigeon": "x"})
    assert all(key in str(caught.value) for key in LEAST[name])


@pytest.mark.parametrize("name", ["redis_streams", "webhook"])
def test_a_variable_that_is_not_set_is_named(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DESK_SECRET")
    with pytest.raises(ValueError, match=rf"^sinks\.{name}\.\w+_env: .* has no DESK_SECRET$"):
        SINKS[name](LEAST[name])
