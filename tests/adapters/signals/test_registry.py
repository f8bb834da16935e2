"""Every kind of source is found by its name, is one file's only part, and has its port's shape."""

from __future__ import annotations

import inspect
import subprocess
import sys
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from ibkr_trader.adapters.signals.registry import SOURCES

if TYPE_CHECKING:
    from ibkr_trader.execution.ports import SignalSource

LEAST: dict[str, dict[str, Any]] = {
    "api": {"url": "https://api.example.com", "tickers": ["AAPL"]},
    "file": {"path": "signals.jsonl"},
    "webhook": {"allow_unsigned": True},
}


def test_the_sources_are_there_and_each_file_has_one() -> None:
    assert set(LEAST) <= set(SOURCES)
    homes = Counter(inspect.getmodule(factory) for _, factory in SOURCES.items())
    assert set(homes.values()) == {1}


@pytest.mark.parametrize("name", LEAST)
def test_a_source_is_called_as_its_kind_unless_it_has_a_name(name: str) -> None:
    source: SignalSource = SOURCES[name](LEAST[name])
    assert source.name == name
    assert SOURCES[name]({**LEAST[name], "name": "other"}).name == "other"


@pytest.mark.parametrize("name", LEAST)
def test_a_mistake_names_its_table_and_key(name: str) -> None:
    with pytest.raises(ValueError, match=rf"^signals\.{name}\.nmae: there is no such key"):
        SOURCES[name]({**LEAST[name], "nmae": "x"})


def test_another_kind_is_none() -> None:
    assert "carrier_pigeon" not in SOURCES


def test_nobody_pays_for_a_source_that_is_not_used() -> None:
    program = (
        "import sys; from ibkr_trader.adapters.signals.registry import SOURCES; "
        "SOURCES.discover(); print({'httpx', 'h11', 'redis'} & set(sys.modules))"
    )
    found = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=50, check=False
    )
    assert (found.stdout, found.stderr) == ("set()\n", "")
