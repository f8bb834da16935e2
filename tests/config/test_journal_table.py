"""The table that says how large a file of the journal may become."""

from __future__ import annotations

import pytest

from ibkr_trader.core.errors import ConfigError
from tests.config.conftest import Desk, origin, shown


def test_it_has_a_generous_default(desk: Desk) -> None:
    desk.toml("timeout_seconds = 5\n")
    settings = desk.load()
    assert settings.journal.segment_bytes == 256_000_000
    assert (shown(settings, "journal.segment_mb"), origin(settings, "journal.segment_mb")) == (
        "256",
        "default",
    )


def test_it_is_read_and_shown(desk: Desk) -> None:
    desk.toml("[journal]\nsegment_mb = 20\n")
    settings = desk.load()
    assert settings.journal.segment_bytes == 20_000_000
    assert origin(settings, "journal.segment_mb").endswith("line 2")


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("segment_mb = 0", "journal.segment_mb must be from 1 to 1000000"),
        ("segment_mb = 1000001", "journal.segment_mb must be from 1 to 1000000"),
        ('segment_mb = "large"', "journal.segment_mb: large cannot be used"),
        ("keep = 3", "journal.keep is no setting"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(desk: Desk, line: str, complaint: str) -> None:
    desk.toml(f"[journal]\n{line}\n")
    with pytest.raises(ConfigError, match="line 2") as refused:
        desk.load()
    assert complaint in refused.value.message
