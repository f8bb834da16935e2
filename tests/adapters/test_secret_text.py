"""Secrets: nothing prints them, and what stands where their name belongs is not shown either."""

from __future__ import annotations

import copy
import json
import pickle

import pytest

from ibkr_trader.adapters.secret_text import (
    NO_SECRET,
    Secret,
    all_but_secrets,
    secret_of,
    without_secrets,
)

HIDDEN = "s3cr3t-of-mine"
ENVIRON = {"DESK_TOKEN": HIDDEN, "token": HIDDEN, "DESK_SPACED": "two words", "DESK_EMPTY": ""}


def test_nothing_shows_a_secret() -> None:
    secret = Secret(HIDDEN)
    shown = f"{secret} {secret!r} {secret!s} {[secret]} {{'a': {secret}}} {secret.__slots__}"
    assert HIDDEN not in shown
    assert repr(secret) == "Secret(***)"
    assert repr(NO_SECRET) == "Secret()"
    assert secret.reveal() == HIDDEN
    assert (bool(secret), bool(NO_SECRET)) == (True, False)


def test_a_secret_is_not_written_down() -> None:
    for write in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="a secret is not written down") as caught:
            write(Secret(HIDDEN))
        assert HIDDEN not in str(caught.value)


def test_a_variable_of_the_environment_holds_it(monkeypatch: pytest.MonkeyPatch) -> None:
    assert secret_of("DESK_TOKEN", key="a.b", environ=ENVIRON).reveal() == HIDDEN
    assert secret_of("token", key="a.b", environ=ENVIRON, least=len(HIDDEN)).reveal() == HIDDEN
    monkeypatch.setenv("DESK_TOKEN", "another")
    assert secret_of("DESK_TOKEN", key="a.b").reveal() == "another"


@pytest.mark.parametrize(
    ("variable", "least", "why"),
    [
        ("DESK_MISSING", 1, "sinks.webhook: the environment has no DESK_MISSING"),
        ("DESK_EMPTY", 1, "sinks.webhook: the environment has no DESK_EMPTY"),
        ("DESK_SPACED", 1, "what DESK_SPACED holds is not all visible ASCII characters"),
        ("DESK_TOKEN", 15, "what DESK_TOKEN holds is shorter than 15 characters"),
        ("token", 15, "what token holds is shorter than 15 characters"),
    ],
)
def test_one_that_cannot_be_used_is_refused_by_its_name(
    variable: str, least: int, why: str
) -> None:
    with pytest.raises(ValueError, match=why) as caught:
        secret_of(variable, key="sinks.webhook", environ=ENVIRON, least=least)
    assert not any(held in str(caught.value) for held in ENVIRON.values() if held)


@pytest.mark.parametrize(
    "typed", [HIDDEN, "hunter2", "AKIAEXAMPLEEXAMPLE", "a b", "", "Bearer x", "9LIVES", "A" * 101]
)
def test_a_secret_where_its_name_belongs_is_refused_and_not_shown(typed: str) -> None:
    with pytest.raises(ValueError, match=r"^sinks\.webhook: ") as caught:
        secret_of(typed, key="sinks.webhook", environ=ENVIRON)
    assert "variable" in str(caught.value)
    assert not typed or typed not in str(caught.value)


def test_what_a_process_was_told_is_left_out_of_what_lasts() -> None:
    long, quoted, short, tiny = "a-long-enough-secret", 'with"a-quote-and-more', "hunter22", "abc"
    for one in (long, quoted, short, tiny):
        assert Secret(one)
    text = f"{long} {quoted} {short} {tiny}"
    assert without_secrets(text) == f"*** *** {short} {tiny}"
    assert all_but_secrets(text) == f"*** *** *** {tiny}"
    assert without_secrets(json.dumps({"told": quoted})) == '{"told": "***"}'
