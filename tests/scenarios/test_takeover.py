"""One trader per account, on three hosts: killed in turn, and frozen, while signals come.

Judged by the gateway's books and its wire log, and by the three journals together.
"""

from __future__ import annotations

import signal
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from ibkr_trader.core.ids import epoch_in
from tests.redis_server import RedisServer
from tests.scenarios.hosts import Host, Venue, await_so, venue

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]


@pytest.fixture
def stage(tmp_path: Path, redis_server: RedisServer) -> Iterator[Venue]:
    with venue(tmp_path, redis_server) as one:
        yield one


def test_killed_in_turn_each_signal_acts_once_and_the_next_host_takes_over(
    stage: Venue, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second, third = (stage.host(name) for name in ("first", "second", "third"))
    with stage.producing(every=0.05), first.running():
        first.hear("runs as process")
        with second.running():
            said = second.hear("standing by").line
            assert "process" in said
            assert "(since 2026-11-20" in said
            stage.placed_in(1)
            stage.sent_more(20)
            second_led = taken_over(stage, first, second, epoch=2)
            with third.running():
                third.hear("standing by")
                stage.sent_more(20)
                third_led = taken_over(stage, second, third, epoch=3)
                stage.sent_more(20)
                third.hear("AMZN")
                assert third.end(signal.SIGTERM)[1] == 0
    assert stage.unprotected() == []
    judge(stage, (first, second, third))
    with capsys.disabled():
        sys.stdout.write(f"\n  takeover: {second_led}\n  takeover: {third_led}\n")


def taken_over(stage: Venue, leader: Host, standby: Host, *, epoch: int) -> str:
    """Kill the leader between two signals of new symbols, and return how long what took."""
    stage.wave += 1
    stage.sent_more(3)
    killed, _ = leader.end(signal.SIGKILL)
    assert stage.unprotected() == []
    led = standby.hear(f"leading in epoch {epoch}").at
    synced = standby.hear("runs as process").at
    stage.placed_in(epoch)
    decided = standby.hear("one-of-each/Enter").at
    assert stage.unprotected() == []
    return (
        f"leads {led - killed:.2f} s after the kill, in sync {synced - killed:.2f} s, "
        f"first decision {decided - killed:.2f} s"
    )


def judge(stage: Venue, hosts: tuple[Host, ...]) -> None:
    """Hold what reached the gateway against what the journals say of signals."""
    entries = stage.placed("-entry")
    epochs = [epoch_in(one["order_ref"]) for one in stage.placed()]
    assert epochs == sorted(epochs), "somebody traded after the next one had begun"
    assert set(epochs) == {1, 2, 3}
    symbols = Counter(one["symbol"] for one in entries)
    assert set(symbols.values()) == {1}, symbols
    decided = [one for host in hosts for one in host.records("DecisionEvent")]
    causes = {one["decision_id"]: one["cause"] for one in decided}
    orders = [one for host in hosts for one in host.records("NewOrderEvent")]
    made = [causes[one["correlation_id"]] for one in orders if one["spec"]["role"] == "entry"]
    assert len(made) == len(set(made)), "a signal made two entries"
    assert len(made) >= len(entries)
    refused = [one["code"] for host in hosts[1:] for one in host.records("SignalRefusedEvent")]
    assert "before_us" in refused


def test_a_leader_that_stood_still_opens_nothing_and_ends(stage: Venue) -> None:
    first, second = stage.host("first"), stage.host("second")
    with first.running():
        first.hear("runs as process")
        with second.running():
            second.hear("standing by")
            await_so(lambda: stage.send("AAPL") and stage.placed())
            last = stage.send("AAPL")
            await_so(
                lambda: any(last == one["signal_id"] for one in first.records("SignalEndEvent"))
            )
            first.process.send_signal(signal.SIGSTOP)
            stage.send("MSFT")  # its answer waits in the socket of the one that stands still
            second.hear("leading in epoch 2")
            second.hear("waiting for the former leader's connection")
            before = len(stage.placed())
            first.process.send_signal(signal.SIGCONT)
            assert first.process.wait(20) == 8
            first.hear("nothing more is opened here")
            second.hear("runs as process")
            await_so(lambda: stage.send("KO") and stage.placed()[before:])
            orders = {(one["symbol"], epoch_in(one["order_ref"])) for one in stage.placed()}
            assert orders == {("AAPL", 1), ("KO", 2)}
            inherited_is_ours(second)
            assert second.end(signal.SIGTERM)[1] == 0
    who_led_before_leads_again(first)
    assert stage.unprotected() == []


def inherited_is_ours(host: Host) -> None:
    """What the former leader left protects as before; it can be moved, and be closed at last."""
    held = {one["symbol"]: one for one in host("positions --json").document["positions"]}
    assert float(held["AAPL"]["stop"]) < float(held["AAPL"]["average_cost"])
    theirs = [o for o in host("orders --json").document["orders"] if o["symbol"] == "AAPL"]
    assert [(one["is_foreign"], one["epoch"]) for one in theirs] == [(False, 1), (False, 1)]
    stop = next(one["id"] for one in theirs if one["role"] == "stop")
    assert host(f"modify {stop} --stop 130.5 --yes").code == 0
    assert host("close AAPL --yes").code == 0
    assert "AAPL" not in {p["symbol"] for p in host("positions --json").document["positions"]}
    assert "AAPL" not in {o["symbol"] for o in host("orders --json").document["orders"]}


def who_led_before_leads_again(host: Host) -> None:
    """Its journal believes in orders that the other has ended, and knows nothing of the others."""
    with host.running():
        host.hear("leading in epoch 3")
        host.hear("1 position, 2 orders, 0 groups")
        theirs = host("orders --json").document["orders"]
        assert {(o["symbol"], o["is_foreign"], o["epoch"]) for o in theirs} == {("KO", False, 2)}
        assert host("status --json").document["unknown_orders"] == []
        assert host("close KO --yes").code == 0
        assert host("positions --json").document["positions"] == []


def test_commands_of_a_host_that_does_not_lead_only_reduce(stage: Venue) -> None:
    first, second = stage.host("first"), stage.host("second")
    second.env["IBKR_CLIENT_ID"] = "2"
    bracket = "bracket-order --symbol AAPL --quantity 1 --stop-loss 145 --take-profit 155 --yes"
    assert second(bracket).code == 0  # nobody leads: the command has the lease for its time
    with first.running():
        first.hear("leading in epoch 2")
        first.hear("runs as process")
        denied = second(f"{bracket} --json")
        assert denied.code == 6
        assert "process" in str(denied.document)
        assert "has it" in str(denied.document)
        assert second("orders").code == 0
        assert second("close AAPL").code == 0
        with second.running():
            second.hear("standing by")
            assert second.end(signal.SIGTERM)[1] == 0
            second.hear("it has only stood by")
        assert first.end(signal.SIGTERM)[1] == 0
    roles = [one["order_ref"].partition("-")[2] for one in stage.placed()]
    assert roles[:3] == ["1000001-entry", "1000001-target", "1000001-stop"]
    assert [role.rpartition("-")[2] for role in roles[3:]] == ["close"]
