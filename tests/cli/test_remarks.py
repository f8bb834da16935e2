"""What the checks remark on is told wherever something is placed, added to or changed."""

from __future__ import annotations

import pytest

from ibkr_trader.cli.output import Reply
from ibkr_trader.cli.remarks import document, line, with_remarks
from ibkr_trader.core.events import Breach
from tests.cli.conftest import CommandLine

REMARK = Breach(check="a", message="Mind it.", limit="5", hint="do this", is_warning=True)
ENTRIES = "oco-order --symbol AAPL --buy-limit 145 --buy-stop 155 --quantity 2"  # without a stop


def reply(*blocks: str) -> Reply:
    return Reply(schema="x/1", data={}, blocks=list(blocks))


def test_a_remark_is_a_line_and_a_document() -> None:
    assert line(REMARK) == "note: Mind it. (do this)"
    assert line(Breach(check="a", message="Mind it.")) == "note: Mind it."
    assert document(REMARK) == {
        "check": "a",
        "message": "Mind it.",
        "limit": "5",
        "hint": "do this",
    }


def test_remarks_stand_where_they_are_wanted() -> None:
    told = with_remarks(reply("head", "table", "next"), (REMARK,), at=2)
    assert told.blocks == ["head", "table", "note: Mind it. (do this)", "next"]
    assert told.data["warnings"] == [document(REMARK)]
    assert with_remarks(reply("head"), (REMARK,)).blocks[-1] == "note: Mind it. (do this)"
    assert with_remarks(reply("head"), ()).data == {"warnings": []}


@pytest.mark.parametrize("options", ["", "--dry-run", "--preview"])
def test_they_are_told_of_what_is_placed(options: str, cli: CommandLine) -> None:
    shown = cli(f"{ENTRIES} {options}")
    assert shown.code == 0, shown
    (note,) = [row for row in shown.out.splitlines() if row.startswith("note: BUY 2 AAPL")]
    assert note.endswith("opens without a stop. (once it has filled: ibkr-trader cover --fix)")


def test_they_are_in_the_documents(cli: CommandLine) -> None:
    placed = cli(f"{ENTRIES} --json").document
    assert {one["check"] for one in placed["warnings"]} == {"protective_plan"}
    order = placed["orders"][0]["id"]
    assert cli(f"modify {order} --limit 144 --json").document["warnings"] == []
    assert cli(f"modify {order} --limit 143 --dry-run --json").document["warnings"] == []
