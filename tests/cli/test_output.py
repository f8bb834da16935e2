from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from types import MappingProxyType

import msgspec
import pytest

from ibkr_trader.cli import output
from ibkr_trader.cli.output import Table, fitted, folded
from ibkr_trader.core.enums import Side


class _Held(msgspec.Struct):
    price: Decimal
    side: Side
    at: datetime = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


TABLE = Table(("ID", "QTY"), (("a", "10"), ("a-very-long-one", "7")), frozenset({"QTY"}))


def test_plain_tables_are_aligned_and_whole() -> None:
    assert (
        output.aligned(TABLE)
        == "ID               QTY\na                 10\na-very-long-one    7\n"
    )


def test_an_empty_table_is_its_headers() -> None:
    assert output.aligned(Table(("ID", "QTY"), ())) == "ID  QTY\n"


def test_foreign_text_cannot_steer_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    hostile = "\x1b[2J\x9b31m\u202eevil\r\nDONE"
    output.print_block(hostile)
    output.print_block(Table(("NOTE",), ((hostile,),)))
    output.note(hostile)
    shown = capsys.readouterr()
    for text in (shown.out, shown.err):
        assert not set(text) & {"\x1b", "\x9b", "\u202e", "\r"}
    assert len(shown.out.splitlines()) == 3


def test_json_is_one_document_with_decimals_as_text(capsys: pytest.CaptureFixture[str]) -> None:
    output.print_json("x/1", {"price": Decimal("1.10"), "text": "\x1b[31m"})
    line = capsys.readouterr().out
    assert line.count("\n") == 1
    assert "\x1b" not in line
    assert json.loads(line) == {
        "schema": "ibkr-trader/x/1", "ok": True, "price": "1.10", "text": "\x1b[31m",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("figure", "shown"),
    [
        ("-3.690000000000000000000000000", "-3.69"),
        ("0E-29", "0.00"),
        ("-0E-29", "0.00"),
        ("0E+4", "0"),
        ("1E+3", "1000"),
        ("150.10", "150.10"),
        ("0.12340", "0.1234"),
        ("100", "100"),
        ("1E-7", "0.0000001"),
        ("-4.2499999999999999999999995", "-4.25"),
        ("992.3500000000000000000000005", "992.35"),
        ("-0.000000000000000000000001", "0.00"),
        ("NaN", "NaN"),
    ],
)
def test_figures_of_a_document_are_plain(figure: str, shown: str) -> None:
    value = Decimal(figure)
    within = {"a": [(value,)], "b": MappingProxyType({"c": value}), "d": _Held(value, Side.BUY)}
    document = json.loads(output.document("x/1", within))
    assert document["a"] == [[shown]]
    assert document["b"] == {"c": shown}
    assert document["d"] == {"price": shown, "side": "BUY", "at": "2026-01-02T03:04:05Z"}
    again = output.document("x/1", {"e": output.encode({"f": value})})
    assert json.loads(again)["e"] == {"f": shown}


def test_indents_and_columns_of_lines_are_kept(capsys: pytest.CaptureFixture[str]) -> None:
    output.print_block("  two  spaces    four \r\r  two")
    assert capsys.readouterr().out == "  two  spaces    four  two\n"


def test_a_terminal_gets_a_drawn_table_with_nothing_as_markup(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.setenv("COLUMNS", "120")
    output.print_block(Table(("NOTE",), (("[red]not markup[/red]",),)))
    assert "[red]not markup[/red]" in capsys.readouterr().out


def test_a_narrow_terminal_loses_columns_and_no_meaning() -> None:
    table = Table(
        ("ID", "PRICE", "UPDATED", "NOTE"),
        (("17-stop", "145.00", "2026-11-20 10:00:00 EST", "refused by the exchange"),),
        spare=("UPDATED", "NOTE"),
    )
    wide, below = fitted(table, 80)
    assert (wide, below) == (table, [])
    middle, below = fitted(table, 50)
    assert (middle.headers, below) == (("ID", "PRICE", "NOTE"), [])
    narrow, below = fitted(table, 20)
    assert narrow.headers == ("ID", "PRICE")
    assert below == ["  17-stop: refused by the exchange"]


def test_notes_below_a_table_break_between_words(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.setenv("COLUMNS", "30")
    table = Table(
        ("ID", "NOTE"), (("17-stop", "refused by the exchange for its size"),), spare=("NOTE",)
    )
    output.print_block(table)
    shown = capsys.readouterr().out
    assert "  17-stop: refused by the\n    exchange for its size\n" in shown
    assert "narrow" not in shown  # nothing was left out


def test_a_long_line_breaks_between_words_and_never_within_a_command() -> None:
    orders = "Next:  ibkr-trader positions  ibkr-trader cancel k7qav-1-entry"
    assert folded(orders, 80) == orders
    assert folded(orders, 60) == (
        "Next:  ibkr-trader positions\n    ibkr-trader cancel k7qav-1-entry"
    )
    assert folded("  one_side: it would go against it", 20) == (
        "  one_side: it would\n      go against it"
    )
    command = "ibkr-trader order --symbol AAPL --side buy --quantity 10"
    assert folded(f"  fix: {command}", 30) == f"  fix:\n      {command}"
    assert folded("", 30) == ""


def test_only_a_terminal_breaks_lines(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "20")
    line = "a line that is longer than that"
    output.print_block(line)
    assert capsys.readouterr().out == f"{line}\n"
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    output.print_block(line)
    assert capsys.readouterr().out == "a line that is\n    longer than that\n"


def test_the_first_column_is_never_broken(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.setenv("COLUMNS", "40")
    name = "risk.max_openings_per_minute"
    output.print_block(Table(("SETTING", "VALUE"), ((name, "a value of many words here"),)))
    assert name in capsys.readouterr().out


def test_a_terminal_shows_percentages_as_bars(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    shares = ("0 %", "1 %", "62 %", "100 %", "1,250 %", "", "some")
    table = Table(("USE",), tuple((one,) for one in shares), bars=frozenset({"USE"}))
    assert output.aligned(table).splitlines()[1:] == list(shares)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    output.print_block(table)
    shown = [line.strip() for line in capsys.readouterr().out.splitlines()[1:]]
    assert shown == [
        "░░░░░░░░ 0 %",
        "█░░░░░░░ 1 %",
        "█████░░░ 62 %",
        "████████ 100 %",
        "████████ 1,250 %",
        "",
        "some",
    ]
