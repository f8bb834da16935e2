"""1.A: whose account it is, and how many programs trade it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ibkr_trader.app import open_desk
from ibkr_trader.config import Profile, load
from ibkr_trader.config.account_kind import check_account
from ibkr_trader.core.errors import AccountLocked, AccountMismatch, BrokerUnavailable, TraderError
from ibkr_trader.execution.placing import Wait
from ibkr_trader.execution.tasks import alongside
from ibkr_trader.sim.exchange import Exchange, ExchangeConfig
from ibkr_trader.sim.gateway.order_requests import PlaceOrder
from ibkr_trader.sim.gateway.server import serve_exchange
from ibkr_trader.sim.gateway.wire import Way, WireLog
from ibkr_trader.sim.universe import load_universe
from tests.bad_days.bad_lines import another_link, break_off, inject, line_of
from tests.bad_days.judges import assert_sound
from tests.bad_days.requests import bracket, single
from tests.bad_days.stage import AAPL, START, Day, a_day

if TYPE_CHECKING:
    from pathlib import Path

SENT = ("placeOrder", "modifyOrder", "cancelOrder", "globalCancel")


@pytest.mark.parametrize(("folder", "client_id"), [("one", 1), ("other", 1), ("other", 2)], ids=str)
async def test_f_a16_a_second_program_on_one_account_is_kept_out(
    folder: str, client_id: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever it calls itself, and wherever it keeps its books; and the first trades on."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setattr("ibkr_trader.app.LOCK_PATIENCE", 0.01)
    wire = WireLog()
    config = ExchangeConfig(opened_at=START, account="DU0000000")
    exchange = Exchange(config, load_universe(START.date()))
    async with serve_exchange(exchange, tap=wire) as server:
        flags = {"profile": "paper", "port": server.port}
        first = load({**flags, "data_dir": str(tmp_path / "one")})
        second = load({**flags, "data_dir": str(tmp_path / folder), "client_id": client_id})
        async with open_desk(settings=first) as desk:
            before = len(wire)
            with pytest.raises(AccountLocked, match="is trading this account"):
                async with open_desk(settings=second):
                    pass
            asked = {e.name for e in wire.entries[before:] if e.way is Way.IN}
            of_the_session = {"startApi", "reqCurrentTime", "reqMarketDataType"}
            assert asked <= of_the_session, "nothing of the account"
            assert desk.trader.outlook.is_synced
        async with open_desk(settings=second) as desk:
            assert desk.trader.outlook.is_synced


@pytest.mark.parametrize("wanted", ["SIM0000009", "DU0000000"])
async def test_f_a20_a_login_without_the_account_is_refused(day: Day, wanted: str) -> None:
    other = another_link(day, client_id=2, account=wanted)
    with pytest.raises(AccountMismatch, match=f"has not account {wanted}"):
        await other.open()
    await day.quiet()
    asked = [e.name for e in day.wire.sent() if e.client_id == 2]
    assert set(asked) <= {"startApi"}, "and nothing was asked of the account that it has"


@pytest.mark.parametrize("which", ["several", "other", "none"])
async def test_f_a20_another_list_of_accounts_at_the_start_is_refused(day: Day, which: str) -> None:
    await inject(day, f"accounts {which}")
    other = another_link(day, client_id=2, account="SIM0000001" if which == "other" else None)
    began = len(day.wire)
    failed: list[TraderError] = []

    async def dial() -> None:
        try:
            await other.open()
        except TraderError as error:
            failed.append(error)

    async with alongside(dial()):
        await day.until(lambda: bool(failed))
    assert isinstance(failed[0], BrokerUnavailable if which == "none" else AccountMismatch)
    asked = {e.name for e in day.wire.entries[began:] if e.way is Way.IN and e.client_id == 2}
    assert asked <= {"startApi"}


async def logged_in_anew(day: Day, which: str) -> None:
    """Have the gateway come back with other accounts, to a desk that holds something."""
    async with day.open_desk() as desk:
        await desk.submit_group(bracket(), wait=Wait.FILLED)
        await inject(day, f"accounts {which}")
        break_off(day)
        await day.wait(10)


@pytest.mark.parametrize("which", ["other", "live"])
async def test_f_a20_a_gateway_that_comes_back_with_another_account_ends_the_desk(
    which: str, tmp_path: Path
) -> None:
    """Somebody has logged in as somebody else: what is held is not there, nor is it flat."""
    async with a_day(tmp_path) as day:
        with pytest.raises(AccountMismatch, match="has not account SIM0000001"):
            await logged_in_anew(day, which)
        assert len(day.wire.sent(*SENT)) == 3, "its bracket"
        assert len(day.wire.sent("reqPositions")) == 1, "nothing was asked of the other account"


async def test_f_a20_of_several_accounts_the_one_it_had_is_traded_on(day: Day) -> None:
    await day.desk.submit_group(bracket(), wait=Wait.FILLED)
    await inject(day, "accounts several")
    break_off(day)
    await day.wait(10)
    assert day.trader.outlook.is_synced
    await day.accepted(single(1, limit="149"))
    placed = [e.message for e in day.wire.sent("placeOrder")]
    assert {one.order.account for one in placed if isinstance(one, PlaceOrder)} == {"SIM0000001"}
    assert_sound(day, AAPL)


@pytest.mark.parametrize("profile", [Profile.PAPER, Profile.LIVE])
async def test_f_a20_an_account_of_another_kind_than_the_profiles_is_refused(
    day: Day, profile: Profile
) -> None:
    with pytest.raises(AccountMismatch, match="which is a sim account"):
        check_account(profile, line_of(day).account)
