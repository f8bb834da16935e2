"""A halt from a dashboard: its file first, and whatever else happens, that is said."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ibkr_trader.adapters.control import Asked, Call, Done, Failed, FrameFault, Started
from ibkr_trader.adapters.kill_flag import HaltFile
from ibkr_trader.cli.attaching import TraderLink, _shown
from ibkr_trader.dashboard.effects import Act
from ibkr_trader.dashboard.steps import HALT
from tests.adapters.control_parts import door

OPTIONS: dict[str, Any] = {
    "symbol": "", "reason": "odd fills", "keep_entries": False, "flatten": False, "timeout": "",
}  # fmt: skip


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="ib-") as name:
        yield Path(name)


async def nobody(question: str, is_typed: bool) -> str | None:
    return None


def halt(**changes: Any) -> Act:
    return Act(call=1, command=HALT, options=OPTIONS | changes, words="halt")


async def test_without_any_trader_the_file_halts(folder: Path) -> None:
    flag = HaltFile(folder / "HALT")
    link = TraderLink(folder, operator="anna", flag=flag)
    outcome = await link.act(halt(), answer=nobody)
    seen = flag.seen()
    assert seen is not None
    assert seen.reason == "odd fills"
    assert "anna" in (folder / "HALT").read_text()
    assert not outcome.is_done
    assert outcome.lines[0].startswith("HALTED by its file")
    assert "no trader runs here" in " ".join(outcome.lines)


async def test_one_symbol_has_no_file(folder: Path) -> None:
    flag = HaltFile(folder / "HALT")
    link = TraderLink(folder, operator="anna", flag=flag)
    outcome = await link.act(halt(symbol="AAPL"), answer=nobody)
    assert flag.seen() is None
    assert not outcome.lines[0].startswith("HALTED")


async def test_a_file_that_cannot_be_written_is_said(folder: Path) -> None:
    (folder / "here").write_text("a file where the folder should be")
    link = TraderLink(folder, operator="anna", flag=HaltFile(folder / "here" / "HALT"))
    outcome = await link.act(halt(), answer=nobody)
    assert "could not be written" in outcome.lines[0]


async def test_a_halt_that_is_lost_in_the_middle_is_unknown_and_halted(folder: Path) -> None:
    async def serve(call: Call, client: Any) -> Done | Failed:
        client.send(Started())
        client._writer.transport.abort()
        raise FrameFault("gone")

    async with door(serve) as place:
        flag = HaltFile(folder / "HALT")
        link = TraderLink(place, operator="anna", flag=flag)
        outcome = await link.act(halt(flatten=True), answer=nobody)
    assert outcome.is_unknown
    assert outcome.lines[0].startswith("HALTED by its file")
    assert "it may have been sent" in " ".join(outcome.lines)


async def test_no_is_no_answer_to_the_halt(folder: Path) -> None:
    """Who does not agree to closing everything has halted all the same, and reads it."""

    async def serve(call: Call, client: Any) -> Done | Failed:
        client.send(Asked(question="close all? Type FLATTEN:", is_typed=True))
        await client.ask("close all? Type FLATTEN:", is_typed=True)
        raise AssertionError("nobody agreed")

    async with door(serve) as place:
        link = TraderLink(place, operator="anna", flag=HaltFile(folder / "HALT"))
        outcome = await link.act(halt(flatten=True), answer=nobody)
    assert outcome.lines[0].startswith("HALTED by its file")
    assert "Not agreed to" in " ".join(outcome.lines)


def test_no_account_is_shown_in_full() -> None:
    digits = "0" * 7
    assert _shown(f"LIVE U{digits}  HALTED") == "LIVE U***000 HALTED"
    assert _shown(f"DU{digits}: close +10 AAPL?") == "DU***000: close +10 AAPL?"
    assert _shown("SIM SIM0000001") == "SIM SIM0000001"
