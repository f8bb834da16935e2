"""Who is told of alarms, as config.toml says it."""

from __future__ import annotations

import pytest

from ibkr_trader.config.notify_table import NotifyTable
from ibkr_trader.core.errors import ConfigError
from tests.config.conftest import Desk, shown


def test_without_a_table_nobody_is_told(desk: Desk) -> None:
    assert desk.load().notify is None


def test_a_table_names_who_is_told_and_how_often(desk: Desk) -> None:
    desk.toml('[notify]\nurls_env = ["DESK_PHONE"]\nrepeat_minutes = 2\n')
    settings = desk.load()
    assert settings.notify == NotifyTable(urls_env=("DESK_PHONE",), repeat_minutes=2)
    assert shown(settings, "notify.repeat_minutes") == "2.0"


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ("", "[notify] names nobody who is to be told"),
        ('urls_env = ["A_B"]\nrepeat_minutes = 0', "repeat_minutes must be above 0"),
        ('urls_env = ["A_B"]\nlongest_minutes = 1', "repeat_minutes must be above 0"),
        ('urls_env = ["A_B"]\nlongest_minutes = 9999', "repeat_minutes must be above 0"),
        ('url = "mailto://me:secret@example.com"', "notify.url is no setting"),
    ],
)
def test_what_cannot_be_used_is_named(lines: str, words: str, desk: Desk) -> None:
    desk.toml(f"[notify]\n{lines}\n")
    with pytest.raises(ConfigError) as refused:
        desk.load()
    assert words in refused.value.message
    assert "secret" not in refused.value.message
