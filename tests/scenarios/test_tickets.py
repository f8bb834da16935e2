"""A ticket is sent once: by two processes at once, across a `kill -9`, at a trader or without.

Judged by the gateway's wire log: what came in, and not what anybody says.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ibkr_trader.adapters.clock import SystemClock
from ibkr_trader.adapters.journal import SqliteJournal
from ibkr_trader.core.events import NewOrderEvent
from tests.cli.conftest import Shell
from tests.house.sources import ROOT
from tests.processes import warm
from tests.scenarios.traders import running

BRACKET = "bracket-order --symbol AAPL --quantity 10 --stop-loss 145 --take-profit 155"
RESTING = "order --symbol MSFT --side buy --no-stop --quantity 2 --type limit --limit 140"
PARTS = 3  # the frames of a bracket


@pytest.fixture
def line(tmp_path: Path) -> Iterator[Shell]:
    one = Shell(tmp_path)
    one.env["IBKR_RECONNECT_BACKOFF_SECONDS"] = "0.1"
    (tmp_path / "config.toml").unlink()  # the child reads none
    del one.env["IBKR_CONFIG"]
    assert one("gateway start --wire-log").code == 0
    yield one
    one.stop_gateway()


def preview(line: Shell, what: str = BRACKET) -> dict[str, Any]:
    done = line(f"{what} --preview --json")
    assert done.code == 0, done
    return done.document


def placed(line: Shell, group: str) -> list[str]:
    """Return what came to the gateway to be placed for this group, by name."""
    return [
        entry["order_ref"] for entry in wire(line) if entry.get("order_ref", "").startswith(group)
    ]


def wire(line: Shell) -> list[dict[str, Any]]:
    """Return every order that came to the gateway: placed, changed, or only asked about."""
    log = line.data / "sim" / "gateway" / "wire.jsonl"
    entries = [json.loads(row) for row in log.read_text().splitlines()]
    names = {"placeOrder", "modifyOrder", "whatIf"}
    return [one for one in entries if one["way"] == "in" and one["name"] in names]


def test_a_preview_only_asks(line: Shell) -> None:
    group = preview(line)["group"]
    assert placed(line, group) == []
    (asked,) = wire(line)
    assert asked["name"] == "whatIf"  # so it is called for its flag alone
    assert not asked.get("order_ref")


def test_every_frame_without_approval_only_asks(line: Shell) -> None:
    assert line(f"commit {preview(line)['token']} --wait filled").code == 0
    token = preview(line, RESTING)["token"]
    done = line(f"commit {token}")
    while "order_rate" in done.err:  # one a second may open, and this machine is fast
        done = line(f"commit {token}")
    assert done.code == 0, done
    assert line("scale-in AAPL --quantity 5 --preview").code == 0
    assert line("modify 1-stop --stop 146").code == 0
    with SqliteJournal(line.data / "sim" / "journal.db", clock=SystemClock(), read_only=True) as j:
        approved = {event.order_id for _, event in j.messages() if isinstance(event, NewOrderEvent)}
    frames = wire(line)
    assert {one["name"] for one in frames} == {"placeOrder", "modifyOrder", "whatIf"}
    for frame in frames:
        is_ours = frame.get("order_ref") in approved
        assert is_ours is (frame["name"] != "whatIf"), frame


def test_two_at_once_send_it_once(line: Shell) -> None:
    ticket = preview(line)
    command = [*line.program, "commit", ticket["token"], "--json"]
    both = [
        warm.Popen(
            command, cwd=line.folder, env=line.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        for _ in range(2)
    ]
    outputs = [process.communicate(timeout=60)[0] for process in both]
    assert sorted(process.returncode for process in both) == [0, 2], outputs
    assert len(placed(line, ticket["group"])) == PARTS


def test_two_at_once_at_a_trader_send_it_once(line: Shell) -> None:
    with running(line) as trader:
        ticket = preview(line)
        command = [*line.program, "commit", ticket["token"], "--json"]
        both = [
            warm.Popen(
                command,
                cwd=line.folder,
                env=line.env,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
            for _ in range(2)
        ]
        outputs = [process.communicate(timeout=60)[0] for process in both]
        assert sorted(process.returncode for process in both) == [0, 2], outputs
        assert trader.end() == 0
    assert len(placed(line, ticket["group"])) == PARTS


def test_previewed_at_a_trader_and_sent_without(line: Shell) -> None:
    with running(line) as trader:
        ticket = preview(line)
        assert trader.end() == 0
    done = line(f"commit {ticket['token']} --wait filled --json")
    assert done.code == 0, done
    assert done.document["group"] == ticket["group"]
    assert len(placed(line, ticket["group"])) == PARTS


def test_previewed_without_and_sent_at_a_trader(line: Shell) -> None:
    ticket = preview(line)
    with running(line) as trader:
        done = line(f"commit {ticket['token']} --wait filled --json")
        assert done.code == 0, done
        (position,) = line("positions --json").document["positions"]
        assert (position["quantity"], position["is_covered"]) == ("10", True)
        assert trader.end() == 0
    assert len(placed(line, ticket["group"])) == PARTS


@pytest.mark.parametrize(
    ("point", "sent", "code"),
    [
        ("before-claim", 0, 0),  # nothing had happened: it is sent now
        ("after-claim", 0, 2),
        ("CP1", 0, 2),
        ("CP2", 0, 2),
        ("CP7", PARTS, 2),
        ("CP8", PARTS, 2),
    ],
)
def test_a_kill_never_sends_it_twice(point: str, sent: int, code: int, line: Shell) -> None:
    ticket = preview(line)
    token, group = ticket["token"], ticket["group"]
    child = warm.run(
        [sys.executable, "-m", "tests.scenarios.ticket_child", str(line.data), token, point],
        cwd=ROOT,
        env=line.env,
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert child.returncode == -signal.SIGKILL, child.stderr
    assert len(placed(line, group)) == sent
    again = line(f"commit {token} --json")
    assert again.code == code, again
    if code:
        error = again.document["error"]
        assert "was used already" in error["message"]
        assert error["hint"] == "ibkr-trader orders --all"
    assert len(placed(line, group)) == (sent if code else PARTS)
    # What becomes of it is told by the orders, as for any other.
    orders = line("orders --all --json").document["orders"]
    assert bool([order for order in orders if order["group"] == group]) is (point not in UNSEEN)


UNSEEN = {"after-claim", "CP1"}  # nothing was written down
