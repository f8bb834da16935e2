"""How the desk stands, in words: of everything, of symbols, and of what ends by itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from ibkr_trader.adapters.kill_flag import HaltFile
from ibkr_trader.cli.halts import by, halts, how_to_resume, state_words
from ibkr_trader.execution.desk import Desk
from tests.execution.parts import Floor


async def test_a_desk_in_order_has_nothing_to_say() -> None:
    async with Floor().trader() as trader:
        assert (halts(Desk(trader)), state_words(Desk(trader))) == ([], "")


async def test_everything_that_keeps_from_opening_is_listed(tmp_path: Path) -> None:
    async with Floor().trader() as trader:
        desk = Desk(trader)
        trader.outlook.degrade("the disk is full", cause="disk")
        assert state_words(desk) == "REDUCING: the disk is full"
        trader.halter.stop("news", origin="library", symbol="MSFT")
        trader.outlook.degrade("", cause="disk")
        assert state_words(desk) == "MSFT HALTED"
        trader.outlook.degrade("the disk is full", cause="disk")
        trader.halter.reduce("three rejects", origin="rejects")
        flag = HaltFile(tmp_path / "HALT")
        trader.halter.watch(flag)
        flag.put("odd \x1b[31mfills", origin="cli")
        assert state_words(desk) == "HALTED: odd [31mfills"
        found = [(one.state, one.symbol, one.reason, one.who) for one in halts(desk)]
        assert found == [
            ("HALTED", "", "odd [31mfills", ""),
            ("REDUCING", "", "three rejects", "by rejects"),
            ("HALTED", "MSFT", "news", "by hand"),
            ("REDUCING", "", "the disk is full", ""),
        ]
        ends = [one.words(utc=True).rpartition("; ")[2] for one in halts(desk)]
        assert ends[1:] == [
            'ibkr-trader resume --reason "…"',
            'ibkr-trader resume --symbol MSFT --reason "…"',
            "it ends with its cause",
        ]
        trader.halter.notice()
        assert state_words(desk) == "HALTED by hand: odd [31mfills"


@pytest.mark.parametrize(
    ("origin", "words"), [("cli", "by hand"), ("drawdown", "by drawdown"), ("", "")]
)
def test_who_it_was(origin: str, words: str) -> None:
    assert by(origin) == words


def test_how_it_ends() -> None:
    assert how_to_resume("") == 'ibkr-trader resume --reason "…"'
    assert how_to_resume("BRK.B") == 'ibkr-trader resume --symbol BRK.B --reason "…"'
