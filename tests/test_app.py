"""The composition root: which account may be traded under which profile, and by whom."""

from __future__ import annotations

import getpass
import sqlite3
from contextlib import asynccontextmanager, closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import msgspec
import pytest

from ibkr_trader import __version__, open_desk
from ibkr_trader.adapters.account_lock import AccountLock, lock_paths
from ibkr_trader.app import open_journal
from ibkr_trader.app_parts import find_port
from ibkr_trader.config import load
from ibkr_trader.core.errors import AccountLocked, AccountMismatch, BrokerUnavailable
from ibkr_trader.sim.exchange import Exchange, ExchangeConfig
from ibkr_trader.sim.gateway.background import stop
from ibkr_trader.sim.gateway.server import serve_exchange
from ibkr_trader.sim.universe import load_universe

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from ibkr_trader.execution.desk import Desk


async def test_a_simulator_is_no_live_account(tmp_path: Path) -> None:
    sim = load({"profile": "sim", "data_dir": str(tmp_path)})
    port = find_port(sim)
    try:
        live = load({"profile": "live", "port": port, "data_dir": str(tmp_path)})
        with pytest.raises(AccountMismatch, match="which is a sim account"):
            async with open_desk(settings=live):
                pass
    finally:
        stop(sim.place.folder / "gateway")


@asynccontextmanager
async def live_desk(tmp_path: Path, **changes: object) -> AsyncIterator[Desk]:
    """Open a live desk at a gateway that looks live."""
    opened = datetime(2026, 11, 20, 15, tzinfo=UTC)
    config = ExchangeConfig(opened_at=opened, account="U0000000")
    async with serve_exchange(Exchange(config, load_universe(opened.date()))) as server:
        flags = {"profile": "live", "port": server.port, "data_dir": str(tmp_path)}
        settings = msgspec.structs.replace(load(flags), **changes)
        async with open_desk(settings=settings) as desk:
            yield desk


@pytest.mark.parametrize(
    ("changes", "lacks"),
    [
        ({}, ["does not allow live trading", "does not name the live account"]),
        ({"allow_live": True}, ["does not name the live account"]),
        ({"account": "U0000000"}, ["does not allow live trading"]),
        ({"allow_live": True, "account": "U0000000"}, []),
    ],
)
async def test_a_live_desk_may_be_looked_at_and_lacks_what_the_settings_lack(
    tmp_path: Path, changes: dict[str, object], lacks: list[str]
) -> None:
    async with live_desk(tmp_path, **changes) as desk:
        arming = desk.trader.outlook.view().arming
        assert arming.is_live
        assert not arming.is_armed(desk.trader.clock.now())
        # The exchange's clock stands at ten in the morning, and the machine's does not.
        told = [one.message for one in arming.lacks if "clock is off" not in one.message]
        assert len(told) == len(lacks)
        assert all(words in one for words, one in zip(lacks, told, strict=True))
        assert all(one.hint for one in arming.lacks)


async def test_paper_and_sim_need_no_arming(tmp_path: Path) -> None:
    sim = load({"profile": "sim", "data_dir": str(tmp_path)})
    try:
        async with open_desk(settings=sim) as desk:
            assert desk.trader.outlook.view().arming.is_armed(desk.trader.clock.now())
    finally:
        stop(sim.place.folder / "gateway")


def test_a_user_whom_the_system_cannot_name_keeps_a_journal_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nobody() -> str:  # as in a container that runs as a number
        raise KeyError("getpwuid(): uid not found")

    monkeypatch.setattr(getpass, "getuser", nobody)
    with open_journal(load({"profile": "sim", "data_dir": str(tmp_path)})) as journal:
        assert journal.state.session == 1


async def test_a_desk_looks_at_its_disk_before_it_opens_anything(tmp_path: Path) -> None:
    sim = load({"profile": "sim", "data_dir": str(tmp_path)})
    greedy = msgspec.structs.replace(sim.risk, min_disk_free=10**18)
    try:
        async with open_desk(settings=sim) as desk:
            assert desk.trader.outlook.view().state_reason == ""
            assert desk.trader.outlook.view().clock_skew == timedelta(0)  # it sets ours
        async with open_desk(settings=msgspec.structs.replace(sim, risk=greedy)) as desk:
            assert "MB are free on the disk" in desk.trader.outlook.view().state_reason
    finally:
        stop(sim.place.folder / "gateway")


async def test_a_paper_desk_knows_how_wrong_the_machines_clock_is(tmp_path: Path) -> None:
    opened = datetime(2020, 11, 20, 15, tzinfo=UTC)
    config = ExchangeConfig(opened_at=opened, account="DU0000000")
    async with serve_exchange(Exchange(config, load_universe(opened.date()))) as server:
        flags = {"profile": "paper", "port": server.port, "data_dir": str(tmp_path)}
        async with open_desk(settings=load(flags)) as desk:
            skew = desk.trader.outlook.view().clock_skew
    assert skew is not None
    assert skew > timedelta(days=365)


async def test_paper_settings_at_the_simulator_find_the_wrong_account(tmp_path: Path) -> None:
    sim = load({"profile": "sim", "data_dir": str(tmp_path)})
    port = find_port(sim)
    try:
        paper = load({"profile": "paper", "port": port, "data_dir": str(tmp_path)})
        with pytest.raises(AccountMismatch, match="which is a sim account"):
            async with open_desk(settings=paper):
                pass
    finally:
        stop(sim.place.folder / "gateway")


async def test_nothing_listens_is_said_so(tmp_path: Path, unused_tcp_port: int) -> None:
    paper = load(
        {
            "profile": "paper",
            "port": unused_tcp_port,
            "data_dir": str(tmp_path),
            "reconnect_max_attempts": 1,
        }
    )
    with pytest.raises(BrokerUnavailable):
        async with open_desk(settings=paper):
            pass


async def test_a_second_process_is_kept_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, unused_tcp_port: int
) -> None:
    monkeypatch.setattr("ibkr_trader.app.LOCK_PATIENCE", 0.05)
    paper = load({"profile": "paper", "port": unused_tcp_port, "data_dir": str(tmp_path)})
    endpoint = ("127.0.0.1", unused_tcp_port, paper.client_id)
    waited: list[int] = []
    with (
        AccountLock(*lock_paths(paper.place.folder, tmp_path / "run", endpoint=endpoint)).acquire(),
        pytest.raises(AccountLocked, match="is trading this account"),
    ):
        async with open_desk(settings=paper, on_wait=lambda who: waited.append(who.pid)):
            pass
    assert waited


async def test_every_session_is_on_record_with_its_version_and_settings(tmp_path: Path) -> None:
    """So that one host of several with an old program, or other settings, can be told apart."""
    async with live_desk(tmp_path):
        journal = load({"profile": "live", "data_dir": str(tmp_path)}).place.journal
        with closing(sqlite3.connect(f"file:{journal}?mode=ro", uri=True)) as raw:
            ((payload,),) = raw.execute("SELECT payload FROM records WHERE seq = 1").fetchall()
    header = msgspec.json.decode(payload)
    assert header["version"] == __version__
    assert len(header["config_hash"]) == 16
    async with live_desk(tmp_path, account="U0000000"):
        with closing(sqlite3.connect(f"file:{journal}?mode=ro", uri=True)) as raw:
            rows = raw.execute("SELECT payload FROM records WHERE payload LIKE '%config_hash%'")
            names = {msgspec.json.decode(payload)["config_hash"] for (payload,) in rows}
    assert len(names) == 2
