"""What a running trader says, line by line, and that nobody who listens badly can stop it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from ibkr_trader.adapters.clock import ManualClock
from ibkr_trader.cli import event_words
from ibkr_trader.cli.event_lines import EventLines, LineWriter
from ibkr_trader.core import events as ev
from ibkr_trader.core.enums import Side, TradingState
from ibkr_trader.core.models import Contract, Fill, FillId, GroupId, OrderId, Position, Quote
from ibkr_trader.execution.bus import EventBus
from ibkr_trader.execution.desk import Desk
from ibkr_trader.execution.placing import Wait
from ibkr_trader.portfolio.state import PortfolioState
from tests.cli.conftest import ROOT
from tests.execution.parts import Floor, request
from tests.scenarios.crash_child import bracket

AT = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)
NAME = OrderId("k7qav-1-entry")
AAPL = Contract(symbol="AAPL", con_id=265598)


def told(capsys: pytest.CaptureFixture[str], *events: ev.BaseEvent, json: bool = False) -> str:
    bus = EventBus()
    lines = EventLines(clock=ManualClock(AT), portfolio=PortfolioState, json=json, utc=True)
    lines.attach(bus)
    for event in events:
        bus.publish(event)
    lines.close()
    return capsys.readouterr().out


@pytest.mark.parametrize(
    ("event", "words"),
    [
        (ev.DisconnectEvent(at=AT, epoch=1, reason="silence"), "gateway lost: silence. Stops at"),
        (ev.ConnectEvent(at=AT, epoch=2), "gateway connected"),
        (ev.SyncEvent(at=AT, epoch=2), "in sync: 0 positions"),
        (ev.ErrorEvent(at=AT, code=1100, message="lost"), "lost (code 1100)"),
        (ev.ErrorEvent(at=AT, code=0, message="still not connected"), "still not connected"),
        (ev.DriftEvent(at=AT, subject="AAPL", ours="1", theirs="2"), "drift of AAPL: ours 1"),
        (ev.StateEvent(at=AT, state=TradingState.HALTED, reason="you"), "state HALTED: you. It"),
        (
            ev.StateEvent(at=AT, state=TradingState.HALTED, reason="you", flattens=True),
            "state HALTED: you; what is held is closed. It ends",
        ),
        (ev.GroupEvent(at=AT, group_id=GroupId("k7qav-1"), message="done"), "1: done"),
        (
            ev.CoverEvent(
                at=AT,
                contract=AAPL,
                held=Decimal(3),
                covered=Decimal(0),
                is_serious=True,
                message="3 AAPL are held without a stop",
            ),
            "3 AAPL are held without a stop",
        ),
        (
            ev.LossEvent(at=AT, loss=Decimal(5), limit=Decimal(10), message="5 of 10 are lost"),
            "5 of 10 are lost",
        ),
        (
            ev.CloseRequestEvent(
                at=AT, group_id=GroupId("k7qav-2"), contract=AAPL, account="SIM0000001"
            ),
            "2: closing AAPL",
        ),
        (ev.CloseEndEvent(at=AT, group_id=GroupId("k7qav-2")), "2: closed"),
        (ev.ArmEvent(at=AT, until=AT, reason="armed for 8 hours"), "armed for 8 hours"),
        (
            ev.OperatorEvent(
                at=AT, operator="anna", action="cancel 12-stop", command="revise.cancel"
            ),
            "anna: cancel 12-stop",
        ),
        (ev.ArmEvent(at=AT, until=None, reason="the time is over"), "disarmed: the time is over"),
        (
            ev.CloseEndEvent(
                at=AT, group_id=GroupId("k7qav-2"), message="AAPL is not closed: it is halted"
            ),
            "2: AAPL is not closed: it is halted",
        ),
        (ev.ModifyRejectEvent(at=AT, order_id=NAME, code=1, reason="no"), "change of 1-entry was"),
        (ev.CancelRejectEvent(at=AT, order_id=NAME, code=1, reason="no"), "cancel of 1-entry was"),
        (ev.ExpireEvent(at=AT, order_id=NAME), "expired 1-entry"),
        (ev.RejectEvent(at=AT, order_id=NAME, code=201, reason="no"), "rejected 1-entry: no"),
        (ev.HoldEvent(at=AT, order_id=NAME, reason="locate"), "held by the broker 1-entry: loc"),
        (ev.UnknownEvent(at=AT, order_id=NAME, reason="no answer"), "UNKNOWN 1-entry: no answer."),
        (ev.NotSentEvent(at=AT, order_id=NAME, reason="no link"), "not sent 1-entry: no link"),
        (ev.DenyEvent(at=AT, order_id=NAME, breaches=()), "denied 1-entry:"),
    ],
)
def test_each_fact_has_its_words(
    capsys: pytest.CaptureFixture[str], event: ev.BaseEvent, words: str
) -> None:
    out = told(capsys, event)
    assert out.startswith("2026-11-20 15:00:00 UTC  ")
    assert words in out
    document = json.loads(told(capsys, event, json=True))
    assert (document["schema"], document["event"]) == (
        "ibkr-trader/event/1",
        type(event).__name__,
    )
    assert words in document["text"]


def test_what_is_said_twice_is_told_once(capsys: pytest.CaptureFixture[str]) -> None:
    event = ev.ExpireEvent(at=AT, order_id=NAME)
    assert told(capsys, event, event).count("\n") == 1


def test_an_end_is_told_once_whatever_comes_between(capsys: pytest.CaptureFixture[str]) -> None:
    event, other = ev.CancelEvent(at=AT, order_id=NAME), ev.SyncEvent(at=AT, epoch=2)
    assert told(capsys, event, other, event).count("cancelled 1-entry") == 1


def test_executions_that_look_alike_are_told_each(capsys: pytest.CaptureFixture[str]) -> None:
    fills = (
        Fill(
            fill_id=FillId(f"0001.{number}.01"), revision=1, order_id=NAME, contract=AAPL,
            account="SIM0000001", side=Side.BUY, quantity=Decimal(5), price=Decimal(150), at=AT,
        )
        for number in range(2)
    )  # fmt: skip
    events = [ev.FillEvent(at=AT, order_id=NAME, fill=fill) for fill in fills]
    assert told(capsys, *events).count("filled 1-entry BUY 5 AAPL @ 150") == 2


@pytest.mark.parametrize(
    ("utc", "since"), [(True, "2026-11-20 15:00:00 UTC"), (False, "2026-11-20 10:00:00 EST")]
)
def test_since_when_a_stop_is_missing_is_told_as_all_other_times(
    utc: bool, since: str, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = EventLines(clock=ManualClock(AT), portfolio=PortfolioState, json=False, utc=utc)
    lines.hear(
        ev.CoverEvent(
            at=AT,
            contract=AAPL,
            held=Decimal(3),
            covered=Decimal(0),
            since=AT,
            message="3 AAPL are held without a stop since 15:00:00 UTC: why",
        )
    )
    lines.close()
    assert f"3 AAPL are held without a stop since {since}: why" in capsys.readouterr().out


def test_an_alert_that_comes_again_is_told_again(capsys: pytest.CaptureFixture[str]) -> None:
    """On a quiet day nothing comes between two alerts, and neither is the broker's echo."""
    alert = ev.CoverEvent(
        at=AT, contract=AAPL, held=Decimal(3), covered=Decimal(0), message="3 AAPL are naked"
    )
    assert told(capsys, alert, alert).count("3 AAPL are naked") == 2


