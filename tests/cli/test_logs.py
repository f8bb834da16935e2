from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from ibkr_trader.cli import logs


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    level = logging.getLogger().level
    yield
    logs.stop()
    logging.getLogger().setLevel(level)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("account DU1234567 sends", "account DU***567 sends"),
        ("U1234567", "U***567"),
        ("DF0000001,", "DF***001,"),
        ("SIM0000001", "SIM0000001"),
        ("AAPL U12", "AAPL U12"),
        ("password=hunter2", "password=***"),
        ("Token: abc", "Token: ***"),
        ("redis://user:secret@host/0", "redis://user:***@host/0"),
    ],
)
def test_accounts_and_secrets_are_masked(text: str, shown: str) -> None:
    assert logs.redact(text) == shown


def test_lines_are_json_and_nothing_reaches_the_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = logs.start(tmp_path)
    logs.start(tmp_path)  # twice is once
    logging.getLogger("ibkr_trader.x").info("hello\n%s", "DU1234567")
    logging.getLogger("ib_insync.client").info("a whole trade")
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [line["message"] for line in lines] == ["hello\nDU***567"]
    assert lines[0]["level"] == "INFO"
    shown = capsys.readouterr()
    assert shown.out == shown.err == ""
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("kind", ["link", "folder", "pipe"])
def test_what_is_no_log_is_not_written_and_keeps_nobody_from_anything(
    kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / logs.FILE
    if kind == "link":
        path.symlink_to(tmp_path / "elsewhere")
    elif kind == "folder":
        path.mkdir()
    else:
        os.mkfifo(path)
    assert logs.start(tmp_path) == path
    assert logs.current() is None
    assert "nothing is logged" in capsys.readouterr().err
    assert not (tmp_path / "elsewhere").exists()
