from __future__ import annotations

from datetime import timedelta

from ibkr_trader.cli.arming_view import arming_document, arming_rows
from ibkr_trader.cli.face import Face
from ibkr_trader.execution.desk import Desk
from ibkr_trader.execution.trader import Trader
from ibkr_trader.risk.arming import Lack
from tests.execution.arming_stage import Shelf, arm, live
from tests.execution.parts import START, Floor


def seen(trader: Trader) -> tuple[list[tuple[str, str]], dict[str, object]]:
    desk = Desk(trader)
    return arming_rows(Face(utc=True), desk), arming_document(desk)


async def test_nothing_is_said_where_nobody_has_to_arm_anything() -> None:
    async with Floor().trader() as trader:
        rows, document = seen(trader)
        assert rows == []
        assert document == {"is_live": False, "is_armed": True, "until": None, "missing": []}


async def test_until_when_it_is_armed_or_everything_that_is_missing() -> None:
    async with live(Shelf()) as desk:
        arm(desk, timedelta(hours=2))
        rows, document = seen(desk.trader)
        assert rows == [("armed", "until 2026-11-20 17:00:00 UTC")]
        assert document["until"] == START + timedelta(hours=2)
    async with live(Shelf(), lacks=(Lack("no account", "name one"),)) as desk:
        rows, document = seen(desk.trader)
        assert rows[0] == ("NOT ARMED", "no account: name one")
        assert document["missing"] == [
            "no account",
            "The live desk is not armed (nobody has armed it)",
        ]
