"""`arm` and `disarm` at a live desk: what is asked first, and what each refusal says."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from ibkr_trader.cli.arming import arm, disarm
from ibkr_trader.cli.exits import Unconfirmed, UsageFault
from ibkr_trader.cli.face import Face
from ibkr_trader.config import Profile, Settings, load
from ibkr_trader.core.errors import RiskCheckError
from ibkr_trader.execution.arming_watch import ArmingWatch, Lease
from ibkr_trader.execution.desk import Desk
from ibkr_trader.execution.trader import Trader
from ibkr_trader.risk.arming import Lack
from ibkr_trader.sim.precautions import Precautions
from tests.execution.arming_stage import Shelf
from tests.execution.parts import START, Floor

ACCOUNT = "SIM0000001"  # of the exchange in memory; the profile says that it is live


class Person(Face):
    """Somebody at the terminal of a command that runs at a trader."""

    is_attended = True

    def __init__(self, desk: Desk, settings: Settings, *, answer: str = ACCOUNT) -> None:
        super().__init__()
        self.desk = desk
        self._settings = settings
        self.answer = answer
        self.asked: list[str] = []

    async def ask_typed(self, question: str, expected: str) -> None:
        self.asked.append(question)
        if self.answer != expected:
            raise Unconfirmed("wrong")


class Stage:
    def __init__(self, floor: Floor, trader: Trader, settings: Settings) -> None:
        self.floor = floor
        self.trader = trader
        self.settings = settings
        self.shelf = Shelf()

    def person(self, **how: str) -> Person:
        return Person(Desk(self.trader), self.settings, **how)

    def watch(self, *lacks: Lack) -> None:
        self.trader.arming = ArmingWatch(self.trader, vault=self.shelf, lacks=lacks)


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    floor = Floor()
    settings = load({"profile": "live", "port": 9, "data_dir": str(tmp_path)})
    settings.place.folder.mkdir(mode=0o700)
    tmp_path.chmod(0o700)
    async with floor.trader() as trader:
        trader.outlook.book.skew = lambda: timedelta(0)
        one = Stage(floor, trader, settings)
        one.watch()
        yield one


WAIVED = ("account-kind",)  # a simulated account under the profile live is a failure, rightly


async def test_health_first_and_then_the_account_is_typed(stage: Stage) -> None:
    person = stage.person()
    reply = await arm(person, hours="2", waive=WAIVED)
    assert reply.data["until"] == START + timedelta(hours=2)
    assert reply.data["waived"] == ["account kind"]
    assert person.asked == [
        "The LIVE account SIM0000001 may be traded for 2 h. Type its id to arm it:"
    ]
    assert isinstance(stage.shelf.kept, Lease)
    assert stage.trader.arming.arming().is_armed(START)
    told = stage.trader.outlook.book.armed
    assert told is not None
    assert told.reason == "armed for 2 hours, passing over account kind"
    await disarm(stage.person())
    assert not stage.trader.arming.arming().is_armed(START)


async def test_what_fails_stands_against_it_and_nobody_is_asked(stage: Stage) -> None:
    stage.floor.exchange.floor_acts.set_up(Precautions(size_limit=Decimal(50)), now=START)
    person = stage.person()
    with pytest.raises(RiskCheckError) as refused:
        await arm(person, hours="8", waive=())
    assert [one.check for one in refused.value.breaches] == [
        *("account kind", "size precaution", "doctor --deep")
    ]
    assert refused.value.breaches[-1].hint.endswith("ibkr-trader arm --waive account-kind")
    assert (person.asked, stage.shelf.kept) == ([], "")
    reply = await arm(stage.person(), hours="8", waive=("Account Kind", "size-precaution"))
    assert reply.data["waived"] == ["account kind", "size precaution"]


async def test_only_what_was_found_can_be_waived(stage: Stage) -> None:
    with pytest.raises(UsageFault, match="no finding of doctor") as refused:
        await arm(stage.person(), hours="8", waive=("everything",))
    assert "size precaution" in refused.value.hint


async def test_what_is_missing_is_said_before_anything_is_asked_of_the_broker(
    stage: Stage,
) -> None:
    stage.watch(Lack("The configuration does not allow live trading", "write it"))
    with pytest.raises(RiskCheckError) as refused:
        await arm(stage.person(), hours="8", waive=WAIVED)
    (breach,) = refused.value.breaches
    assert (breach.check, breach.hint) == ("armed", "write it")


async def test_the_wrong_account_arms_nothing(stage: Stage) -> None:
    with pytest.raises(Unconfirmed):
        await arm(stage.person(answer="U0000000"), hours="8", waive=WAIVED)
    assert stage.shelf.kept == ""


async def test_a_dry_run_looks_and_asks_nobody(stage: Stage) -> None:
    person = stage.person()
    person.dry_run = True
    reply = await arm(person, hours="8", waive=WAIVED)
    assert reply.data == {"armed": False}
    assert (person.asked, stage.shelf.kept) == ([], "")
    await disarm(person)
    assert stage.trader.outlook.book.armed is None


async def test_without_real_money_nothing_is_examined_or_typed(stage: Stage) -> None:
    stage.trader.arming = ArmingWatch(stage.trader)
    stage.settings = msgspec.structs.replace(stage.settings, profile=Profile.SIM)
    person = stage.person()
    reply = await arm(person, hours="8", waive=())
    assert reply.data["until"] is None
    assert person.asked == []
