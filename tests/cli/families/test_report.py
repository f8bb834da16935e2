"""`report`, as a person types it: from the journal alone."""

from __future__ import annotations

import os
import stat
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pytest

from ibkr_trader.adapters.clock import ManualClock
from ibkr_trader.adapters.journal import SqliteJournal
from ibkr_trader.adapters.trusted_file import mark_of
from tests.cli.conftest import CommandLine
from tests.cli.families.test_orders import BRACKET
from tests.cli.report_parts import DAY, trip, write
from tests.orders.samples import AT


def test_without_a_journal_it_says_what_to_do_and_makes_nothing(cli: CommandLine) -> None:
    code, out, err = cli("report")
    assert (code, err) == (0, "")
    assert f"SIM  nothing was ordered yet. First one: ibkr-trader {BRACKET}" in out
    assert not cli.data.exists()
    document = cli("report --json").document
    assert (document["schema"], document["orders"]) == ("ibkr-trader/report/1", [])
    write(cli.data, ())
    assert "nothing was ordered yet" in cli("report").out


def test_it_needs_no_gateway_and_tells_everything(cli: CommandLine) -> None:
    cli.env |= {"IBKR_PROFILE": "paper", "IBKR_PORT": "9"}
    write(cli.data, profile="paper")
    code, out, err = cli("report")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[0] == "PAPER  6 orders, 6 of them traded"
    assert lines[1] == "3 round trips: 1 won (33 %), on average 15.00 won and 28.00 lost"
    assert lines[2].startswith("  net -41.00 USD after 4.00 of commissions  ")
    cells = {line.split()[0]: line.split() for line in lines if line.startswith(("1-", "3-"))}
    assert cells["1-entry"] == [
        *("1-entry", "AAPL", "BUY", "10/10", "100.30"),
        *("2,000", "250", "250", "12", "238", "+3.00", "+30.0", "100.00", "signal"),
    ]
    assert cells["3-stop"][-4:] == ["+2.00", "+21.1", "95.00", "stop"]
    late, _ = [line for line in lines if line.startswith("flow/late ")]
    assert late.split()[1:] == [
        *("1", "1", "12", "/", "12", "238", "/", "238", "+3.00", "+30.0", "1.00", "1"),
        *("-1.00", "USD"),
    ]
    assert (
        "flow/late: its edge is eaten by execution: +4.00 at the prices seen first, +1.00 as "
        "traded, -1.00 USD after commissions"
    ) in lines
    own, _ = [line for line in lines if line.startswith("cli ")]
    assert own.split()[-4:] == ["–", "1", "-55.00", "USD"]  # nobody has said what was paid
    assert "  the commission of 2 orders is not known" in lines


def test_the_document_has_every_figure(cli: CommandLine) -> None:
    write(cli.data)
    document = cli("report --json").document
    assert (document["schema"], document["ok"], document["by"]) == (
        "ibkr-trader/report/1",
        True,
        "rule",
    )
    (went,) = document["performance"]
    assert (went["trips"], went["wins"], went["win_rate"]) == (3, 1, "0.3333")
    assert Decimal(went["net"]) == 15 - 1 - 55
    entry = document["orders"][0]
    assert entry["latency_ms"] == {
        "signal": 2000, "decision": 250, "send": 250, "accept": 12, "fill": 238, "finish": 0,
    }  # fmt: skip
    shortfall = entry["against_signal"]
    assert [Decimal(shortfall[key]) for key in ("reference", "money", "bp")] == [100, 3, 30]
    assert [Decimal(shortfall[key]) for key in ("with_commission", "with_commission_bp")] == [4, 40]
    assert entry["signal"]["signal_id"] == "s1"
    rules = {one["key"]: one for one in document["summary"]}
    assert [key for key, one in rules.items() if one["edge_is_eaten"]] == ["flow/late"]
    assert rules["cli"]["slippage"]["orders"] == 1
    assert Decimal(rules["cli"]["slippage"]["money"]) == 2
    messages = {one["origin"]: one["messages_each"] for one in document["efficiency"]}
    assert {key: Decimal(one) for key, one in messages.items()} == {
        "cli": 1, "eod": 1, "flow/buy": 1, "flow/late": 1,
    }  # fmt: skip
    assert [one["rule"] for one in document["trips"]] == ["flow/buy", "flow/late", "cli"]
    assert (document["left_out"], document["html"], document["since"]) == ([], None, None)


@pytest.mark.parametrize(("by", "keys"), [("symbol", ["AAPL"]), ("hour", ["10:00"]), ("RULE", 4)])
def test_it_sums_up_by_what_was_asked_for(cli: CommandLine, by: str, keys: object) -> None:
    write(cli.data)
    found = [one["key"] for one in cli(f"report --by {by} --json").document["summary"]]
    assert keys in (found, len(found))


def test_since_is_counted_by_the_clock_of_the_journal(cli: CommandLine) -> None:
    """Under `sim` that is the simulator's: its 20 November is over before ours, or to come."""
    later = [*DAY, *(one for one in trip(864 + 5, "103"))]  # a day and more after the others
    write(cli.data, later)
    document = cli("report --json").document
    assert len(document["orders"]) == 8
    assert datetime.fromisoformat(document["until"]) == max(event.at for event in later)
    for since in ("today", "1d", "2026-11-21"):
        document = cli(f"report --since {since} --json").document
        assert [one["id"] for one in document["orders"]] == ["memo-869-entry", "memo-869-close"]
        assert [one["rule"] for one in document["trips"]] == ["flow/buy"]
    assert cli("report --since today").out.startswith(
        "SIM  2 orders since 2026-11-21 00:00:00 EST, 2 of them traded"
    )
    assert len(cli("report --since 2026-11-20 --json").document["orders"]) == 8
    nothing = cli("report --since 2026-12-24")
    assert nothing.code == 0
    assert "nothing was ordered since 2026-12-24 00:00:00 EST" in nothing.out


