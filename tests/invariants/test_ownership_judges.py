"""S21 to S24: each judge catches the bugs planted for it."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec
import pytest

from ibkr_trader.adapters import account_lock
from ibkr_trader.adapters.account_lock import AccountLock
from ibkr_trader.adapters.ibkr.broker import IBKRBroker
from ibkr_trader.core import events as ev
from ibkr_trader.core.errors import AccountLocked
from ibkr_trader.execution.intake import Intake
from ibkr_trader.sim import broker as sim_broker
from ibkr_trader.sim import translate
from ibkr_trader.sim.orders import OrderTerms
from tests.invariants import deeds
from tests.invariants.ownership_judges import Gate, s21_single_writer
from tests.invariants.planted import Planted, caught, entered, plain, resting
from tests.invariants.watched import HUMAN, US
from tests.invariants.whole_world import WholeWorld
from tests.invariants.world import AAPL, World

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ibkr_trader.adapters.ibkr.lanes import Lane
    from ibkr_trader.core.models import OrderId, OrderSpec

    Patch = pytest.MonkeyPatch

STRANGER = "qwert-1-entry"  # of an installation whose journal is lost


def everybody_is_us(patch: Patch) -> None:
    """Whatever carries a reference like ours is taken for ours."""
    patch.setattr(translate, "is_ours", lambda reference, _: reference.endswith("-entry"))


def number_of_another(patch: Patch) -> None:
    """A cancel goes out under a number that no order of ours ever had."""
    put = IBKRBroker._put_cancel

    def put_another(self: IBKRBroker, number: int, order_id: OrderId, lane: Lane) -> None:
        put(self, number + 900, order_id, lane)

    patch.setattr(IBKRBroker, "_put_cancel", put_another)


def wrong_account(patch: Patch) -> None:
    """Orders name another account of the login."""
    terms_of = translate.terms_of

    def elsewhere(spec: OrderSpec, **rest: object) -> OrderTerms:
        terms = terms_of(spec, **rest)  # type: ignore[arg-type]  # handed on as they came
        return msgspec.structs.replace(terms, account="SIM0000002")

    patch.setattr(sim_broker, "terms_of", elsewhere)


def no_drift(patch: Patch) -> None:
    """What does not fit is passed over in silence."""
    admit = Intake.admit

    def admit_the_rest(self: Intake, events: Sequence[ev.BaseEvent]) -> None:
        admit(self, [event for event in events if not isinstance(event, ev.DriftEvent)])

    patch.setattr(Intake, "admit", admit_the_rest)


def no_lock(patch: Patch) -> None:
    """Everybody who asks for the account has it."""
    patch.setattr(account_lock, "_try", lambda _: True)


def halt_beside_a_stranger(world: World) -> None:
    """An order of our client id, of a journal that is gone, waits at the exchange."""
    terms = _buy_low(world, STRANGER)
    world.exchange.place(US, 900, terms=terms, now=world.clock.now())
    look(world)
    deeds.halt(world)
    world.run(3)


def take_back(world: World) -> None:
    """Place an order, and change one's mind."""
    resting(world)
    deeds.cancel(world, deeds.live(world)[0])
    world.run(1)


def two_under_one_name(world: World) -> None:
    resting(world)
    terms = _buy_low(world, "k7qav-1-entry")
    world.exchange.place(HUMAN, 900, terms=terms, now=world.clock.now())
    world.kill()
    world.boot()
    world.run(6)


def look(world: World) -> None:
    """Let the trader ask for everything."""
    assert world.trader is not None
    world.loop.run_until_complete(world.trader.recovery.synchronize())


def _buy_low(world: World, ref: str) -> OrderTerms:
    return OrderTerms(
        con_id=AAPL,
        action="BUY",
        quantity=Decimal(5),
        order_type="LMT",
        limit_price=Decimal(120),
        tif="GTC",
        account=world.exchange.config.account,
        order_ref=ref,
    )


CASES = [
    Planted("S22", everybody_is_us, halt_beside_a_stranger),
    Planted("S22", number_of_another, take_back, WholeWorld),
    Planted("S23", wrong_account, entered),
    Planted("S24", no_drift, two_under_one_name),
]

test_a_judge_catches_the_bug_planted_for_it = caught(CASES)
test_the_same_day_without_the_bug_breaks_nothing = plain(CASES)


# -- one gate to an account ---------------------------------------------------------------------


def gates(folder: Path) -> list[Gate]:
    """Have three processes ask for one account, the second in vain while the first has it."""
    opened: list[Gate] = []
    with AccountLock(folder / "account.lock").acquire() as first:
        try:
            with AccountLock(folder / "account.lock").acquire():
                opened.append(Gate("the second", 1, 2))
        except AccountLocked:
            pass
        opened.append(Gate("the first", 0, 3))
    assert not first.is_held
    with AccountLock(folder / "account.lock").acquire():
        opened.append(Gate("the third", 4, 5))
    return opened


def test_s21_one_process_has_the_account(tmp_path: Path) -> None:
    assert s21_single_writer(gates(tmp_path)) == []


def test_s21_catches_a_lock_that_is_none(tmp_path: Path, monkeypatch: Patch) -> None:
    no_lock(monkeypatch)
    assert s21_single_writer(gates(tmp_path))
