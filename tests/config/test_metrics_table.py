"""The table that says where figures are told."""

from __future__ import annotations

import pytest

from ibkr_trader.config.metrics_table import MetricsTable
from ibkr_trader.core.errors import ConfigError
from tests.config.conftest import Desk, origin, shown


def test_without_it_nobody_is_told(desk: Desk) -> None:
    desk.toml("timeout_seconds = 5\n")
    settings = desk.load()
    assert settings.metrics is None
    assert not [one for one in settings.effective if one.name.startswith("metrics")]


def test_it_is_read_and_shown(desk: Desk) -> None:
    desk.toml("[metrics]\nport = 0\n")
    settings = desk.load()
    assert settings.metrics == MetricsTable(port=0)
    assert shown(settings, "metrics.port") == "0"
    assert origin(settings, "metrics.port").endswith("line 2")


def test_an_empty_one_has_its_defaults(desk: Desk) -> None:
    desk.toml("[metrics]\n")
    assert desk.load().metrics == MetricsTable(port=8752)


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("port = 65536", "metrics.port must be from 0 to 65535"),
        ("port = -1", "metrics.port must be from 0 to 65535"),
        ('port = "any"', "metrics.port: any cannot be used"),
        ('host = "0.0.0.0"', "metrics.host is no setting"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(desk: Desk, line: str, complaint: str) -> None:
    desk.toml(f"[metrics]\n{line}\n")
    with pytest.raises(ConfigError, match="line 2") as refused:
        desk.load()
    assert complaint in refused.value.message
