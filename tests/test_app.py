"""The composition root: which account may be traded under which profile, and by whom."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ibkr_trader import open_desk
from ibkr_trader.adapters.account_lock import AccountLock, lock_paths
from ibkr_trader.app import check_account, find_port, kind_of
from ibkr_trader.config import Profile, load
from ibkr_trader.core.errors import AccountLocked, AccountMismatch, BrokerUnavailable, ConfigError
from ibkr_trader.sim.gateway.background import stop

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("account", "kind"),
    [
        ("SIM0000001", Profile.SIM),
        ("DU0000000", Profile.PAPER),
        ("DF0000000", Profile.PAPER),
        ("U0000000", Profile.LIVE),
        ("", Profile.LIVE),
    ],
)
def test_the_account_decides_what_it_is(account: str, kind: Profile) -> None:
    assert kind_of(account) is kind


@pytest.mark.parametrize("profile", list(Profile))
@pytest.mark.parametrize("account", ["SIM0000001", "DU0000000", "U0000000"])
def test_an_account_of_another_kind_is_refused(profile: Profile, account: str) -> None:
    if kind_of(account) is profile:
        check_account(profile, account)
        return
    with pytest.raises(AccountMismatch) as refused:
        check_account(profile, account)
    assert account.startswith("SIM") or account not in str(refused.value)


async def test_live_cannot_be_opened() -> None:
    with pytest.raises(ConfigError, match="live cannot be armed"):
        async with open_desk(profile="live"):
            pass


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
