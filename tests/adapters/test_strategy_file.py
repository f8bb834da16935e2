"""Strategies from files: what is believed, and what is said of what is wrong."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ibkr_trader.adapters.strategy_file import StrategyFile, StrategyRefused, loaded
from ibkr_trader.core.errors import ConfigError
from ibkr_trader.rules.bar_sizes import SLACK, duration_for
from ibkr_trader.rules.strategy_text import MOST_TEXT, version_of
from tests.execution.strategy_stage import ENTRY

ROOT = Path(__file__).parents[2]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "one.toml"
    path.write_text(ENTRY)
    path.chmod(0o644)
    os.utime(path, (1, 1))
    return path


def refused(path: Path) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        StrategyFile(path).load()
    return caught.value


def test_a_file_is_read_with_the_text_that_it_was_made_of(path: Path) -> None:
    found = StrategyFile(path).load()
    assert (found.text, found.suffix) == (ENTRY, ".toml")
    assert found.strategy.version == version_of(ENTRY)
    assert found.strategy.rules[0].name == "PredictionEntry"


def test_a_change_shows_until_it_is_loaded(path: Path) -> None:
    file = StrategyFile(path)
    assert file.has_changed
    file.load()
    assert not file.has_changed
    path.write_text(ENTRY + "# more\n")
    os.utime(path, (2, 2))
    assert file.has_changed
    file.load()
    assert not file.has_changed
    assert not file.is_gone
    path.unlink()
    assert file.is_gone
    assert not file.has_changed


def test_what_was_refused_is_not_looked_at_again_until_it_changes(path: Path) -> None:
    path.write_text("name = 1")
    os.utime(path, (2, 2))
    file = StrategyFile(path)
    with pytest.raises(StrategyRefused):
        file.load()
    assert not file.has_changed
    path.chmod(0o600)
    assert file.has_changed


@pytest.mark.parametrize(
    ("mode", "why"),
    [(0o666, "can be written by everybody"), (0o646, "can be written by everybody")],
)
def test_a_file_in_which_everybody_may_write_is_not_believed(
    mode: int, why: str, path: Path
) -> None:
    path.chmod(mode)
    assert why in refused(path).message


def test_a_link_is_not_followed(path: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.toml"
    link.symlink_to(path)
    assert "is a link" in refused(link).message
    assert str(link) in refused(link).message


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_another_users_file_is_not_believed(path: Path) -> None:
    os.chown(path, 12_345, -1)
    assert "belongs to another user (uid 12345)" in refused(path).message


def test_one_that_is_too_large_is_not_read(path: Path) -> None:
    path.write_bytes(b"#" * (MOST_TEXT + 1))
    assert "is larger than" in refused(path).message
    path.write_bytes(ENTRY.encode() + b"#" * (MOST_TEXT - len(ENTRY)))
    assert StrategyFile(path).load().strategy.name == "prediction-entry"


def test_what_is_no_text_is_refused_with_the_place(path: Path) -> None:
    path.write_bytes(b'name = "\xff"')
    error = refused(path)
    assert "is not UTF-8 text (byte 8)" in error.message
    assert error.hint == "save it as UTF-8"


def test_one_that_is_gone_or_no_file_is_named(path: Path, tmp_path: Path) -> None:
    path.unlink()
    assert refused(path).message == f"the strategy file {path} does not exist"
    assert refused(path).hint == "ibkr-trader strategy check FILE"
    assert "is no file" in refused(tmp_path).message


def test_every_fault_is_told_at_once_with_line_and_key(path: Path) -> None:
    path.write_text(ENTRY.replace("confidence", "confidense", 1).replace('"short"', '"shrot"'))
    error = refused(path)
    assert isinstance(error, StrategyRefused)
    assert [(one.line, one.key) for one in error.faults] == [
        (7, "rule.when"),
        (25, "rule.open.side"),
    ]
    assert error.message.startswith(f"{path}: line 7: rule.when: column 28")
    assert error.hint == f"ibkr-trader strategy check {path}"


@pytest.mark.parametrize("name", ["one.txt", "one", "one.toml.bak", "one.TOML"])
def test_the_name_says_which_language_it_is(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(ENTRY)
    error = refused(tmp_path / name)
    assert "ends in .toml or .py" in error.message
    assert error.hint is not None
    assert ".toml" in error.hint


@pytest.mark.parametrize("suffix", [".toml", ".py"])
def test_indicators_that_its_bars_cannot_make_are_refused_before_anything_runs(suffix: str) -> None:
    held = "signal.action == 'BUY' and signal.confidence > 0.85"
    python = (
        "from ibkr_trader import StrategyProgram\nclass Mine(StrategyProgram):\n"
        "    name, symbols, bars, needs = 'x', 'AAPL', '20 mins', 'opening_high(30)'\n"
        "    def on_bar(self, moment): return []\n"
    )
    toml = 'bars = "20 mins"\n' + ENTRY.replace(held, "bar.close > opening_high(30)")
    text = python if suffix == ".py" else toml
    with pytest.raises(
        StrategyRefused, match="bars: opening_high: minutes: 0:30:00 is no whole number of bars"
    ):
        loaded(text, suffix, where="it")


@pytest.mark.parametrize("suffix", [".toml", ".py"])
def test_more_bars_than_tws_gives_are_refused_before_anything_runs(suffix: str) -> None:
    held = "signal.action == 'BUY' and signal.confidence > 0.85"
    python = (
        "from ibkr_trader import StrategyProgram\nclass Mine(StrategyProgram):\n"
        "    name, symbols, needs = 'x', 'AAPL', 'NEEDED'\n\n    bars = '5 secs'\n"
        "    def on_bar(self, moment): return []\n"
    )
    toml = ENTRY.replace(held, "bar.close > NEEDED").replace("[[", 'bars = "5 secs"\n[[', 1)
    text = python if suffix == ".py" else toml
    with pytest.raises(StrategyRefused) as caught:
        loaded(text.replace("NEEDED", "vwap()"), suffix, where="it")
    (fault,) = caught.value.faults
    assert (fault.line, fault.key) == (5, "bars")
    assert "bars of 5 secs are too many: TWS gives 3600 S of them" in fault.message
    most = loaded(text.replace("NEEDED", "sma(718)"), suffix, where="it")
    assert duration_for(718 + SLACK, most.strategy.bar_size) == "3600 S"
    with pytest.raises(StrategyRefused, match="721 bars of 5 secs are too many"):
        loaded(text.replace("NEEDED", "sma(719)"), suffix, where="it")


def test_a_text_that_is_on_record_is_read_in_its_language() -> None:
    assert loaded(ENTRY, ".toml", where="of old").strategy.name == "prediction-entry"
    with pytest.raises(StrategyRefused, match="of old: line 5: NameError"):
        loaded(ENTRY, ".py", where="of old")


EXAMPLES = sorted((ROOT / "examples" / "strategies").glob("*.*"))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_every_example_is_a_strategy_that_says_what_it_is(path: Path) -> None:
    found = StrategyFile(path).load()
    assert found.strategy.description
    assert f"ibkr-trader strategy check examples/strategies/{path.name}" in found.text
    assert f"ibkr-trader run --strategy examples/strategies/{path.name}" in found.text
    listed = (ROOT / "examples" / "README.md").read_text()
    assert f"ibkr-trader run --strategy examples/strategies/{path.name}" in listed
    assert any(rule.then for rule in found.strategy.rules)


def test_the_average_in_python_and_in_toml_are_the_same_strategy() -> None:
    one, other = (
        StrategyFile(ROOT / "examples" / "strategies" / f"sma_cross{suffix}").load().strategy
        for suffix in (".py", ".toml")
    )
    assert (one.symbols, one.bar_size, one.envelope) == (
        other.symbols, other.bar_size, other.envelope,
    )  # fmt: skip
    assert one.indicators == other.indicators
