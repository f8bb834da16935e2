"""`[signals]` and `[sinks]`: what is taken in and who is told, each key with its line."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from ibkr_trader.core.errors import ConfigError
from ibkr_trader.rules.admission import Admission
from tests.config.conftest import Desk, origin

LIVE = 'profile = "live"\naccount = "U0000000"\nallow_live = true\n'


def test_without_a_table_nothing_comes_in_and_nobody_is_told(desk: Desk) -> None:
    found = desk.load().outside
    assert found.admission == Admission()
    assert (dict(found.sources), dict(found.sinks), dict(found.lines)) == ({}, {}, {})


def test_keys_are_admission_and_tables_are_sources_and_sinks(desk: Desk) -> None:
    path = desk.toml(
        "[signals]\n"
        "max_age = 10\n"
        'confidence_min = "0.8"\n'
        'symbols = ["AAPL"]\n'
        "[signals.webhook]\n"
        "port = 0\n"
        "[sinks.webhook]\n"
        'url = "https://example.com"\n'
    )
    settings = desk.load()
    found = settings.outside
    assert found.admission == Admission(
        max_age=timedelta(seconds=10), confidence_min=Decimal("0.8"), symbols=frozenset({"AAPL"})
    )
    assert dict(found.sources) == {"webhook": {"port": 0}}
    assert dict(found.sinks) == {"webhook": {"url": "https://example.com"}}
    assert origin(settings, "signals.max_age") == f"{path} line 2"
    error = found.refused("signals.webhook", ValueError("signals.webhook.port: no"))
    assert error.message == f"{path} line 6: signals.webhook.port: no"
    assert error.hint == "correct [signals.webhook] in config.toml"
    error = found.refused("sinks.webhook", ValueError("sinks.webhook.key_env: it is missing"))
    assert error.message == f"{path} line 7: sinks.webhook.key_env: it is missing"
    error = found.unknown("sinks.pigeon", known=("webhook", "json_lines"))
    assert error.message == f"{path} line 1: sinks.pigeon: there is no such sink"
    assert error.hint == "there are: webhook, json_lines"


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[signals]\nmax_ages = 5\n", "line 2: signals.max_ages is no setting"),
        ("[signals]\nmax_age = 0\n", "line 2: signals.max_age must be above 0"),
        ("[signals]\n\nmax_age = 'soon'\n", "line 3: signals.max_age: soon cannot be used"),
        ("[signals]\nconfidence_min = 1.5\n", "line 2: signals.confidence_min must be from 0"),
        ("[signals]\nconfidence_min = nan\n", "line 2: signals.confidence_min"),
        ("[signals]\nper_minute = 0\n", "line 2: signals.per_minute must be from 1"),
        ("[signals]\nneeds_signature = 'perhaps'\n", "line 2: signals.needs_signature"),
        ("signals = 5\n", "signals must be a table"),
        ("sinks = 5\n", "sinks must be a table"),
        ("[sinks]\nurl = 'x'\n", "sinks.url must be a table"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(text: str, named: str, desk: Desk) -> None:
    desk.toml(text)
    with pytest.raises(ConfigError) as caught:
        desk.load()
    assert named in caught.value.message
    assert caught.value.hint


def test_with_real_money_every_signal_is_signed(desk: Desk) -> None:
    desk.toml(LIVE)
    assert desk.load().outside.admission.needs_signature
    desk.toml(LIVE + "[signals]\nmax_age = 5\n")
    assert desk.load().outside.admission.needs_signature
    desk.toml(LIVE + "[signals]\nneeds_signature = true\n")
    assert desk.load().outside.admission.needs_signature
    path = desk.toml(LIVE + "[signals]\nneeds_signature = false\n")
    with pytest.raises(ConfigError, match=r"signals\.needs_signature: with real money") as caught:
        desk.load()
    assert caught.value.hint == "remove the line"
    assert f"{path} line 5" in caught.value.message


@pytest.mark.parametrize("profile", ["sim", "paper"])
def test_without_real_money_the_file_decides(profile: str, desk: Desk) -> None:
    desk.toml(f'profile = "{profile}"\n[signals]\nneeds_signature = false\n')
    assert not desk.load().outside.admission.needs_signature