def test_who_presses_a_key_twice_is_told_twice(capsys: pytest.CaptureFixture[str]) -> None:
    event = ev.OperatorEvent(at=AT, operator="anna", action="cancel all", command="revise.cancel")
    assert told(capsys, event, event).count("anna: cancel all") == 2


def test_a_position_is_told_to_scripts_with_both_profits(
    capsys: pytest.CaptureFixture[str],
) -> None:
    held = Position(
        contract=AAPL, account="SIM0000001", quantity=Decimal(5), average_cost=Decimal(150),
        market_price=Decimal(152),
    )  # fmt: skip
    event = ev.PositionUpdateEvent(at=AT, position=held, realized_pnl=Decimal(3))
    document = json.loads(told(capsys, event, json=True))
    assert (document["realized_pnl"], document["unrealized_pnl"]) == ("3", "10")


def test_prices_and_repeats_of_accounts_are_no_news(capsys: pytest.CaptureFixture[str]) -> None:
    quote = Quote(contract=AAPL, at=AT, last=Decimal(150))
    assert told(capsys, ev.PriceEvent(at=AT, contract=AAPL, quote=quote)) == ""
    assert told(capsys, ev.TimeEvent(at=AT), ev.CheckpointEvent(at=AT)) == ""


async def test_a_day_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    floor = Floor()
    async with floor.trader() as trader:
        lines = EventLines(
            clock=floor.clock, portfolio=lambda: trader.portfolio, json=False, utc=False
        )
        lines.attach(trader.bus)
        desk = Desk(trader)
        _, target, _ = await desk.submit_group(bracket(), wait=Wait.FILLED)
        await desk.modify_order(target.order_id, limit_price=Decimal(156))
        resting = await desk.submit_order(request(limit="140.00"))
        await desk.cancel_order(resting.order_id)
        floor.move(trader, "156.10", "156.12")
        await trader.until(lambda p: not p.positions or None, timeout=5)
        lines.say("Ending", "so far")
        lines.close()
    words = [line.partition("EST  ")[2] for line in capsys.readouterr().out.splitlines()]
    assert words[:3] == [
        "sent 1-entry BUY 10 AAPL MARKET",
        "sent 1-target SELL 10 AAPL LIMIT 155.00",
        "sent 1-stop SELL 10 AAPL STOP 145.00",
    ]
    assert {
        "filled 1-entry BUY 10 AAPL @ 150.01",
        "position +10 AAPL at 150.01",
        "changing 1-target to SELL 10 AAPL LIMIT 156.00",
        "cancelled 2-single BUY 10 AAPL LIMIT 140.00",
        "cancelled 1-stop SELL 10 AAPL STOP 145.00",
        "so far",
    } <= set(words)
    assert any(line.startswith("flat in AAPL; realised +") for line in words)


