"""The simulator by its commands: started, found, stopped, begun anew."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ibkr_trader.sim.gateway import background, door
from ibkr_trader.sim.gateway.background import read_info
from tests.cli.conftest import CommandLine


def test_its_life(cli: CommandLine) -> None:
    assert cli("gateway status --json").document["running"] is False
    started = cli("gateway start --json").document
    assert started["running"] is True
    assert started["account"].startswith("SIM")
    assert started["port"] not in {7496, 7497, 4001, 4002}
    again = cli("gateway start")
    assert again.code == 0
    assert f"already runs on 127.0.0.1:{started['port']}" in again.out
    assert cli("gateway status --json").document["pid"] == started["pid"]
    assert "its account is kept" in cli("gateway stop").out
    assert cli("gateway stop --json").document["stopped"] is False
    assert cli("gateway status --json").document["running"] is False


def test_a_killed_one_is_not_taken_for_running(cli: CommandLine) -> None:
    pid = cli("gateway start --json").document["pid"]
    os.kill(pid, signal.SIGKILL)
    assert cli("gateway status --json").document["running"] is False
    assert cli("gateway start --json").document["pid"] != pid


def test_reset_asks_first(cli: CommandLine) -> None:
    code, out, err = cli("gateway reset")
    assert (code, out) == (9, "")
    assert "error[confirmation_needed]" in err
    assert cli("gateway reset --dry-run --json").document["reset"] is False
    assert cli("gateway reset --yes").code == 0


def test_a_port_of_ones_own(cli: CommandLine) -> None:
    port = cli("gateway start --json").document["port"]
    cli("gateway stop")
    cli.env["IBKR_SIM_PORT"] = str(port)
    assert cli("gateway start --json").document["port"] == port
    code, _, err = cli("gateway start --port 40999")
    assert code == 2
    assert f"already runs on port {port}" in err


def test_bad_options_are_refused(cli: CommandLine) -> None:
    for line, fix in [
        ("--port 7497", "--port 41873"),
        ("--port 0", "--port 41873"),
        ("--seed x", "--seed 1"),
        ("--speed fast", "--speed 1"),
        ("--speed 0", "--speed 1"),
        ("--bars nowhere", "ls "),
        ("--bars /dev/null", "ls /dev"),
    ]:
        code, _, err = cli(f"gateway start {line}")
        assert code == 2
        assert fix in err.split("fix: ")[1]


def test_a_taken_port_is_said(cli: CommandLine) -> None:
    taken = cli("gateway start --json").document["port"]
    other = str(cli.folder / "other")
    code, _, err = cli(f"gateway start --port {taken} --data-dir {other}")
    assert code == 4
    assert f"another simulator has port {taken} (address already in use)" in err
    assert "fix: ibkr-trader gateway start without --port" in err


def test_things_are_made_to_happen(cli: CommandLine) -> None:
    code, _, err = cli("gateway inject price AAPL 151")
    assert code == 4
    assert "fix: ibkr-trader gateway start" in err
    cli("gateway start --wire-log")
    assert "AAPL stands at 151.00" in cli("gateway inject price AAPL 151").out
    gap = cli("gateway inject gap AAPL -20% --json").document
    assert gap["result"]["last"] == "120.8"
    assert (
        cli("gateway inject hand buy AAPL 10 --json").document["result"]["order"]["filled"] == "10"
    )
    look = cli("gateway inject look --json").document["result"]
    assert look["positions"] == {"AAPL": "10"}
    assert "armed: fault 1" in cli("gateway inject swallow placeOrder").out
    folder = cli.data / "sim" / "gateway"
    info = read_info(folder)
    assert info is not None
    door = Path(info.door)
    assert door.stat().st_mode & 0o077 == 0
    assert (folder / "wire.jsonl").stat().st_mode & 0o077 == 0
    cli("gateway stop")
    assert not door.exists()


def test_what_is_typed_wrong_is_shown_right(cli: CommandLine) -> None:
    listed = cli("gateway inject --json").document["result"]["forms"]
    assert {"form": "halt SYMBOL", "what": "trading stops"} in listed
    for words, fix in [
        ("gap AAPL", "ibkr-trader gateway inject gap SYMBOL PERCENT"),
        ("hand modify x --stopp 3", "ibkr-trader gateway inject hand modify ORDER"),
        ("fly", "ibkr-trader gateway inject"),
    ]:
        code, _, err = cli(f"gateway inject {words}")
        assert code == 2
        assert fix in err.split("fix: ")[1]


def test_a_fault_that_was_injected_meets_the_next_command(cli: CommandLine) -> None:
    order = "order --symbol AAPL --side buy --no-stop --quantity 5 --type limit --limit 148 --json"
    cli("gateway start")
    assert cli("gateway inject reject 201 --text margin").code == 0
    refused = cli(order)
    assert refused.code == 5, refused
    assert "margin" in refused.document["error"]["message"]
    assert cli(order).code == 0, "it struck once"
    assert cli("gateway inject hand cancel single").code == 0
    assert cli("orders --json").document["orders"] == []


def test_scripts_and_chaos_are_there_from_the_first_moment(cli: CommandLine) -> None:
    bad = cli.folder / "bad.txt"
    bad.write_text("halt AAPL\ngap AAPL\n")
    code, _, err = cli(f"gateway start --script {bad}")
    assert code == 2
    assert "bad.txt:2: PERCENT is missing" in err
    assert "the form is: gap SYMBOL PERCENT" in err
    assert cli("gateway status").code == 0
    good = cli.folder / "good.txt"
    good.write_text("price AAPL 151  # and it stays there\nrefuse 1 --at 23:45\n")
    assert cli(f"gateway start --script {good} --chaos 7").code == 0
    look = cli("gateway inject look --json").document["result"]
    assert look["chaos"] == {"seed": 7, "drawn": []}
    assert [plan["act"]["do"] for plan in look["plans"]] == ["arm"]
    assert cli(f"gateway inject --script {bad}").code == 2
    good.write_text("chaos off\nswallow\nhand close AAPL\n")
    code, _, err = cli(f"gateway inject --script {good}")
    assert code == 2
    assert "good.txt:3: nothing is held" in err
    good.write_text("chaos off\nswallow\n")
    assert "good.txt: 2 done" in cli(f"gateway inject --script {good}").out
    look = cli("gateway inject look --json").document["result"]
    assert (look["chaos"], len(look["faults"])) == (None, 1)
    assert cli(f"gateway start --script {good}").code == 2, "it runs already"
    assert cli(f"gateway inject look --script {good}").code == 2
    assert "chaos 7: 10 of 100" in (cli.data / "sim" / "gateway" / "gateway.log").read_text()


def test_a_gateway_that_nobody_reaches_can_still_be_told(cli: CommandLine) -> None:
    cli("gateway start")
    assert cli("gateway inject refuse").code == 0
    deaf = cli("gateway status --json")
    assert (deaf.code, deaf.document["running"], deaf.document["is_deaf"]) == (7, False, True)
    began = time.monotonic()
    for line in ("gateway start", "orders"):
        refused = cli(line)
        assert refused.code == 4
        assert "nobody can connect to its port" in refused.err
        assert "fix: ibkr-trader gateway inject lift, or ibkr-trader gateway stop" in refused.err
    assert time.monotonic() - began < 10, "a start waits 20 s for one that will answer"
    assert cli("gateway reset --yes").code == 0, "one that refuses is stopped like any other"
    assert cli("gateway status --json").document.get("is_deaf") is None
    cli("gateway start")
    assert cli("gateway inject refuse").code == 0
    assert cli("gateway inject lift").code == 0
    assert cli("gateway status --json").document["running"] is True
    moved = cli("gateway inject 1300 --json").document["result"]["port"]
    assert cli("gateway status --json").document["port"] == moved


def test_one_that_hangs_is_killed_and_that_is_said(
    cli: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def kill(_: Path, *, on_force: Callable[[int], None]) -> bool:
        on_force(4711)
        return True

    assert cli("gateway stop --json").document["was_killed"] is False
    monkeypatch.setattr(background, "stop", kill)
    code, out, _ = cli("gateway stop")
    assert (code, "gateway killed (process 4711)" in out) == (0, True)
    assert cli("gateway stop --json").document["was_killed"] is True
    monkeypatch.undo()


def test_a_look_at_one_that_hangs_names_the_way_out(
    cli: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door, "PATIENCE", 0.2)
    pid = cli("gateway start --json").document["pid"]
    os.kill(pid, signal.SIGSTOP)
    code, _, err = cli("gateway inject look")
    assert code == 4
    assert f"does not answer (process {pid})" in err
    assert "fix: ibkr-trader gateway stop" in err
