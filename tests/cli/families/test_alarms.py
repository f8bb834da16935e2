"""`alarms` shows what stands, `ack` ends it, `notify test` says who can be reached."""

from __future__ import annotations

import pytest

from tests.adapters.notify.test_apprise_notifier import CANARY, Sink, sink
from tests.cli.conftest import CommandLine

__all__ = ["sink"]

TELLS = '\n[notify]\nurls_env = ["DESK_NOTIFY_URL"]\n'


@pytest.fixture
def told(cli: CommandLine, sink: Sink) -> CommandLine:
    """A command line whose configuration names the sink."""
    with (cli.folder / "config.toml").open("a") as file:
        file.write(TELLS)
    cli.env["DESK_NOTIFY_URL"] = f"json://127.0.0.1:{sink.server_port}/{CANARY}"
    return cli


def test_nothing_stands(cli: CommandLine) -> None:
    done = cli("alarms")
    assert (done.code, "no alarm stands" in done.out) == (0, True), done
    assert cli("ack --all").code == 0


def test_a_halt_is_told_stands_and_ends_once_somebody_takes_note(
    told: CommandLine, sink: Sink
) -> None:
    assert told("halt --reason enough").code == 0
    (message,) = sink.taken
    assert "the desk is HALTED: enough" in message["message"]
    shown = told("alarms --json")
    assert shown.code == 7, shown
    (alarm,) = shown.document["alarms"]
    assert (alarm["key"], alarm["is_over"], shown.document["is_sent"]) == ("state:", False, True)
    assert told("status --json").document["alarms"] == ["state:"]
    assert told("ack state --dry-run").code == 0
    assert told("ack state --reason seen").code == 0
    assert told("alarms").code == 0
    assert len(sink.taken) == 1, "what only looks or takes note tells nobody"
    shown = told("gateway stop")
    assert CANARY not in shown.out + shown.err


def test_an_end_of_the_day_that_is_not_flat_calls_somebody(told: CommandLine, sink: Sink) -> None:
    assert told("order --symbol AAPL --side buy --no-stop --quantity 5 --wait filled").code == 0
    assert told("gateway inject halt AAPL").code == 0
    ended = told("eod-close --now --timeout 1")
    assert ended.code == 7, ended
    assert any("NOT ended flat: AAPL" in one["message"] for one in sink.taken), sink.taken
    assert "day-end" in {one["key"] for one in told("alarms --json").document["alarms"]}


@pytest.mark.parametrize(
    ("line", "words"),
    [("ack", "name the alarms, or give --all"), ("ack x --all", "--all means every alarm"),
     ("ack x", "x is no alarm that stands")],
)  # fmt: skip
def test_what_is_meant_must_be_said(line: str, words: str, cli: CommandLine) -> None:
    done = cli(line)
    assert done.code == 2
    assert words in done.err


def test_a_message_goes_every_way_or_the_command_says_which_it_did_not(
    told: CommandLine, sink: Sink
) -> None:
    assert told("notify test").code == 0
    assert sink.taken[-1]["title"] == "ibkr-trader: a test"
    sink.status = 500
    failed = told("notify test --json")
    assert failed.code == 7
    assert failed.document["ways"] == [
        {"variable": "DESK_NOTIFY_URL", "service": "JSON", "sent": False}
    ]
    assert CANARY not in failed.out + failed.err


def test_an_address_that_is_not_there_keeps_nobody_from_closing(told: CommandLine) -> None:
    del told.env["DESK_NOTIFY_URL"]
    assert told("close --all").code == 0
    assert "the environment has no DESK_NOTIFY_URL" in told("alarms").out
    refused = told("run --headless")
    assert (refused.code, "DESK_NOTIFY_URL" in refused.err) == (3, True), refused


def test_nobody_to_tell_is_a_fault_of_the_configuration(cli: CommandLine) -> None:
    done = cli("notify test")
    assert done.code == 3
    assert "config.toml has no [notify]" in done.err