def test_a_line_that_cannot_be_made_stops_nothing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: object) -> str:
        raise ZeroDivisionError

    monkeypatch.setattr(event_words, "_system", broken)
    assert told(capsys, ev.SyncEvent(at=AT, epoch=1)) == ""


PROGRAM = """
import os, sys
from ibkr_trader.cli.event_lines import LineWriter
writer = LineWriter()
for number in range(5_000):
    writer.put(f"{number} " + "x" * 200)  # far more than the pipe and the queue hold
os.write(2, b"not stopped\\n")
sys.stdin.readline()
writer.put("late")
writer.put("later")
writer.close()
"""


def test_a_reader_that_stands_still_stops_nobody_and_is_told_what_it_missed() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stderr.readline() == "not stopped\n"
        lines = [process.stdout.readline() for _ in range(1_000)]
        process.stdin.write("\n")
        process.stdin.flush()
        rest = process.stdout.read().splitlines()
    assert lines[0].startswith("0 ")
    assert any("lines left out: nobody read them" in line for line in rest)
    assert rest[-1] == "later"


def test_a_reader_that_has_gone_is_no_trouble(monkeypatch: pytest.MonkeyPatch) -> None:
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w") as gone:
        monkeypatch.setattr("sys.stdout", gone)
        writer = LineWriter()
        writer.put("one")
        writer.put("two")
        writer.close()
