"""Each finding of the desk's part, on a desk where it is so."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from ibkr_trader.cli.checkup import Check, Findings
from ibkr_trader.cli.deep_checkup import examine_desk_deep
from ibkr_trader.cli.exits import Exit
from ibkr_trader.cli.face import Face
from ibkr_trader.config import Profile, Settings, load
from ibkr_trader.core.enums import DataType
from ibkr_trader.core.models import Contract, Quote
from ibkr_trader.execution.desk import Desk
from ibkr_trader.risk.arming import Lack
from ibkr_trader.sim.precautions import Precautions
from tests.execution.parts import Floor


class Doctor:
    """A desk on an exchange in memory, and what is found there."""

    def __init__(self, floor: Floor, desk: Desk, settings: Settings) -> None:
        self.floor = floor
        self.desk = desk
        self.book = desk.trader.outlook.book
        self.settings = settings
        self.exit = Exit.DONE

    async def __call__(self, **changes: object) -> dict[str, Check]:
        """Look at the desk under changed settings; every finding has a name of its own."""
        face, found = Face(), Findings()
        face._settings = msgspec.structs.replace(self.settings, **changes)
        await examine_desk_deep(face, self.desk, found)
        self.exit = found.exit
        checks = {one.name: one for one in found.checks}
        assert len(checks) == len(found.checks)
        assert all(one.fix for one in found.checks if one.state != "ok")
        return checks


@pytest.fixture
async def doctor(tmp_path: Path) -> AsyncIterator[Doctor]:
    floor = Floor()
    async with floor.trader() as trader:
        yield Doctor(floor, Desk(trader), load({"profile": "sim", "data_dir": str(tmp_path)}))


async def test_a_desk_in_order(doctor: Doctor) -> None:
    found = await doctor()
    assert {one.state for one in found.values()} == {"ok"}
    assert doctor.exit is Exit.DONE
    assert found["account kind"].text == "a sim account, as profile sim asks for"
    assert found["clock"].text.startswith("the simulator has a clock of its own")
    assert found["trading permission"].text == (
        "BUY 1 AAPL at 150.01 would be taken, commission 1.00"
    )


async def test_an_account_of_another_kind(doctor: Doctor) -> None:
    found = await doctor(profile=Profile.PAPER, port=7497)
    assert found["account kind"].state == "FAIL"
    assert doctor.exit is Exit.CONFIG


@pytest.mark.parametrize(
    ("account", "profile", "port", "state"),
    [
        ("DU0000000", Profile.PAPER, 7497, "ok"),
        ("DU0000000", Profile.PAPER, 4002, "ok"),
        ("DU0000000", Profile.PAPER, 7496, "warn"),
        ("U0000000", Profile.LIVE, 7497, "warn"),
        ("U0000000", Profile.LIVE, 4001, "ok"),
        ("U0000000", Profile.LIVE, 9000, "ok"),
    ],
)
async def test_a_port_says_little_and_is_remarked_on(
    doctor: Doctor, account: str, profile: Profile, port: int, state: str
) -> None:
    doctor.desk.trader.account = account
    found = await doctor(profile=profile, port=port)
    assert found["account kind"].state == state


async def test_what_keeps_it_from_being_armed(
    doctor: Doctor, monkeypatch: pytest.MonkeyPatch
) -> None:
    lack = Lack("The configuration does not allow live trading", "write it")
    monkeypatch.setattr(doctor.desk.trader.arming, "lacks", lambda: (lack,))
    found = await doctor()
    assert (found["arming"].state, found["arming"].text) == ("FAIL", lack.message)


@pytest.mark.parametrize(
    ("skew", "state"), [(None, "warn"), (1, "ok"), (-3, "warn"), (10, "warn"), (-11, "FAIL")]
)
async def test_the_clock_against_the_gateways(doctor: Doctor, skew: int | None, state: str) -> None:
    doctor.book.skew = lambda: None if skew is None else timedelta(seconds=skew)
    doctor.desk.trader.account = "DU0000000"
    found = await doctor(profile=Profile.PAPER)
    assert found["clock"].state == state


async def test_limits_that_cannot_be_relied_on(doctor: Doctor) -> None:
    doctor.book.limits_fault = "line 3 is damaged"
    found = await doctor()
    assert (found["limits file"].state, found["limits file"].text) == ("FAIL", "line 3 is damaged")


async def test_prices_that_are_delayed_or_do_not_come(
    doctor: Doctor, monkeypatch: pytest.MonkeyPatch
) -> None:
    trader = doctor.desk.trader
    real = trader.price

    async def delayed(contract: Contract, *, timeout: float) -> Quote:
        quote = await real(contract, timeout=timeout)
        assert quote is not None
        return msgspec.structs.replace(quote, data_type=DataType.DELAYED)

    monkeypatch.setattr(trader, "price", delayed)
    found = await doctor()
    assert found["data AAPL"].text == "delayed data: nothing is opened on it"

    async def silent(contract: Contract, *, timeout: float) -> None:
        del contract, timeout

    monkeypatch.setattr(trader, "price", silent)
    found = await doctor()
    assert "no price within" in found["data AAPL"].text
    assert found["order probe"].state == "warn"
    assert "read-only API" not in found, "nobody knows"


async def test_a_margin_that_would_not_do_is_a_warning(doctor: Doctor) -> None:
    risk = msgspec.structs.replace(doctor.settings.risk, max_order_quantity=Decimal(500_000))
    found = await doctor(risk=risk)
    assert found["size precaution"].state == "warn"
    assert "would be taken with a warning" in found["size precaution"].text


async def test_one_setting_is_told_once_however_many_probes_it_refuses(doctor: Doctor) -> None:
    acts = doctor.floor.exchange.floor_acts
    acts.set_up(Precautions(size_limit=Decimal(50)), now=doctor.floor.clock.now())
    found = await doctor()
    assert [name for name, one in found.items() if one.state == "FAIL"] == ["size precaution"]
    assert doctor.exit is Exit.REJECTED


@pytest.mark.parametrize(
    ("day", "today", "tomorrow"),
    [
        (20, "Friday 20 November: 09:30 to 16:00", "Saturday 21 November: no trading"),
        (
            26,
            "Thursday 26 November: no trading",
            "Friday 27 November: 09:30 to 13:00: a half day",
        ),
    ],
)
async def test_the_calendar(doctor: Doctor, day: int, today: str, tomorrow: str) -> None:
    doctor.floor.clock.jump(datetime(2026, 11, day, 15, tzinfo=UTC))
    found = await doctor()
    assert (found["calendar today"].text, found["calendar tomorrow"].text) == (today, tomorrow)


@pytest.mark.parametrize(
    ("hour", "minute", "state", "when"),
    [
        (23, 24, "ok", "2026-11-20 23:45:00 EST"),
        (23, 26, "warn", "2026-11-20 23:45:00 EST"),
        (23, 45, "ok", "2026-11-21 23:45:00 EST"),
    ],
)
async def test_the_next_restart(
    doctor: Doctor, hour: int, minute: int, state: str, when: str
) -> None:
    moment = datetime(2026, 11, 20, 5, tzinfo=UTC) + timedelta(hours=hour, minutes=minute)
    doctor.floor.clock.jump(moment)
    doctor.desk.trader.account = "DU0000000"
    found = await doctor(profile=Profile.PAPER)
    assert (found["restart"].state, when in found["restart"].text) == (state, True)
