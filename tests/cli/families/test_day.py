from __future__ import annotations

import json

from tests.cli.conftest import CommandLine

ORDER = "order --symbol AAPL --side buy --no-stop --quantity 3 --wait filled"


def test_a_flat_account_needs_no_end(cli: CommandLine) -> None:
    done = cli("eod-close")
    assert done.code == 0, done
    assert "flat, with no order of ours; nothing to do" in done.out
    life = cli.data / "sim" / "eod.json"
    assert life.stat().st_mode & 0o777 == 0o600
    word = json.loads(life.read_text())
    assert (word["exit"], word["is_flat"]) == (0, True)


def test_before_its_window_it_says_when_and_with_now_it_acts(cli: CommandLine) -> None:
    assert cli(ORDER).code == 0
    early = cli("eod-close --minutes-before 30m")
    assert early.code == 0
    assert "AAPL +3: would be ended at" in early.out
    assert "15:30:00 E" in early.out
    would = cli("eod-close --now --dry-run")
    assert (would.code, "AAPL +3: would be closed now" in would.out) == (0, True)
    assert cli("positions --json").document["positions"]
    done = cli("eod-close --now")
    assert done.code == 0
    assert "AAPL: closing +3" in done.out
    assert "the day is ended flat" in done.out
    assert cli("positions --json").document["positions"] == []


def test_the_settings_say_how_it_is_done(cli: CommandLine) -> None:
    assert cli(ORDER).code == 0
    file = cli.folder / "config.toml"
    keys = 'eod_at = "broker"\neod_minutes_before = 15\neod_window_minutes = 3\n'
    file.write_text(keys + file.read_text())
    first = cli("eod-close --json").document
    assert first["sent"] is True
    (market,) = first["markets"]
    assert market["acts_at"].endswith(":45:00Z")
    assert len(market["timed"]) == 1
    assert "the broker ends it by itself" in cli("eod-close").out
    assert cli("eod-close --json").document["sent"] is False


def test_a_stop_that_stands_alone_keeps_the_broker_from_it(cli: CommandLine) -> None:
    assert cli(ORDER).code == 0
    stop = "order --symbol AAPL --side sell --quantity 3 --type stop --stop 140 --tif gtc"
    assert cli(stop).code == 0
    done = cli("eod-close --at broker")
    assert done.code == 7
    assert "is in no one-cancels-all group" in done.out
    assert json.loads((cli.data / "sim" / "eod.json").read_text())["exit"] == 7


def test_a_stop_that_ends_with_the_day_is_named_when_the_position_stays(cli: CommandLine) -> None:
    assert cli(ORDER).code == 0
    stop = "order --symbol AAPL --side sell --quantity 3 --type stop --stop 140"
    assert cli(stop).code == 0
    missed = cli("eod-close --minutes-before 6.4h --window 1m")
    assert missed.code == 7
    assert "its window is over" in missed.out
    assert "2-single only until the day ends" in missed.out


def test_what_is_typed_wrong_is_shown_right(cli: CommandLine) -> None:
    for wrong, right in (
        ("--minutes-before 5min", "--minutes-before 10m"),
        ("--window 0", "--window 10m"),
        ("--at laptop", "--at cron"),
        ("--symbol A$PL", "--symbol APL"),
    ):
        done = cli(f"eod-close {wrong}")
        assert done.code == 2
        assert f"fix: ibkr-trader eod-close {right}" in done.err
