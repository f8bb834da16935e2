"""Every drill passes with the defaults; what settings forbid is skipped, and said."""

from __future__ import annotations

import asyncio
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from ibkr_trader.config import Settings
from ibkr_trader.drills.drill import DRILLS, Drill
from ibkr_trader.drills.rehearsal import Cast, Outcome, rehearse, run
from ibkr_trader.drills.scene import Scene, Stuck


@pytest.mark.parametrize("name", list(DRILLS))
def test_a_drill_passes_with_the_defaults(name: str, settings: Settings) -> None:
    result = run(DRILLS[name], Cast(settings=settings))
    assert (result.outcome, result.reasons) == (Outcome.PASS, ())
    assert len(result.steps) >= 2
    assert (result.duplicates, result.drift) == (0, "")


def test_a_drill_tells_what_the_exchange_has_seen(settings: Settings) -> None:
    result = run(DRILLS["gap-through-stop"], Cast(settings=settings))
    assert [step.text for step in result.steps] == [
        "the desk starts",
        "10 AAPL bought, stop 145.50, target 154.50",
        "the market leaps down by 20 %",
    ]
    assert result.profit == Decimal("-302.20")  # 30.01 a share, and two commissions
    assert (result.orders_left, result.positions_left) == (0, {})
    assert result.lasted.total_seconds() == 3


def limited(settings: Settings, **risk: Any) -> Settings:
    return msgspec.structs.replace(settings, risk=msgspec.structs.replace(settings.risk, **risk))


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"readonly": True}, "only look"),
        ({"risk": {"restricted_symbols": frozenset({"AAPL"})}}, "AAPL"),
        ({"risk": {"max_position_size": Decimal(1)}}, "limit"),
        ({"risk": {"blackouts": frozenset({"09:30-16:00"})}}, "09:30-16:00"),
    ],
)
def test_what_the_settings_forbid_is_skipped(
    changes: dict[str, Any], why: str, settings: Settings
) -> None:
    risk = changes.pop("risk", {})
    mine = msgspec.structs.replace(limited(settings, **risk), **changes)
    result = run(DRILLS["hand-close"], Cast(settings=mine))
    assert result.outcome is Outcome.SKIPPED
    assert why in result.reasons[0]


def test_an_entry_is_as_large_as_the_settings_allow(settings: Settings) -> None:
    small = limited(settings, max_order_quantity=Decimal(4))
    result = run(DRILLS["partial-bracket"], Cast(settings=small))
    assert result.outcome is Outcome.PASS
    assert result.steps[1].text.startswith("a bracket is placed: 3 AAPL")


@pytest.mark.parametrize("symbol", ["MSFT", "NVDA"])
def test_a_drill_plays_at_any_stock(symbol: str, settings: Settings) -> None:
    result = run(DRILLS["hand-close"], Cast(settings=settings, symbol=symbol))
    assert result.outcome is Outcome.PASS
    assert re.search(rf"\b(3|5|10) {symbol}\b", result.steps[1].text)


def test_a_stock_that_the_simulator_does_not_have_is_skipped(settings: Settings) -> None:
    result = run(DRILLS["hand-close"], Cast(settings=settings, symbol="NONE"))
    assert (result.outcome, result.reasons) == (
        Outcome.SKIPPED,
        ("NONE is not one of the simulator's stocks",),
    )


def test_a_users_symbol_limits_hold(settings: Settings) -> None:
    settings.data_dir.mkdir(mode=0o700)
    file = settings.data_dir / "symbol_limits.json"
    file.write_text('{"symbol_limits": {"AAPL": {"max_position_size": "2"}}, "default_limits": {}}')
    file.chmod(0o600)
    result = run(DRILLS["hand-close"], Cast(settings=settings))
    assert result.outcome is Outcome.SKIPPED
    assert "the limit is 2" in result.reasons[0]


def test_a_fault_in_a_file_is_said_of_the_users_own(settings: Settings) -> None:
    settings.data_dir.mkdir(mode=0o700)
    file = settings.data_dir / "symbol_limits.json"
    file.write_text("{")
    file.chmod(0o600)
    result = run(DRILLS["hand-close"], Cast(settings=settings))
    assert result.outcome is Outcome.SKIPPED
    assert str(file) in result.reasons[0]


# -- what a story does wrong ----------------------------------------------------------------


def played(story: Any, settings: Settings) -> tuple[Outcome, tuple[str, ...]]:
    one = Drill(name="x", sentence="X.", story=story)
    result = run(one, Cast(settings=settings))
    return result.outcome, result.reasons


def test_a_complaint_fails_the_drill(settings: Settings) -> None:
    async def story(scene: Scene) -> None:
        scene.must(False, "it should have been so")

    assert played(story, settings) == (Outcome.FAIL, ("it should have been so",))


def test_a_story_that_waits_in_vain_fails(settings: Settings) -> None:
    async def story(scene: Scene) -> None:
        await scene.doing(asyncio.Event().wait(), within=2)

    expected = ("the story came to an end: nothing came of it within 2 s",)
    assert played(story, settings) == (Outcome.FAIL, expected)


def test_stuck_is_no_error_of_the_desks() -> None:
    assert not isinstance(Stuck("x"), OSError)


async def test_time_is_its_own_again_after_a_drill(settings: Settings) -> None:
    before = asyncio.get_running_loop().time()
    result = await rehearse(DRILLS["gap-through-stop"], Cast(settings=settings))
    assert result.outcome is Outcome.PASS
    assert 0 <= asyncio.get_running_loop().time() - before < 60


def test_a_sandbox_leaves_nothing_behind(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    run(DRILLS["gap-through-stop"], Cast(settings=settings))
    assert not list(tmp_path.glob("ibkr-trader-drill-*"))
