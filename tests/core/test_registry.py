"""Named parts, discovered from a package."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ibkr_trader.core.errors import InvariantBroken
from ibkr_trader.core.registry import Registry


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Yield the name of a package that registers a part in each of two modules."""
    home = tmp_path / "planted_parts"
    home.mkdir()
    (home / "__init__.py").write_text(
        "from ibkr_trader.core.registry import Registry\n"
        "PARTS: Registry[str] = Registry('part', 'planted_parts')\n"
    )
    for name in ("beta", "alpha"):
        (home / f"{name}.py").write_text(
            f"from planted_parts import PARTS\nPARTS.register('{name}')('the {name} part')\n"
        )
    monkeypatch.syspath_prepend(str(tmp_path))
    yield "planted_parts"
    for module in [name for name in sys.modules if name.startswith("planted_parts")]:
        del sys.modules[module]


def test_parts_are_found_in_order_of_their_modules(package: str) -> None:
    parts: Registry[str] = importlib.import_module(package).PARTS
    assert list(parts) == ["alpha", "beta"]
    assert parts["alpha"] == "the alpha part"
    assert "beta" in parts
    assert "gamma" not in parts
    assert parts.items() == [("alpha", "the alpha part"), ("beta", "the beta part")]


def test_two_parts_of_one_name_are_refused() -> None:
    parts: Registry[int] = Registry("part")
    assert parts.register("one")(1) == 1
    with pytest.raises(InvariantBroken, match="two parts of kind 'part' are called 'one'"):
        parts.register("one")(2)
    assert parts.items() == [("one", 1)]


def test_a_missing_part_is_missed() -> None:
    parts: Registry[int] = Registry("part")
    with pytest.raises(KeyError):
        parts["nothing"]


def test_the_order_is_that_of_the_names_whoever_was_imported_first() -> None:
    numbers: Registry[int] = Registry("number")
    for name, number in (("two", 2), ("one", 1), ("three", 3)):
        numbers.register(name)(number)
    assert list(numbers) == ["one", "three", "two"]
    assert numbers.items() == [("one", 1), ("three", 3), ("two", 2)]
