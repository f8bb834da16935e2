"""`update-correlations` and `correlations`, as people and scripts see them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ibkr_trader.adapters.correlation_file import PriceFiles
from ibkr_trader.risk.price_history import PriceHistory
from ibkr_trader.sim.gateway import background
from tests.cli.conftest import CommandLine, Shell

FOUR = "AAPL,MSFT,GOOGL,META"
UPDATE = f"update-correlations --symbols {FOUR} --lookback 60"


def test_the_whole_way(cli: CommandLine) -> None:
    ran = cli(UPDATE)
    assert ran.code == 0, ran.err
    assert "SIM SIM0000001  correlations of 4 symbols, 4 asked for" in ran.out
    assert "60 daily returns (2" in ran.out
    assert "\x1b" not in ran.out + ran.err
    assert ran.err.splitlines()[1:] == []  # no progress bar off a terminal
    again = cli(f"{UPDATE} --json").document
    assert (again["schema"], again["asked"]) == ("ibkr-trader/correlations/1", 0)
    assert again["symbols"] == ["AAPL", "GOOGL", "META", "MSFT"]
    square = again["coefficients"]
    assert [row[n] for n, row in enumerate(square)] == [1.0] * 4
    assert square[0][3] == square[3][0] != square[0][1]
    shown = cli("correlations --json").document
    assert shown["coefficients"] == square
    assert (shown["is_stale"], shown["threshold"], shown["left_out"]) == (False, "0.7", {})
    assert shown["sectors"]["AAPL"] == "Technology"
    table = cli("correlations").out
    assert "AAPL  GOOGL  META  MSFT" in table
    assert "computed 0 min ago" in table
    one = cli("correlations AAPL").out
    assert "WITH AAPL" in one
    assert "Technology" in one
    document = cli("correlations aapl --json").document
    assert document["symbol"] == "AAPL"
    assert document["correlations"] == dict(zip(again["symbols"][1:], square[0][1:], strict=True))


def test_without_symbols_it_is_what_is_held_and_known(cli: CommandLine) -> None:
    ran = cli("update-correlations")
    assert ran.code == 2
    assert "nothing is held, works, or has limits of its own" in ran.err
    assert "update-correlations --symbols AAPL,MSFT,GOOGL,META" in ran.err
    assert cli("update-correlations --symbols KO --add KO,XOM").code == 0
    (cli.data / "symbol_limits.json").write_text('{"symbol_limits": {"JPM": {}}}')
    assert cli("update-correlations --json").document["symbols"] == ["JPM", "KO", "XOM"]
    more = cli("update-correlations --add AAPL --json").document
    assert (more["symbols"], more["asked"]) == (["AAPL", "JPM", "KO", "XOM"], 1)


def test_what_could_not_be_had_is_named_and_the_rest_is_stored(cli: CommandLine) -> None:
    ran = cli("update-correlations --symbols AAPL,NOSUCH,MSFT,NOPE --json")
    assert ran.code == 7
    document = ran.document
    assert (document["ok"], document["symbols"]) == (False, ["AAPL", "MSFT"])
    assert set(document["left_out"]) == {"NOSUCH", "NOPE"}
    text = cli("correlations")
    assert text.code == 0
    assert "left out: NOPE: bars of NOPE failed" in text.out
    why = cli("correlations NOPE")
    assert why.code == 2
    assert "there are no correlations of NOPE: bars of NOPE failed" in why.err


def test_a_name_that_the_broker_does_not_know_is_not_asked_about_again(cli: CommandLine) -> None:
    ran = cli("update-correlations --symbols AAPL,NOSUCH,MSFT")
    assert ran.code == 7
    assert "left out: NOSUCH: 'NOSUCH' names no contract" in ran.out
    assert "NOSUCH" not in cli("correlations").out
    assert cli("update-correlations").code == 0


def test_fewer_than_two_symbols_replace_nothing(cli: CommandLine) -> None:
    assert cli(UPDATE).code == 0
    ran = cli("update-correlations --symbols AAPL,NOSUCH")
    assert ran.code == 7
    assert "nothing was stored: those of 4 symbols stay" in ran.out
    assert len(cli("correlations --json").document["symbols"]) == 4
    assert cli("update-correlations --symbols AAPL").code == 7
    assert len(cli("correlations --json").document["symbols"]) == 4


def test_correlations_of_a_name_nobody_asked_for(cli: CommandLine) -> None:
    assert cli("update-correlations --symbols AAPL,MSFT").code == 0
    assert "there are no correlations of KO: nobody asked" in cli("correlations KO").err


def test_nothing_had_keeps_what_was_there(cli: CommandLine) -> None:
    assert cli("update-correlations --symbols AAPL,MSFT").code == 0
    ran = cli("update-correlations --symbols NOSUCH")
    assert ran.code == 7
    assert "no correlations: the old ones, if any, stay" in ran.out
    assert cli("correlations --json").document["symbols"] == ["AAPL", "MSFT"]


def test_one_symbol_has_nothing_beside_it(cli: CommandLine) -> None:
    ran = cli("update-correlations --symbols AAPL,AAPL,aapl")
    assert ran.code == 0
    assert "correlations of 1 symbol, 1 asked for" in ran.out
    assert "AAPL alone: there is nothing to compare it with" in ran.out


def test_there_may_be_none(cli: CommandLine) -> None:
    ran = cli("correlations")
    assert ran.code == 2
    assert "there are no correlations (none yet)" in ran.err
    assert cli("update-correlations --symbols AAPL,MSFT").code == 0
    (cli.data / "sim" / "correlations.json").write_text("{")
    assert "the file counts as missing: it is damaged" in cli("correlations").err
    assert cli("positions").code == 0


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("--symbols AAPL --lookback 0", "from 20 to 1,000 sessions"),
        ("--symbols AAPL --lookback 1", "--lookback 20"),
        ("--symbols AAPL --lookback 100000", "--lookback 1000"),
        ("--symbols AAPL --lookback -5", "in digits"),
        ("--symbols AAPL --lookback ٦٠", "in digits"),
        ("--symbols AAPL --lookback 1e3", "--lookback 60"),
        ("--symbols ,", "names no symbol"),
        ("--symbols AAPL,MS/FT", "is not a ticker"),
        ("--add §", "is not a ticker"),
        ("--symbols " + ",".join(f"S{n}" for n in range(2001)), "2,000 are the most"),
    ],
)
def test_what_is_typed_wrong(line: str, words: str, cli: CommandLine) -> None:
    ran = cli(f"update-correlations {line}")
    assert ran.code == 2
    assert words in ran.err
    assert not (cli.data / "sim").exists()


def test_many_symbols_show_their_strongest_pairs(cli: CommandLine) -> None:
    names = "AAPL,MSFT,GOOGL,META,AMZN,NVDA,TSLA,KO,XOM,JPM,SPY,QQQ,IWM"
    ran = cli(f"update-correlations --symbols {names}")
    assert ran.code == 0, ran.out
    rows = [
        line.split() for line in ran.out.splitlines() if line.startswith(tuple(names.split(",")))
    ]
    assert len(rows) == 20
    assert "the 20 strongest of 78 pairs of 13 symbols; all of one: ibkr-trader" in ran.out
    strengths = [abs(float(row[2].rstrip("*"))) for row in rows]
    assert strengths == sorted(strengths, reverse=True)
    assert any(row[2].endswith("*") == (abs(float(row[2].rstrip("*"))) >= 0.7) for row in rows)


def test_an_order_is_judged_by_them(cli: CommandLine) -> None:
    """The store reaches the reviews of the next command, and of a running trader."""
    config = Path(cli.env["IBKR_CONFIG"])
    config.write_text(config.read_text() + 'correlation_threshold = "0.2"\nrequire_stop = false\n')
    bracket = "bracket-order --symbol {} --quantity 10 --stop-loss {} --take-profit {} --yes"
    assert cli(bracket.format("AAPL", 145, 155)).code == 0
    ran = cli("update-correlations --symbols MSFT,KO")
    assert "held or working, and not in it: AAPL" in ran.out
    assert "Next: ibkr-trader update-correlations --add AAPL" in ran.out
    (cli.data / "symbol_limits.json").write_text(
        '{"symbol_limits": {"MSFT": {"max_correlation_exposure": 5000}}}'
    )
    assert cli("update-correlations --symbols AAPL,MSFT").code == 0
    denied = cli(bracket.format("MSFT", 400, 440) + " --json")
    assert denied.code == 6
    reasons = {one["check"]: one for one in denied.document["error"]["reasons"]}
    assert "MSFT and what moves with it (AAPL 0.2" in reasons["correlated_exposure"]["message"]


def test_a_gateway_that_goes_in_the_middle(
    cli: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep, kept = PriceFiles.keep, []

    def stop_after_two(files: PriceFiles, history: PriceHistory) -> None:
        keep(files, history)
        kept.append(history.symbol)
        if len(kept) == 2:
            background.stop(cli.data / "sim" / "gateway")

    monkeypatch.setattr(PriceFiles, "keep", stop_after_two)
    ran = cli(UPDATE)
    assert ran.code == 4, ran.out + ran.err
    assert "2 of 4 symbols are done, and kept" in ran.err
    assert not (cli.data / "sim" / "correlations.json").exists()
    assert cli(f"{UPDATE} --json").document["asked"] == 2


KILLED = """
import os, signal, sys
from ibkr_trader.adapters.correlation_file import PriceFiles
from ibkr_trader.cli import entry
keep, kept = PriceFiles.keep, []
def die_after_three(files, history):
    keep(files, history)
    kept.append(history)
    if len(kept) == 3:
        os.kill(os.getpid(), signal.SIGKILL)
PriceFiles.keep = die_after_three
sys.exit(entry.run(sys.argv[1:]))
"""


@pytest.mark.slow
def test_killed_in_the_middle_the_next_goes_on(shell: Shell) -> None:
    done = subprocess.run(
        [sys.executable, "-c", KILLED, *UPDATE.split()],
        cwd=shell.folder,
        env=shell.env,
        capture_output=True,
        timeout=50,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL
    assert len(os.listdir(shell.data / "sim" / "prices")) == 3  # noqa: PTH208 - names are enough
    document = json.loads(shell(f"{UPDATE} --json").out)
    assert (document["asked"], len(document["symbols"])) == (1, 4)
