"""`strategy check` and `strategy compare`, as a person types them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ibkr_trader.adapters.clock import ManualClock
from ibkr_trader.adapters.journal import SqliteJournal
from ibkr_trader.core import events as ev
from ibkr_trader.core.enums import Outcome, Stage
from tests.cli.conftest import CommandLine
from tests.rules.test_parity import BEGUN, fill, live, order, shadow, would

OPENS = datetime(2026, 11, 16, 14, 30, tzinfo=UTC)
STRATEGY = """
name = "up"
symbols = ["AAPL"]
[[rule]]
name = "Up"
when = "bar.close > 100 and position.is_flat"
on = ["bar"]
[rule.open]
side = "long"
size = "risk:1%"
stop_loss = "5%"
take_profit = "5%"
[[rule]]
name = "Signal"
when = "signal.action == 'SELL' and position.is_long"
[rule.close_all]
"""
ROWS = ["99,101,98,101", "103,104,102,103", "103,109,98,99", "99,102,99,101", "101,101,90,91"]


@pytest.fixture
def strategy(cli: CommandLine) -> Path:
    path = cli.folder / "up.toml"
    path.write_text(STRATEGY)
    return path


def bars(cli: CommandLine, rows: list[str], *, name: str = "AAPL.csv", step: int = 1) -> Path:
    """Write bars, a minute each, as the simulator reads them."""
    lines = ["time,open,high,low,close,volume"]
    for number, row in enumerate(rows):
        at = OPENS + timedelta(minutes=number * step)
        lines.append(f"{at.isoformat()},{row},100")
    path = cli.folder / name
    path.write_text("\n".join(lines) + "\n")
    return path


def journal(cli: CommandLine, *events: ev.BaseEvent) -> None:
    folder = cli.data / "sim"
    folder.mkdir(parents=True)
    with SqliteJournal(folder / "journal.db", clock=ManualClock(OPENS)) as book:
        book.append(events)


# -- check ---------------------------------------------------------------------------------------


def test_a_strategy_is_run_over_bars(cli: CommandLine, strategy: Path) -> None:
    path = bars(cli, ROWS)
    code, out, err = cli(f"strategy check {strategy} --bars {path} --utc")
    assert (code, err) == (0, "")
    assert "up" in out
    assert "on 5 recorded bars" in out
    assert "long AAPL, stop 95.95, target 106.05" in out
    cells = {line.split("  ")[0].strip(): line.split()[-1] for line in out.splitlines() if line}
    assert (cells["trips"], cells["decisions"], cells["of these won"]) == ("2", "2", "1")
    assert "gain, trip by trip: " in out
    assert "the account's own limits are not known here." in " ".join(out.split())


def test_twice_is_the_same_byte_for_byte(cli: CommandLine, strategy: Path) -> None:
    path = bars(cli, [f"{100 + n % 9},{112 + n % 5},{88 - n % 3},{97 + n % 7}" for n in range(300)])
    first, second = (cli(f"strategy check {strategy} --bars {path} --json").out for _ in range(2))
    assert first == second
    assert len(first) > 1_000


def test_a_folder_has_a_file_for_each_symbol(cli: CommandLine, strategy: Path) -> None:
    bars(cli, ROWS)
    bars(cli, ROWS, name="MSFT.csv")
    document = cli(f"strategy check {strategy} --bars {cli.folder} --json --equity 50000").document
    assert (document["bars"], document["trips"]) == (5, 2)
    assert document["fills"][0]["quantity"] == "99"
    assert document["schema"] == "ibkr-trader/strategy-rehearsal/1"


def test_each_symbol_has_its_own_bars(cli: CommandLine, strategy: Path) -> None:
    strategy.write_text(STRATEGY.replace('["AAPL"]', '["AAPL", "MSFT"]'))
    bars(cli, ROWS)
    bars(cli, ["9,9,9,9", "409,412,408,410", "413,414,412,413"], name="MSFT.csv")
    document = cli(f"strategy check {strategy} --bars {cli.folder} --json").document
    made = [(one["symbol"], one["price"]) for one in document["decisions"]]
    assert sorted(made) == [("AAPL", "101"), ("AAPL", "101"), ("MSFT", "410")]
    assert {one["symbol"] for one in document["fills"]} == {"AAPL", "MSFT"}


def test_what_is_shown_has_a_size_and_no_endless_prices(cli: CommandLine, strategy: Path) -> None:
    strategy.write_text(STRATEGY.replace('"5%"', '"3.3333%"', 1))
    rows = ["99,101,98,100.7777", *ROWS[1:2], "103,103,90,91", *ROWS[3:]]
    line = f"strategy check {strategy} --bars {bars(cli, rows)}"
    document = cli(f"{line} --json").document
    first, stopped = document["decisions"][0], document["fills"][1]
    assert (first["terms"]["stop"], first["terms"]["targets"]) == ("97.4185", "105.8166")
    assert (stopped["kind"], stopped["price"]) == ("stop", "97.4185")
    assert "stop 97.4185, target 105.8166" in first["words"]
    text = cli(line).out
    (head,) = (one for one in text.splitlines() if "Decision" in one)
    (row,) = (one for one in text.splitlines() if "stop 97.4185" in one)
    assert row.split("105.8166")[1].split()[0] == first["terms"]["quantity"]
    assert "Size" in head


def test_signals_of_a_file_come_in_between(cli: CommandLine, strategy: Path) -> None:
    path, signals = bars(cli, ROWS), cli.folder / "signals.jsonl"
    made = (OPENS + timedelta(seconds=130)).isoformat()
    base = '{"v": 1, "id": "%s", "ts": "%s", "symbol": "AAPL", "action": "SELL", "confidence": %s}'
    early = (OPENS + timedelta(seconds=10)).isoformat()
    lines = (base % ("a", made, "0.9"), "", base % ("b", made, "0.1"), base % ("c", early, "0.2"))
    signals.write_text("\n".join(lines) + "\n")
    line = f"strategy check {strategy} --bars {path} --signals {signals}"
    document = cli(f"{line} --json").document
    assert [one["cause"] for one in document["decisions"]][1] == "recorded/a"
    refused = [(one["signal_id"], one["code"]) for one in document["refused"]]
    assert refused == [("c", "low_confidence"), ("b", "low_confidence")]
    assert "low_confidence" in cli(line).out


def test_signals_of_a_file_are_judged_as_the_profile_says(cli: CommandLine, strategy: Path) -> None:
    path, signals = bars(cli, ROWS), cli.folder / "signals.jsonl"
    made = (OPENS + timedelta(seconds=130)).isoformat()
    signals.write_text(
        f'{{"v": 1, "id": "a", "ts": "{made}", "symbol": "AAPL", "action": "SELL",'
        ' "confidence": 0.4}'
    )
    line = f"strategy check {strategy} --bars {path} --signals {signals} --json"
    assert [one["code"] for one in cli(line).document["refused"]] == ["low_confidence"]
    table = "[signals]\nneeds_signature = true\nconfidence_min = 0.3\n"
    (cli.folder / "config.toml").write_text(table)
    document = cli(line).document
    assert document["refused"] == []
    assert [one["cause"] for one in document["decisions"]][1] == "recorded/a"


def test_signals_of_the_journal_are_those_that_were_taken(cli: CommandLine, strategy: Path) -> None:
    path = bars(cli, ROWS)
    line = f"strategy check {strategy} --bars {path} --journal --json"
    assert cli(line).code == 3
    taken = ev.PredictionSignalEvent(
        at=OPENS + timedelta(seconds=130), ticker="AAPL", source="s", signal_id="1",
        signal="SELL", confidence=would(1).price,
    )  # fmt: skip
    journal(cli, taken)
    assert [one["cause"] for one in cli(line).document["decisions"]][1] == "s/1"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--signals x", "--signals needs the bars"),
        ("--journal", "--journal needs the bars"),
        ("--bars none", "no bars of this strategy"),
        ("--bars MSFT.csv", "no bars of this strategy"),
        ("--bars AAPL.csv --equity 0", "must be above zero"),
        ("--bars AAPL.csv --signals none", "cannot be read"),
        ("--bars AAPL.csv --signals wrong", "line 1"),
        ("--bars slow/AAPL.csv", "cannot be made"),
        ("--bars bad/AAPL.csv", "not a bar"),
        ("--bars gone", "no bars of this strategy"),
    ],
)
def test_what_cannot_be_used_is_said(
    cli: CommandLine, strategy: Path, options: str, message: str
) -> None:
    for folder in ("slow", "bad", "gone"):
        (cli.folder / folder).mkdir()
    bars(cli, ROWS)
    bars(cli, ROWS, name="MSFT.csv")
    bars(cli, ROWS, name="slow/AAPL.csv", step=2)
    bars(cli, ["1,2"], name="bad/AAPL.csv")
    (cli.folder / "wrong").write_text("{}\n")
    code, out, err = cli(f"strategy check {strategy} {options}")
    assert code in {2, 3}
    assert message in err
    assert not out


def test_a_file_that_is_no_strategy_is_told_so_first(cli: CommandLine, strategy: Path) -> None:
    strategy.write_text("name = 1\n")
    code, out, _ = cli(f"strategy check {strategy} --bars none")
    assert code == 3
    assert "is no strategy yet" in out


def test_a_strategy_that_decides_nothing_says_so(cli: CommandLine, strategy: Path) -> None:
    out = cli(f"strategy check {strategy} --bars {bars(cli, ['9,9,9,9'])}").out
    assert "It decides nothing." in out


# -- compare -------------------------------------------------------------------------------------


def test_without_a_shadow_there_is_nothing_to_compare(cli: CommandLine) -> None:
    for _ in range(2):
        code, _, err = cli("strategy compare one")
        assert code == 2
        assert "has never been in the shadow" in err
        if not (cli.data / "sim").exists():
            journal(cli, BEGUN[0])


def test_both_stand_side_by_side(cli: CommandLine) -> None:
    refused = ev.DecisionEndEvent(
        at=OPENS, strategy="one", decision_id="c", outcome=Outcome.REFUSED, reasons=("too large",)
    )
    fault = ev.FaultEvent(at=BEGUN[1].at, strategy="one", rule="R", message="oh", is_shadow=True)
    journal(
        cli, *BEGUN, live("a"), shadow("b", words="other"), live("c", 2), shadow("d", 3),
        order("o", "a", 1.5), fill("o", "100.12", 2), would(4), refused, fault,
    )  # fmt: skip
    code, out, err = cli("strategy compare one --utc")
    assert (code, err) == (0, "")
    assert "SIM  one: the shadow v2 beside what traded" in out
    assert "1 (1 on other terms)" in out
    assert "denied 1 times: too large" in out
    assert "a rule of the shadow raised: R: oh" in out
    assert "2 decisions of the shadow, too few: 10 is the least" in out
    assert "30,000.0 ms" in out or "30000.0 ms" in out
    assert "+98.00" in out
    document = cli("strategy compare one --json").document
    assert document["schema"] == "ibkr-trader/strategy-parity/1"
    assert document["sample"] == 2
    assert [one["decision_id"] for one in document["decisions"]["only_live"]] == ["c"]
    assert document["decisions"]["same"][0]["is_alike"] is False
    assert document["slippage"][0]["worse"] == "0.10"
    assert {one["symbol"] for one in document["decisions"]["only_live"]} == {"AAPL"}
    assert document["slippage"][0]["symbol"] == "AAPL"
    assert document["denials"] == {"too large": 1}
    assert document["shadow"]["gain"] == "98"


def test_what_was_before_is_left_out(cli: CommandLine) -> None:
    journal(cli, *BEGUN, live("a"), shadow("b"), live("c", 60 * 24 * 9))
    document = cli("strategy compare one --since 7d --json").document
    assert (document["sample"], len(document["decisions"]["only_live"])) == (0, 1)
    code, _, err = cli("strategy compare one --since never")
    assert code == 2
    assert "--since" in err


def test_a_promotion_is_told(cli: CommandLine) -> None:
    promoted = ev.StageEvent(
        at=BEGUN[1].at + timedelta(hours=1), strategy="one", stage=Stage.LIVE, version="v2"
    )
    journal(cli, *BEGUN, *(shadow(f"d{n}", n) for n in range(12)), promoted)
    out = cli("strategy compare one").out
    assert "when it was promoted" in out
    assert "12 decisions of the shadow, enough" in out
