"""A trader that runs, and its limits file: set, loosened, damaged, lost and restored."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import CommandLine
from tests.scenarios.traders import running

ORDER = "order --symbol AAPL --side buy --type limit --limit 140 --no-stop --dry-run --quantity"


@pytest.fixture
def line(tmp_path: Path) -> Iterator[CommandLine]:
    one = CommandLine(tmp_path)
    yield one
    one.stop_gateway()


def holds(line: CommandLine) -> str:
    (aapl,) = line("limits --symbol AAPL --json").document["symbols"]
    limit = aapl["max_position_size"]["limit"]
    assert isinstance(limit, str)
    return limit


def test_a_running_trader_goes_by_the_tighter_limit_at_once(line: CommandLine) -> None:
    with running(line) as trader:
        pid = trader.process.pid
        assert line(f"{ORDER} 60").code == 0
        out = line("set-symbol-limit --symbol AAPL --max-position 50").out
        assert out.endswith(f"The running trader (process {pid}) goes by it from now on.\n")
        denied = line(f"{ORDER} 60")
        assert (denied.code, "the limit is 50" in denied.err) == (6, True)

        looser = line("set-symbol-limit --symbol AAPL --max-position 70")
        assert f"The running trader (process {pid}) goes by what is tighter" in looser.out
        assert looser.out.endswith("  AAPL max_position_size 50 → 70\n")
        assert line(f"{ORDER} 60").code == 6
        document = line("set-symbol-limit --symbol AAPL --max-position 80 --json").document
        assert document["trader"] == {
            "pid": pid,
            "waiting": [
                {
                    "symbol": "AAPL", "key": "max_position_size",
                    "before": "50", "after": "80", "is_looser": True,
                }
            ],
        }  # fmt: skip
        shown = line("limits").out
        assert "Looser in the file, and waiting for disarm" in shown
        assert shown.endswith("  AAPL max_position_size 50 → 80\n")
        assert trader.end() == 0
    # A new start takes up what waited.
    with running(line):
        assert holds(line) == "80"


def test_a_running_trader_notices_what_an_editor_does_to_the_file(line: CommandLine) -> None:
    path = line.data / "symbol_limits.json"
    with running(line) as trader:
        assert line(f"{ORDER} 1").code == 0
        path.write_text('{"symbol_limits": {"AAPL": {"max_position_size": 30}}}')
        assert holds(line) == "30"

        path.write_text('{"symbol_limits": {"AAPL": {"max_position_size"')
        trader.hear("nothing is opened")
        assert line(f"{ORDER} 1").code == 6
        assert holds(line) == "30"
        assert "The damaged one is kept" in line("limits --restore").out
        assert line(f"{ORDER} 1").code == 0
        assert trader.end() == 0
