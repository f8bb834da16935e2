"""Each drill can fail: with a bug planted in the desk, it does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from ibkr_trader.adapters.ibkr.broker import IBKRBroker
from ibkr_trader.adapters.ibkr.connection import IBKRConnection, LinkState
from ibkr_trader.adapters.ibkr.market_data import IBKRMarketData
from ibkr_trader.config import Settings
from ibkr_trader.core.commands import SubmitOrders
from ibkr_trader.core.errors import JournalError
from ibkr_trader.drills.drill import DRILLS
from ibkr_trader.drills.rehearsal import Cast, Outcome, run
from ibkr_trader.execution import signal_desk
from ibkr_trader.execution.drift_watch import DriftWatch
from ibkr_trader.execution.group_runner import GroupRunner
from ibkr_trader.execution.guardian import Guardian
from ibkr_trader.execution.halter import Halter
from ibkr_trader.execution.loss_watch import LossWatch
from ibkr_trader.execution.record import Record
from ibkr_trader.orders import members
from ibkr_trader.risk.guard import RiskGuard

Plant = Callable[[pytest.MonkeyPatch], None]


async def nothing(*_: Any, **__: Any) -> None:
    """What somebody forgot to write."""


def deaf(patch: pytest.MonkeyPatch) -> None:
    """Nobody looks after groups, nor after what is covered."""
    patch.setattr(GroupRunner, "_step", lambda *_: None)
    patch.setattr(Guardian, "look", nothing)


def doubled(patch: pytest.MonkeyPatch) -> None:
    """Whatever is sent is sent a second time, under new numbers."""
    once = IBKRBroker._submit

    def twice(broker: IBKRBroker, command: SubmitOrders, lane: Any) -> None:
        once(broker, command, lane)
        again = tuple(
            msgspec.structs.replace(one, broker_order_id=one.broker_order_id + 100)
            for one in command.orders
        )
        once(broker, msgspec.structs.replace(command, orders=again), lane)

    patch.setattr(IBKRBroker, "_submit", twice)


def never_asks_again(patch: pytest.MonkeyPatch) -> None:
    """Once TWS has the broker back, nobody asks what was missed."""
    begin = IBKRConnection._begin_epoch

    def go_on(link: IBKRConnection) -> None:
        if link.epoch:
            link.state = LinkState.CONNECTED
        else:
            begin(link)

    patch.setattr(IBKRConnection, "_begin_epoch", go_on)
    patch.setattr(DriftWatch, "look", nothing)


def no_new_prices(patch: pytest.MonkeyPatch) -> None:
    """Lost subscriptions stay lost."""
    patch.setattr(IBKRMarketData, "_subscribe_again", lambda *_: None)
    patch.setattr(IBKRMarketData, "_renew", lambda *_: None)


def forgetful(patch: pytest.MonkeyPatch) -> None:
    """Every signal is new."""
    patch.setattr(signal_desk, "judge", lambda *_, **__: None)


def unguarded(patch: pytest.MonkeyPatch) -> None:
    """No check has anything against anything."""
    patch.setattr(RiskGuard, "_breaches", lambda *_: [])
    patch.setattr(LossWatch, "look", lambda _: None)


def reckless(patch: pytest.MonkeyPatch) -> None:
    """No check has anything against anything, nor has a halt against what waits to leave."""
    unguarded(patch)
    patch.setattr(Halter, "objection", lambda *_: "")


def halts_nothing(patch: pytest.MonkeyPatch) -> None:
    """A halt takes nothing back."""
    patch.setattr(Halter, "_openers", lambda _: ())


def careless(patch: pytest.MonkeyPatch) -> None:
    """What cannot be written down is done all the same."""
    write = Record.write

    def try_to(record: Record, messages: Any) -> None:
        try:
            write(record, messages)
        except JournalError:
            record._publish(messages)

    patch.setattr(Record, "write", try_to)


def unrounded(patch: pytest.MonkeyPatch) -> None:
    """Prices go out as they are typed."""
    patch.setattr(members, "with_legal_prices", lambda spec, _: spec)


def moves_nothing(patch: pytest.MonkeyPatch) -> None:
    """A change goes out with the prices that the order has."""
    change = IBKRBroker._modify

    def go_on(broker: IBKRBroker, command: Any, *, reduces: bool) -> None:
        change(broker, msgspec.structs.replace(command, stop_price=None), reduces=reduces)

    patch.setattr(IBKRBroker, "_modify", go_on)


@pytest.mark.parametrize(
    ("name", "plant"),
    [
        ("hand-close", deaf),
        ("orphan-stop", deaf),
        ("partial-bracket", deaf),
        ("both-oco-fill", deaf),
        ("bracket-incomplete", deaf),
        ("stop-cancelled-by-broker", deaf),
        ("execution-corrected", deaf),
        ("scale-in-stopped", deaf),
        ("both-fill-offline", deaf),
        ("no-answer", doubled),
        ("late-answer", doubled),
        ("precaution-refuses", doubled),
        ("code-10349", doubled),
        ("fills-during-1100", never_asks_again),
        ("1100-at-open", never_asks_again),
        ("dead-data", no_new_prices),
        ("duplicate-signal", forgetful),
        ("loss-limit-stops", unguarded),
        ("stale-prices", unguarded),
        ("competing-session", unguarded),
        ("delayed-data", unguarded),
        ("twin-orders", reckless),
        ("halt-switch", halts_nothing),
        ("disk-full", careless),
        ("tick-110", unrounded),
        ("modify-child-after-fill", moves_nothing),
        ("restart-manages-yesterdays-orders", moves_nothing),
    ],
)
def test_a_planted_bug_fails_the_drill(
    name: str, plant: Plant, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(monkeypatch)
    result = run(DRILLS[name], Cast(settings=settings))
    assert result.outcome is Outcome.FAIL, result.reasons
