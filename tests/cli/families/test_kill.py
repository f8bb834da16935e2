"""`halt` and `resume`: what they say, in words and for scripts, and with which exit codes."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from ibkr_trader.adapters.clock import SystemClock
from ibkr_trader.adapters.journal import SqliteJournal
from ibkr_trader.core.events import CloseRequestEvent, StateEvent
from tests.cli.conftest import CommandLine, Ran
from tests.cli.families.test_orders import BRACKET

RESTING = "order --symbol MSFT --side buy --quantity 5 --type limit --limit 410 --no-stop"


def flag(cli: CommandLine) -> Path:
    return cli.data / "sim" / "HALT"


def state(cli: CommandLine) -> dict[str, Any]:
    return cli("status --json").document


def ids(cli: CommandLine) -> set[str]:
    return {str(one["id"]) for one in cli("orders --json").document["orders"]}


def test_a_halt_cancels_what_could_open_and_keeps_what_protects(cli: CommandLine) -> None:
    assert cli(BRACKET).code == 0
    protecting = ids(cli)
    assert cli(RESTING).code == 0
    done = cli("halt --reason odd_fills")
    assert done.code == 0, done
    assert "HALTED by hand: odd_fills" in done.out
    assert "1 of 1 opening order cancelled; stops and targets stay." in done.out
    assert "HALTED: nothing is opened from now on" in done.err
    assert ids(cli) <= protecting
    assert len(ids(cli)) == 2
    assert json.loads(flag(cli).read_text())["reason"] == "odd_fills"


def test_a_symbol_that_nobody_knows_is_not_halted_in_silence(cli: CommandLine) -> None:
    assert cli(BRACKET).code == 0
    ran = cli("halt --symbol APPL --reason odd")
    assert ran.code == 2
    assert "nothing was halted: 'APPL' names no contract" in ran.err
    assert "fix: ibkr-trader halt --symbol AAPL --reason odd" in ran.err
    assert state(cli)["halts"] == []
    far = cli("halt --symbol NOSUCH")
    assert far.code == 2
    assert "ibkr-trader positions, or ibkr-trader halt" in far.err
    assert state(cli)["halts"] == []


def test_a_halt_of_a_symbol_says_what_it_found_there(cli: CommandLine) -> None:
    assert cli(BRACKET).code == 0
    assert "Held: +10 AAPL; 2 orders of it work." in cli("halt --symbol AAPL").out
    assert "Nothing of MSFT is held, and no order of it works." in cli("halt --symbol MSFT").out


def test_options_that_contradict_each_other_end_with_commands_that_work(cli: CommandLine) -> None:
    err = cli("halt --keep-entries --flatten").err
    assert "fix: ibkr-trader halt --flatten\n" in err
    assert "fix: ibkr-trader halt --keep-entries\n" in err


def test_a_flattening_halt_does_not_say_that_stops_stay(cli: CommandLine) -> None:
    assert cli(BRACKET).code == 0
    out = cli("halt --flatten --yes").out
    assert "Closed AAPL." in out
    assert "stops and targets stay" not in out


def test_resume_asks_in_words_that_stand_without_a_terminal(cli: CommandLine) -> None:
    assert cli("halt").code == 0
    assert "First one" not in cli("orders").out
    assert 'Next: ibkr-trader resume --reason "…"' in cli("orders").out
    err = cli("resume --reason checked").err
    assert "To resume, type SIM0000001. There is no terminal to type it on" in err
    assert "ibkr-trader resume" not in err


def test_everything_shows_it_and_says_how_it_ends(cli: CommandLine) -> None:
    assert cli("halt --reason odd_fills").code == 0
    for line in (
        "orders",
        "positions",
        "account",
        "fills",
        "quote AAPL",
        "close AAPL",
        "cancel --all",
    ):
        out = cli(line).out
        assert out.startswith("SIM SIM0000001  HALTED by hand: odd_fills"), line
    out = cli("status").out
    (row,) = [one for one in out.splitlines() if one.startswith("HALTED ")]
    assert "odd_fills; since 2026-11-20 10:" in row
    assert 'EST by hand; ibkr-trader resume --reason "…"' in row
    found = state(cli)
    assert found["trading_state"] == "HALTED"
    (halt,) = found["halts"]
    assert (halt["reason"], halt["who"], halt["symbol"]) == ("odd_fills", "by hand", "")
    checks = [c for c in cli("doctor --json").document["checks"] if c["name"] == "trading state"]
    assert [(c["state"], c["fix"]) for c in checks] == [("warn", 'ibkr-trader resume --reason "…"')]


def test_what_opens_is_denied_and_what_closes_is_not(cli: CommandLine) -> None:
    assert cli(BRACKET).code == 0
    stop = next(one for one in ids(cli) if one.endswith("stop"))
    assert cli("halt --reason odd_fills").code == 0
    denied = cli(f"{RESTING} --json")
    assert denied.code == 6
    (reason,) = [
        one for one in denied.document["error"]["reasons"] if one["check"] == "trading_state"
    ]
    assert "odd_fills" in reason["message"]
    assert cli(f"modify {stop} --stop 146").code == 0
    assert cli(f"modify {stop} --stop 140").code == 6
    assert cli("close AAPL").code == 0


def test_resuming_needs_a_person_and_a_reason(cli: CommandLine) -> None:
    assert cli("halt --reason odd_fills").code == 0
    for line, code in (
        ("resume", 2),
        ("resume --reason --yes", 2),
        ("resume --reason … --yes", 2),
        ("resume --reason ok", 9),
    ):
        assert cli(line).code == code, line
    assert state(cli)["trading_state"] == "HALTED"
    done = cli("resume --reason checked --yes --json")
    assert done.code == 0, done
    assert done.document["ended"]["reason"] == "odd_fills"
    assert done.document["trading_state"] == "ACTIVE"
    assert not flag(cli).exists()
    assert state(cli)["halts"] == []
    assert cli(RESTING).code == 0


def test_a_dry_run_changes_nothing(cli: CommandLine) -> None:
    assert cli(BRACKET).code == 0
    assert cli(RESTING).code == 0
    done = cli("halt --flatten --dry-run")
    assert done.code == 0, done
    assert "would cancel" in done.out
    assert "would close  +10 AAPL" in done.out
    assert len(ids(cli)) == 3
    assert not flag(cli).exists()
    assert state(cli)["halts"] == []
    assert cli("halt --reason odd").code == 0
    done = cli("resume --reason ok --dry-run")
    assert (done.code, "would resume" in done.out) == (0, True)
    assert state(cli)["trading_state"] == "HALTED"


def test_entries_may_be_kept(cli: CommandLine) -> None:
    assert cli(RESTING).code == 0
    done = cli("halt --keep-entries --json")
    assert done.code == 0, done
    assert done.document["kept"] == list(ids(cli))
    assert done.document["cancelled"] == done.document["left"] == []
    assert cli("orders").code == 0  # and nobody cancels it later
    assert len(ids(cli)) == 1
    assert len(cli("halt --json").document["cancelled"]) == 1


def test_a_symbol_is_halted_and_resumed_alone(cli: CommandLine) -> None:
    assert cli(RESTING).code == 0
    assert (
        cli("order --symbol AAPL --side buy --quantity 5 --type limit --limit 140 --no-stop").code
        == 0
    )
    done = cli("halt --symbol msft --reason news --json")
    assert done.code == 0, done
    assert [one["symbol"] for one in done.document["cancelled"]] == ["MSFT"]
    assert not flag(cli).exists()
    assert cli("orders").out.startswith("SIM SIM0000001  MSFT HALTED")
    assert cli(RESTING).code == 6
    again = "order --symbol AAPL --side buy --quantity 4 --type limit --limit 141 --no-stop"
    assert cli(again).code == 0
    assert cli("halt --reason all").code == 0
    done = cli("resume --reason ok --yes")
    assert done.code == 0
    assert "Still HALTED MSFT: news" in done.out
    assert cli(RESTING).code == 6
    assert cli("resume --symbol MSFT --reason ok --yes").code == 0
    assert cli(RESTING).code == 0


def test_flatten_ends_flat_and_again(cli: CommandLine) -> None:
    assert cli(BRACKET).code == 0
    assert cli("order --symbol AMD --side sell --quantity 5 --wait filled --no-stop").code == 0
    refused = cli("halt --flatten --reason odd --json")
    assert refused.code == 9
    assert "HALTED, and nothing was closed" in refused.document["error"]["message"]
    assert "+10 AAPL" in refused.document["error"]["message"]
    assert state(cli)["trading_state"] == "HALTED"
    for expected in (["AAPL", "AMD"], []):
        done = cli("halt --flatten --yes --json")
        assert done.code == 0, done
        assert (sorted(done.document["closed"]), done.document["is_flat"]) == (expected, True)
    assert cli("positions --json").document["positions"] == []
    assert ids(cli) == set()
    bought = sum(int(one["quantity"]) for one in cli("fills --json").document["fills"])
    assert bought == 30  # in and out, and never further


def test_that_it_is_to_end_flat_is_on_record_before_anything_is_closed(cli: CommandLine) -> None:
    assert cli(BRACKET).code == 0
    assert cli("halt --flatten").code == 9
    assert told(cli) == ["halted"], "nobody has agreed to it"
    assert cli("halt --flatten --yes").code == 0
    assert told(cli) == ["halted", "promised", "closing", "halted"]


def told(cli: CommandLine) -> list[str]:
    """Return the halts and the closings on record; of what is told again at once, the first."""
    path, words = cli.data / "sim" / "journal.db", list[str]()
    with SqliteJournal(path, clock=SystemClock(), read_only=True) as journal:
        for _, message in journal.messages():
            if isinstance(message, StateEvent):
                words.append("promised" if message.flattens else "halted")
            elif isinstance(message, CloseRequestEvent) and words[-1] != "closing":
                words.append("closing")
    return words


@pytest.mark.parametrize(
    ("line", "code", "words"),
    [
        ("halt --keep-entries --flatten", 2, "contradict"),
        ("halt --symbol ?", 2, "--symbol"),
        ("halt --timeout x", 2, "--timeout"),
        ("resume --reason ok --yes", 0, "there is nothing to resume"),
        ("resume --symbol AAPL --reason ok --yes", 0, "there is nothing to resume"),
    ],
)
def test_bad_input_and_nothing_to_do(cli: CommandLine, line: str, code: int, words: str) -> None:
    done = cli(line)
    assert done.code == code
    assert words in done.out + done.err
    assert not flag(cli).exists()


# -- when nothing else works -----------------------------------------------------------------


def gone(cli: CommandLine) -> None:
    """Take the gateway away, and let nobody start another."""
    cli.stop_gateway()
    cli.env |= {"IBKR_PROFILE": "paper", "IBKR_PORT": "1", "IBKR_TIMEOUT_SECONDS": "1"}


def test_without_a_gateway_it_holds_and_says_what_is_left(cli: CommandLine) -> None:
    assert cli(RESTING).code == 0
    (order,) = ids(cli)
    cli.stop_gateway()
    (cli.data / "sim" / "gateway").rename(cli.data / "sim" / "was")
    (cli.data / "sim" / "gateway").write_text("nothing can start here")
    done = cli("halt --reason odd --json")
    assert done.code == 7, done
    assert (done.document["ok"], done.document["is_recorded"]) == (False, True)
    assert done.document["left"] == [order]
    assert done.document["flag"] == str(flag(cli))
    said = cli("halt --reason odd")
    assert said.code == 7
    assert "HALTED by the flag file: nothing is opened; 1 opening order could not be" in said.out
    assert order in said.out
    flag(cli).unlink()  # what is on record holds without the file
    (cli.data / "sim" / "gateway").unlink()
    (cli.data / "sim" / "was").rename(cli.data / "sim" / "gateway")
    assert state(cli)["halts"][0]["reason"] == "odd"
    assert cli(f"{RESTING}").code == 6
    assert len(cli("halt --json").document["cancelled"]) <= 1  # by whoever came first
    assert ids(cli) == set()


def test_without_a_gateway_a_symbol_is_halted_in_the_journal(cli: CommandLine) -> None:
    gone(cli)
    done = cli("halt --symbol AAPL --reason odd --json")
    assert done.code == 7, done
    assert (done.document["flag"], done.document["is_recorded"]) == (None, True)
    assert "in the journal" in cli("halt --symbol AAPL").out


def test_a_deleted_journal_leaves_the_flag(cli: CommandLine) -> None:
    assert cli("halt --reason odd").code == 0
    for path in (cli.data / "sim").glob("journal*"):
        path.unlink()
    assert cli(RESTING).code == 6
    assert state(cli)["halts"][0]["reason"] == "odd"


def test_touch_halts_and_deleting_it_does_not_resume(cli: CommandLine) -> None:
    assert cli(RESTING).code == 0
    flag(cli).touch()
    denied = cli(RESTING)
    assert denied.code == 6
    assert "the file HALT is there" in denied.err
    flag(cli).unlink()
    assert cli(RESTING).code == 6
    assert cli("halt").code == 0
    assert ids(cli) == set()


def test_a_flag_that_cannot_be_removed_goes_on_and_says_so(cli: CommandLine) -> None:
    assert cli("status").code == 0
    flag(cli).mkdir()
    (flag(cli) / "inside").touch()
    done = cli("resume --reason ok --yes")
    assert done.code == 7, done
    assert "NOT resumed for good" in done.out
    assert "Directory not empty" in done.out
    assert cli(RESTING).code == 6
    assert cli("halt").code == 0  # a folder of that name halts as well as a file


def test_where_no_flag_can_be_written_nothing_is_pretended(cli: CommandLine) -> None:
    cli.data.parent.mkdir(exist_ok=True)
    cli.data.write_text("a file where the folder should be")
    done = cli("halt --reason odd")
    assert done.code == 7, done
    assert "this desk is NOT halted" in done.err
    assert "kill -USR1 the trader" in done.err
    assert "HALTED: nothing is opened" not in done.err


def test_a_configuration_that_cannot_be_read_is_said_with_other_means(cli: CommandLine) -> None:
    (cli.folder / "config.toml").write_text("profile = [")
    done = cli("halt --reason odd")
    assert done.code == 3, done
    assert "NOT halted" in done.err
    assert "kill -USR1 the trader" in done.err


def test_no_setting_resumes(cli: CommandLine) -> None:
    assert cli("halt --reason odd").code == 0
    (cli.folder / "config.toml").write_text(
        "timeout_seconds = 20\n[risk]\nmax_open_positions = 9\n"
    )
    cli.env["IBKR_CLIENT_ID"] = "2"
    assert cli(RESTING).code == 6
    assert state(cli)["trading_state"] == "HALTED"


def test_a_fault_of_ours_leaves_the_flag_and_says_so(
    cli: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert cli(RESTING).code == 0
    monkeypatch.setattr("ibkr_trader.cli.halting.desk_for", None)
    done = cli("halt --reason odd")
    assert done.code == 7, done
    assert "HALTED by the flag file" in done.out
    assert "a fault of ours: TypeError" in done.out
    assert flag(cli).exists()


def test_halting_from_a_desk_that_only_looks_says_that_nothing_was_cancelled(
    cli: CommandLine,
) -> None:
    assert cli(RESTING).code == 0
    cli.env["IBKR_READONLY"] = "true"
    done = cli("halt --reason odd")
    assert done.code == 7, done
    assert "NOT confirmed as cancelled" in done.out
    assert "only look" in done.out
    del cli.env["IBKR_READONLY"]


def answered(ran: Ran) -> str:
    return ran.out + ran.err


def test_what_comes_from_outside_cannot_steer_a_terminal(cli: CommandLine) -> None:
    assert cli("status").code == 0
    flag(cli).write_bytes(b"\x1b[2Jgone\x07" + os.urandom(2_000))
    for line in ("status", "orders", RESTING):
        assert "\x1b" not in answered(cli(line))
        assert "\x07" not in answered(cli(line))