def test_elsewhere_days_are_those_of_this_machine(cli: CommandLine) -> None:
    cli.env["IBKR_PROFILE"] = "paper"
    write(cli.data, profile="paper")
    document = cli("report --since 2d --json").document
    assert document["until"] > document["since"]
    assert document["until"] != max(event.at for event in DAY).isoformat()


@pytest.mark.parametrize(
    ("line", "fault", "fix"),
    [
        ("--since yesterday", "--since 'yesterday' must be a date such as", "--since 7d"),
        ("--since 2026-02-30", "must be a date", "--since 7d"),
        ("--since 20261120", "must be a date", "--since 7d"),
        ("--since 0d", "must be a date", "--since 7d"),
        ("--by day", "--by 'day' is none of: rule, symbol, hour", "--by rule"),
    ],
)
def test_what_says_nothing_is_refused(cli: CommandLine, line: str, fault: str, fix: str) -> None:
    for exists in (False, True):
        if exists:
            write(cli.data)
        code, out, err = cli(f"report {line}")
        assert (code, out) == (2, "")
        assert fault in err
        assert f"fix: ibkr-trader report {fix}" in err


def test_a_journal_is_read_beside_its_writer(cli: CommandLine) -> None:
    path = write(cli.data, DAY[:8])
    with SqliteJournal(path, clock=ManualClock(AT)) as journal:
        journal.append(DAY[8:])
        assert len(cli("report --json").document["orders"]) == 6


def test_reading_writes_nothing(cli: CommandLine) -> None:
    path = write(cli.data)
    before = path.read_bytes()
    for line in ("report", "report --since today --html r.html"):
        assert cli(line).code == 0
        assert path.read_bytes() == before
        assert sorted(one.name for one in path.parent.iterdir()) == [
            "journal.db",
            "journal.db-head",
        ]


def test_a_damaged_journal_is_refused(cli: CommandLine) -> None:
    path = write(cli.data)
    path.write_bytes(path.read_bytes().replace(b'"flow"', b'"glow"'))
    code, out, err = cli("report")
    assert (code, out) == (3, "")
    assert "error[journal]" in err


# -- the page -------------------------------------------------------------------------------


def test_a_page_is_private_and_may_be_written_again(cli: CommandLine) -> None:
    write(cli.data)
    path = cli.folder / "r.html"
    for _ in range(2):
        done = cli("report --html r.html")
        assert (done.code, done.err) == (0, "")
        assert done.out.splitlines()[-1] == f"The page is written: {path}"
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_text().startswith("<!DOCTYPE html>\n<!-- ibkr-trader report/1 -->\n")
    assert cli("report --html r.html --json").document["html"] == str(path)
    assert sorted(one.name for one in cli.folder.glob("*r.html*")) == ["r.html"]


def plant(path: Path, kind: str) -> None:
    if kind == "link":
        (path.parent / "other").write_text("<!DOCTYPE html>\n<!-- ibkr-trader report/1 -->\n")
        path.symlink_to("other")
    elif kind == "dangling":
        path.symlink_to("nowhere")
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        path.write_text(kind)


@pytest.mark.parametrize(
    "kind", ["precious", "", "<!DOCTYPE html>\n<!--", "link", "dangling", "pipe"]
)
def test_what_is_no_report_stays_unless_told(cli: CommandLine, kind: str) -> None:
    write(cli.data)
    path = cli.folder / "r.html"
    plant(path, kind)
    before = mark_of(path)
    code, out, err = cli("report --html r.html")
    assert (code, out) == (9, "")
    assert f"{path} is no report of ibkr-trader" in err
    assert mark_of(path) == before
    assert cli("report --html r.html --yes").code == 0
    assert "<h1>SIM report" in path.read_text()
    assert not path.is_symlink()
    if kind == "link":
        assert "<h1>" not in (cli.folder / "other").read_text()


def test_a_page_needs_a_folder(cli: CommandLine) -> None:
    write(cli.data)
    (cli.folder / "pages").mkdir()
    code, _, err = cli("report --html pages")
    assert code == 2
    assert "fix: ibkr-trader report --html pages/report.html" in err
    code, _, err = cli("report --html nowhere/r.html")
    assert code == 2
    assert f"mkdir -p {cli.folder}/nowhere" in err


def test_a_folder_in_which_nothing_can_be_written_is_told(cli: CommandLine) -> None:
    write(cli.data)
    code, _, err = cli(f"report --html {'r' * 300}.html")
    assert code == 3
    assert "cannot be written: File name too long" in err


def test_what_was_really_ordered_is_told(cli: CommandLine) -> None:
    assert cli(BRACKET).code == 0
    assert cli("close AAPL").code == 0
    document = cli("report --json").document
    (trip_,) = document["trips"]
    assert (trip_["rule"], trip_["commission"]) == ("cli", "2")
    assert Decimal(trip_["net"]) < 0
    roles = {one["role"]: one for one in document["orders"]}
    assert set(roles) == {"entry", "target", "stop", "close"}
    for role in ("entry", "close"):
        took = roles[role]["latency_ms"]
        assert took["accept"] is not None, role
        assert took["fill"] is not None, role
    assert document["left_out"] == []
