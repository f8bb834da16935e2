"""Fire drills on the command line: what is said of them, and with which exit code."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ibkr_trader.cli import drilling
from ibkr_trader.core.registry import Registry
from ibkr_trader.drills.drill import DRILLS, Drill
from ibkr_trader.drills.rehearsal import Outcome
from ibkr_trader.drills.scene import Scene, Skipped
from tests.cli.conftest import SETTINGS, CommandLine

STRATEGY = """
name = "mine"
symbols = ["MSFT"]

[[rule]]
name = "Entry"
when = "signal.action == 'BUY'"
[rule.open]
side = "long"
size = "2"
stop_loss = "3%"
take_profit = "30%"
"""


async def fails(scene: Scene) -> None:
    """Something goes wrong, and the desk makes it worse."""
    scene.did("something goes wrong")
    scene.must(False, "it was made worse")
    scene.must(False, "and worse still")


async def skips(_: Scene) -> None:
    """Nothing can go wrong."""
    raise Skipped("the settings allow nothing")


def only(patch: pytest.MonkeyPatch, *names: str) -> None:
    """Let there be these drills, and no others."""
    found: Registry[Drill] = Registry("drill")
    stories: dict[str, Any] = {"fails": fails, "skips": skips}
    for name in names:
        story = stories.get(name)
        sentence = (story.__doc__ or "") if story is not None else ""
        one = Drill(name=name, sentence=sentence, story=story) if story else DRILLS[name]
        found.register(name)(one)
    patch.setattr(drilling, "DRILLS", found)


def test_the_drills_are_listed(cli: CommandLine) -> None:
    ran = cli("drill")
    assert ran.code == 0
    assert "hand-close" in ran.out
    assert "ibkr-trader drill --all" in ran.out
    assert cli("drill --list").out == ran.out
    named = [one["name"] for one in cli("drill --list --json").document["drills"]]
    assert named == list(DRILLS)


def test_one_drill_is_told_step_by_step(cli: CommandLine) -> None:
    ran = cli("drill hand-close")
    assert (ran.code, ran.err) == (0, "")
    lines = ran.out.splitlines()
    assert lines[0].startswith("hand-close: A position is closed by hand")
    assert lines[1].split()[:4] == ["1", "2026-11-20", "10:00:00", "EST"]
    assert lines[-1] == "PASS"
    assert "2026-11-20 15:00:00 UTC" in cli("drill hand-close --utc").out


def test_a_script_gets_a_document(cli: CommandLine) -> None:
    document = cli("drill gap-through-stop --json").document
    assert (document["schema"], document["ok"]) == ("ibkr-trader/drill/1", True)
    assert (document["passed"], document["failed"], document["skipped"]) == (1, 0, 0)
    (one,) = document["drills"]
    assert (one["name"], one["outcome"], one["reasons"]) == ("gap-through-stop", "pass", [])
    assert (one["profit"], one["naked_seconds"], one["duplicates"]) == ("-302.20", 0, 0)
    assert one["steps"][-1] == {"at": "2026-11-20T15:00:00Z", "text": one["steps"][-1]["text"]}


def test_a_drill_that_fails_ends_with_seven(
    cli: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    only(monkeypatch, "fails", "hand-close", "skips")
    ran = cli("drill --all")
    assert ran.code == 7
    assert "FAIL: it was made worse\n      and worse still" in ran.out
    assert "1 of 3 drills passed, 1 failed, 1 skipped" in ran.out
    assert "skipped skips: the settings allow nothing" in ran.out
    document = cli("drill fails --json").document
    assert (document["ok"], document["failed"]) == (False, 1)


def test_what_is_skipped_is_no_pass(cli: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    only(monkeypatch, "hand-close", "skips")
    assert cli("drill --all").code == 0
    ran = cli("drill skips")
    assert ran.code == 7
    assert ran.out.splitlines()[-1] == "skipped: the settings allow nothing"


def test_the_users_own_limits_hold(cli: CommandLine) -> None:
    file = Path(cli.env["IBKR_CONFIG"])
    file.write_text(SETTINGS + 'restricted_symbols = ["AAPL"]\n')
    ran = cli("drill hand-close")
    assert ran.code == 7
    assert "skipped: " in ran.out
    assert "AAPL" in ran.out
    file.write_text(SETTINGS + 'allowed_symbols = ["MSFT"]\n')
    assert "10 MSFT bought" in cli("drill hand-close").out


def test_a_strategy_trades_along(cli: CommandLine) -> None:
    file = cli.folder / "mine.toml"
    file.write_text(STRATEGY)
    file.chmod(0o600)
    ran = cli("drill duplicate-signal --strategy mine.toml")
    assert ran.code == 0
    assert "a signal comes: 2 MSFT are bought" in ran.out
    assert "10 AAPL bought" in cli("drill hand-close --strategy mine.toml --symbol AAPL").out


def test_what_a_strategy_trades_elsewhere_is_no_order_of_the_drill(cli: CommandLine) -> None:
    """Its own trade in MSFT failed drills in AAPL, as one order too many and one left over."""
    example = Path(__file__).parents[2] / "examples" / "strategies" / "atr_breakout.toml"
    file = cli.folder / "breakout.toml"
    file.write_text(example.read_text(encoding="utf-8"), encoding="utf-8")
    file.chmod(0o600)
    for drill in ("1100-at-open", "nightly-restart"):
        ran = cli(f"drill {drill} --strategy breakout.toml")
        assert ran.code == 0, ran.out


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("drill hand-clos", "ibkr-trader drill hand-close"),
        ("drill xyz", "ibkr-trader drill --list"),
        ("drill hand-close --all", "give one of NAME, --all and --list"),
    ],
)
def test_what_cannot_be_meant_is_refused(line: str, words: str, cli: CommandLine) -> None:
    ran = cli(line)
    assert ran.code == 2
    assert words in ran.err


def test_a_strategy_that_is_none_is_refused(cli: CommandLine) -> None:
    (cli.folder / "odd.toml").write_text("name = 1")
    (cli.folder / "odd.toml").chmod(0o600)
    assert cli("drill hand-close --strategy odd.toml").code == 3


def test_every_outcome_has_its_word() -> None:
    assert set(drilling._WORDS) == set(Outcome)
