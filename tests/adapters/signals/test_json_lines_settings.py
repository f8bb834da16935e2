"""The settings of a file of lines: which one, and whether it ends."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ibkr_trader.adapters.signals.json_lines import FileSettings, JsonLines
from ibkr_trader.adapters.signals.registry import SOURCES

KEY = b"0123456789abcdef"


@pytest.mark.parametrize(
    ("path", "follow", "expected"),
    [
        ("x", None, True), ("x", True, True), ("x", False, False),
        ("-", None, False), ("-", False, False),
    ],
)  # fmt: skip
def test_a_file_is_followed_unless_it_is_told_to_end(
    path: str, follow: bool | None, expected: bool
) -> None:
    assert FileSettings(path=path, follow=follow).is_followed is expected


def test_it_is_made_from_a_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIGNAL_KEY", KEY.decode())
    values = {"path": str(tmp_path / "x"), "name": "lines", "follow": True,
              "keys": {"k1": "SIGNAL_KEY"}}  # fmt: skip
    made = SOURCES["file"](values)
    assert isinstance(made, JsonLines)
    assert made.name == "lines"
    assert made._keys == {"k1": KEY}
    assert made._settings.follow


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({}, "path: it is missing"),
        ({"path": ""}, "path: "),
        ({"path": "x", "poll_seconds": 0}, "poll_seconds: "),
        ({"path": "-", "follow": True}, "follow: standard input ends"),
        ({"path": "x", "follow": 1}, "follow: expected `bool | null`"),
        ({"path": "x", "keys": {"k1": "NO_SUCH_KEY"}}, "keys.k1: the environment has no NO_SUCH"),
        ({"path": "x", "key": {}}, "key: there is no such key; did you mean keys?"),
    ],
)
def test_a_mistake_is_named_by_its_key(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=r"^signals\.file\.") as caught:
        SOURCES["file"](values)
    assert str(caught.value).startswith(f"signals.file.{message}")
