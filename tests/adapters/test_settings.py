"""A mistake in a settings table is named by its key, and a secret is never shown."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any

import msgspec
import pytest

from ibkr_trader.adapters.secret_text import Secret, secret_of
from ibkr_trader.adapters.settings import (
    Seconds,
    Text,
    keys_of,
    read_settings,
)

KEYS = "url, poll_seconds, tickers, inner, most"
LONG = "0123456789abcdef"


class Inner(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    threshold: Decimal

    def __post_init__(self) -> None:
        if self.threshold < 0:
            raise ValueError("threshold: it is below 0")


class Outer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    url: Text
    poll_seconds: Seconds = 60
    tickers: tuple[Text, ...] = ()
    inner: Inner | None = None
    most: Annotated[int, msgspec.Meta(ge=1)] = 1


def test_a_table_is_read_as_toml_has_it() -> None:
    values = {"url": "x", "poll_seconds": Decimal("0.5"), "tickers": ["A"],
              "inner": {"threshold": 3}}  # fmt: skip
    assert read_settings(values, Outer, path="signals.x") == Outer(
        url="x", poll_seconds=0.5, tickers=("A",), inner=Inner(threshold=Decimal(3))
    )


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({}, "url: it is missing"),
        ({"url": 1}, "url: expected `str`, got `int`"),
        ({"url": ""}, "url: expected `str` of length >= 1"),
        (
            {"url": "x", "poll_second": 1},
            ("poll_second: there is no such key; did you mean poll_seconds?"
            f"; there are: {KEYS}"),
        ),
        ({"url": "x", "zzz": 1}, f"zzz: there is no such key; there are: {KEYS}"),
        ({"url": "x", "poll_seconds": 0}, "poll_seconds: expected `float` >= 0.1"),
        ({"url": "x", "poll_seconds": True}, "poll_seconds: expected `float`, got `bool`"),
        ({"url": "x", "poll_seconds": "60"}, "poll_seconds: expected `float`, got `str`"),
        ({"url": "x", "tickers": "A"}, "tickers: expected `array`, got `str`"),
        ({"url": "x", "tickers": ["A", 1]}, "tickers[1]: expected `str`, got `int`"),
        ({"url": "x", "most": 1.5}, "most: expected `int`, got `float`"),
        ({"url": "x", "inner": {}}, "inner.threshold: it is missing"),
        ({"url": "x", "inner": {"threshold": 1, "url": 2}}, "inner.url: there is no such key"),
        ({"url": "x", "inner": {"threshold": -1}}, "inner.threshold: it is below 0"),
        ({"url": "x", "inner": {"threshold": "much"}}, "inner.threshold: invalid decimal string"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_by_its_key(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=r"^signals\.x") as caught:
        read_settings(values, Outer, path="signals.x")
    assert str(caught.value) == f"signals.x.{message}"


def test_a_secret_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_TOKEN", "abc")
    assert secret_of("API_TOKEN", key="signals.api.token_env").reveal() == "abc"
    assert secret_of("X", key="k", environ={"X": "~!"}).reveal() == "~!"


@pytest.mark.parametrize("value", ["", "a b", "a\n", "a\r\nX-Evil: 1", "\u00e9", "\x00"])
def test_what_cannot_be_a_secret_is_not_shown_either(value: str) -> None:
    with pytest.raises(ValueError, match=r"^signals\.api\.token_env: .*API_TOKEN") as caught:
        secret_of("API_TOKEN", key="signals.api.token_env", environ={"API_TOKEN": value})
    assert not value or value not in str(caught.value)


def test_a_secret_does_not_show_itself() -> None:
    secret = Secret(LONG)
    assert LONG not in f"{secret!r} {secret} {[secret]} {vars(type(secret))}"


def test_two_keys_may_sign_and_no_third() -> None:
    environ = {"NEW": LONG, "OLD": LONG[::-1], "SHORT": LONG[1:]}
    found = keys_of({"k2": "NEW", "k1": "OLD"}, path="signals.webhook.keys", environ=environ)
    assert found == {"k2": LONG.encode(), "k1": LONG[::-1].encode()}
    with pytest.raises(ValueError, match=r"^signals\.webhook\.keys: 2 keys at most"):
        keys_of(dict.fromkeys("abc", "NEW"), path="signals.webhook.keys", environ=environ)
    with pytest.raises(
        ValueError, match=r"keys\.k1: what SHORT holds is shorter than 16"
    ) as caught:
        keys_of({"k1": "SHORT"}, path="signals.webhook.keys", environ=environ)
    assert LONG[1:] not in str(caught.value)
    with pytest.raises(ValueError, match=r"keys\.k1: the environment has no variable"):
        keys_of({"k1": "NONE"}, path="signals.webhook.keys", environ=environ)
