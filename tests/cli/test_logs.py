from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from ibkr_trader.adapters.secret_text import Secret
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
        ('{"token": "abc", "b": 1}', '{"token": "***", "b": 1}'),
        (r'{"said": "token=\"a\\b\" c"}', r'{"said": "token=\"***\" c"}'),
        ("Authorization: Bearer abc.def-123", "Authorization: Bearer ***"),
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


def test_what_is_rotated_is_private_too_and_the_oldest_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs, "_MAX_BYTES", 2_000)
    monkeypatch.setattr(logs, "_KEPT", 3)
    mask = os.umask(0)
    try:
        logs.start(tmp_path)
        for number in range(100):
            logging.getLogger("ibkr_trader").info("%s %s", number, "x" * 100)
    finally:
        os.umask(mask)
    files = sorted(tmp_path.iterdir())
    assert [one.name for one in files] == [logs.FILE, *(f"{logs.FILE}.{n}" for n in (1, 2, 3))]
    assert {one.stat().st_mode & 0o777 for one in files} == {0o600}
    assert max(one.stat().st_size for one in files) <= 2_000


def test_a_traceback_is_masked_and_has_no_values_in_it(tmp_path: Path) -> None:
    secret = Secret("the-key-of-this-test")
    path = logs.start(tmp_path)

    def fails(hidden: str) -> None:
        raise ValueError(f"DU1234567 with {hidden}")

    try:
        fails(secret.reveal())
    except ValueError:
        logging.getLogger("ibkr_trader").exception("it failed")
    (line,) = path.read_text().splitlines()
    assert "ValueError: DU***567 with ***" in json.loads(line)["traceback"]
    assert secret.reveal() not in line


@pytest.mark.parametrize(("level", "told"), [("debug", 3), ("info", 2), ("error", 1)])
def test_a_level_says_how_much_there_is(tmp_path: Path, level: str, told: int) -> None:
    path = logs.start(tmp_path, level=level)
    for name in ("debug", "info", "error"):
        getattr(logging.getLogger("ibkr_trader"), name)("said")
    assert len(path.read_text().splitlines()) == told
