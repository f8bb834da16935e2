"""`arm` and `disarm` where no real money is at stake; with it, see tests/scenarios."""

from __future__ import annotations

import pytest

from tests.cli.conftest import CommandLine

ORDER = "order --symbol AAPL --side buy --quantity 1 --type limit --limit 149 --no-stop"


def test_any_desk_can_be_disarmed_and_armed_again(cli: CommandLine) -> None:
    assert cli("status").code == 0
    done = cli("disarm")
    assert (done.code, done.out) == (
        0,
        (
            "profile sim is disarmed: nothing is opened until ibkr-trader arm\n"
            "No real money is at stake in sim, and yet openings are denied.\n"
        ),
    )
    denied = cli(f"{ORDER} --json")
    assert denied.code == 6
    (reason,) = denied.document["error"]["reasons"]
    assert reason["message"] == "The desk is not armed (somebody disarmed it)."
    assert denied.document["error"]["hint"] == "ibkr-trader arm"
    assert "NOT ARMED" in cli("status").out
    assert "NOT ARMED" in cli("orders").out
    assert cli("arm").out == (
        "SIM SIM0000001  armed: no real money is at stake, so it always is, unless somebody runs "
        "ibkr-trader disarm\n"
    )
    assert cli(ORDER).code == 0
    assert cli("cancel --all").code == 0
    assert "NOT ARMED" not in cli("status").out


def test_disarming_needs_no_gateway(cli: CommandLine) -> None:
    cli.env |= {"IBKR_PROFILE": "paper", "IBKR_PORT": "9"}
    assert cli("status").code == 4
    assert cli("disarm").code == 0
    assert cli("disarm --json").document == {
        "schema": "ibkr-trader/arming/1",
        "ok": True,
        "armed": False,
        "until": None,
        "loosened": 0,
    }


def test_a_dry_run_changes_nothing(cli: CommandLine) -> None:
    assert "Nothing was changed" in cli("disarm --dry-run").out
    assert cli("status --json").document["arming"] == {
        "is_live": False,
        "is_armed": True,
        "until": None,
        "missing": [],
    }
    cli("disarm")
    assert "would be armed" in cli("arm --dry-run").out
    document = cli("status --json").document["arming"]
    assert not document["is_armed"]
    assert document["missing"] == ["The desk is not armed (somebody disarmed it)"]


@pytest.mark.parametrize("hours", ["0", "13", "12.5", "-1", "x", "1e1", "nan", "123"])
def test_hours_are_read_strictly(cli: CommandLine, hours: str) -> None:
    ran = cli(f"arm --hours {hours}")
    assert ran.code == 2
    assert "ibkr-trader arm --hours 8" in ran.err


def test_armed_as_a_document(cli: CommandLine) -> None:
    document = cli("arm --json").document
    assert (document["armed"], document["until"], document["waived"]) == (True, None, [])


def test_a_live_desk_is_armed_by_nobody_but_a_person(cli: CommandLine) -> None:
    cli.env |= {"IBKR_PROFILE": "live", "IBKR_PORT": "9"}
    ran = cli("arm --yes")
    assert ran.code == 9, "before any gateway is asked"
    assert "there is no terminal" in ran.err
    assert cli("disarm").code == 0
