"""`strategy check`: a file as it was understood, or every fault of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from ibkr_trader.cli.exits import Exit
from ibkr_trader.cli.output import Table
from ibkr_trader.cli.strategy_check import check, key_words
from ibkr_trader.rules.indicator import key_of
from tests.cli.conftest import ROOT, CommandLine
from tests.execution.strategy_stage import ENTRY

EXAMPLES = ROOT / "examples" / "strategies"


def test_a_strategy_is_told_with_all_that_it_says(tmp_path: Path) -> None:
    reply = check(EXAMPLES / "sma_cross.toml")
    assert (reply.exit, reply.schema) == (Exit.DONE, "strategy/1")
    said = reply.data
    assert (said["name"], said["symbols"], said["bars"]) == ("sma-cross", ["AAPL"], "1 min")
    assert said["indicators"] == ["atr(14)", "sma(10)", "sma(50)"]
    assert [rule["name"] for rule in said["rules"]] == ["EndOfDay", "Down", "Up"]
    assert said["rules"][2]["on"] == ["bar"]
    assert said["rules"][2]["then"] == ["open"]
    head = next(one for one in reply.blocks if isinstance(one, Table))
    told = {row[0]: row[1] for row in head.rows}
    assert told["entries"] == "at most 10 a day"
    assert told["warm-up"] == f"{said['warm_up_bars']} bars"


def test_its_envelope_is_told(tmp_path: Path) -> None:
    path = tmp_path / "one.toml"
    limits = "[envelope]\ncapital = 20000\nmax_daily_loss = 300\nmax_positions = 2\n\n[[rule]]"
    path.write_text(ENTRY.replace("[[rule]]", limits, 1))
    head = next(one for one in check(path).blocks if isinstance(one, Table))
    told = {row[0]: row[1] for row in head.rows}
    assert told["capital"] == "20,000.00"
    assert told["day's loss"] == "at most 300.00"
    assert told["positions"] == "at most 2"


def test_the_bars_of_a_days_first_minutes_are_two_days(tmp_path: Path) -> None:
    assert check(EXAMPLES / "opening_range.toml").data["warm_up_bars"] == 780


def test_a_python_strategy_says_what_sets_it_off() -> None:
    said = check(EXAMPLES / "sma_cross.py").data
    assert [(rule["name"], rule["when"]) for rule in said["rules"]] == [
        ("on_bar", "on bar"), ("on_time", "on time"),
    ]  # fmt: skip
    assert said["rules"][0]["then"] == ["whatever it says"]


def test_every_fault_is_a_row_with_line_and_key(tmp_path: Path) -> None:
    path = tmp_path / "bad.toml"
    path.write_text(ENTRY.replace("confidence", "confidense", 1).replace('"short"', '"shrot"'))
    reply = check(path)
    assert reply.exit is Exit.CONFIG
    assert [(one["line"], one["key"]) for one in reply.data["faults"]] == [
        (7, "rule.when"), (25, "rule.open.side"),
    ]  # fmt: skip
    assert reply.blocks[0] == f"{path} is no strategy yet: 2 faults"


@pytest.mark.parametrize(
    ("name", "code", "said"),
    [
        ("examples/strategies/prediction.toml", 0, "is a strategy"),
        ("nowhere.toml", 3, "does not exist"),
    ],
)
def test_the_command_ends_as_the_file_deserves(
    name: str, code: int, said: str, cli: CommandLine
) -> None:
    found = cli(f"strategy check {ROOT / name}")
    assert found.code == code
    assert said in found.out + found.err
    assert not cli.data.exists()


def test_an_indicator_is_written_as_in_a_rule() -> None:
    assert key_words(key_of("bollinger_upper", ())) == "bollinger_upper(20, 2)"
    assert key_words(key_of("vwap", ())) == "vwap()"


def test_hours_and_figures_are_told_and_what_can_never_hold_is_remarked(tmp_path: Path) -> None:
    path = tmp_path / "one.toml"
    text = ENTRY.replace("[[rule]]", '[[rule]]\nuntil = "12:00"\ncooldown = "1 day"', 1)
    path.write_text(text.replace("0.85", "85", 1))
    reply = check(path)
    assert reply.exit is Exit.DONE  # it is legal
    (rule, *_) = reply.data["rules"]
    assert rule["hours"] == "until 12:00"
    assert rule["does"][0].startswith("open: side long, size ")
    (remark,) = reply.data["remarks"]
    assert "signal.confidence is 0 to 1" in remark
    assert reply.blocks[-1] == f"remark: {remark}"
    lines = [one for one in reply.blocks if isinstance(one, str)]
    assert any(f"{rule['name']}: until 12:00; open: side long" in one for one in lines)
    table = [one for one in reply.blocks if isinstance(one, Table)][-1]
    assert "1 day" in table.rows[0]


def test_the_examples_have_nothing_to_remark() -> None:
    files = [*EXAMPLES.glob("*.toml"), *EXAMPLES.glob("*.py")]
    assert files
    assert [check(path).data["remarks"] for path in files] == [[]] * len(files)
