"""The gateway as a process: found, killed, restarted, stopped; never two, never confused."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from ib_insync import IB, LimitOrder, Ticker

from ibkr_trader.sim.gateway import background, door
from ibkr_trader.sim.gateway.acts import Arm, Lift, Look
from ibkr_trader.sim.gateway.background import (
    GatewayError,
    deaf,
    living,
    read_info,
    reset,
    start_background,
    status,
    stop,
    write_info,
)
from ibkr_trader.sim.gateway.door import inject
from ibkr_trader.sim.gateway.transport_faults import Refuse
from tests.adapters.disks import takes_only
from tests.sim.gateway.desk import AAPL

pytestmark = pytest.mark.slow


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "gateway"
    stop(tmp_path / "gateway")


def kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
    deadline = time.monotonic() + 10
    with suppress(ProcessLookupError):
        while time.monotonic() < deadline:  # whoever began it has to bury it
            os.kill(pid, 0)
            os.sched_yield()


def test_start_status_stop(folder: Path) -> None:
    assert status(folder) is None
    assert stop(folder) is False
    info = start_background(state_dir=folder)
    assert info.account.startswith("SIM")
    assert info.port not in (7496, 7497, 4001, 4002)
    assert status(folder) == info
    assert (folder / "gateway.json").stat().st_mode & 0o077 == 0
    assert start_background(state_dir=folder) == info, "a second start finds the first"
    with pytest.raises(GatewayError, match="stop it first"):
        reset(folder)
    assert stop(folder) is True
    assert status(folder) is None
    assert not (folder / "gateway.json").exists()
    reset(folder)
    assert not (folder / "exchange.sqlite3").exists()


async def test_orders_outlive_a_kill(folder: Path) -> None:
    info = start_background(state_dir=folder)
    ib = IB()
    await ib.connectAsync("127.0.0.1", info.port, clientId=1)
    for n in range(20):
        ib.placeOrder(AAPL, LimitOrder("BUY", n + 1, 100, tif="GTC"))
    await ib.reqCurrentTimeAsync()
    known = {trade.order.permId for trade in ib.openTrades()}
    assert len(known) == 20
    ib.disconnect()
    kill(info.pid)
    assert read_info(folder) == info, "a killed gateway leaves its file behind"
    assert status(folder) is None, "and nobody believes it"
    again = start_background(state_dir=folder)
    assert again.pid != info.pid
    await ib.connectAsync("127.0.0.1", again.port, clientId=1)
    assert {trade.order.permId for trade in ib.openTrades()} == known
    assert ib.client.getReqId() > 20
    ib.disconnect()


def test_a_stale_file_whose_port_is_somebody_elses_is_not_a_gateway(folder: Path) -> None:
    folder.mkdir()
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        port = other.getsockname()[1]
        text = (
            f'{{"pid": {os.getpid()}, "port": {port}, "version": "0", '
            '"started_at": "2026-11-20T15:00:00Z", "account": "SIM0000001"}'
        )
        (folder / "gateway.json").write_text(text)
        assert read_info(folder) is not None
        assert status(folder) is None
        assert living(folder) is None, "nor is whoever has its number by now"
    (folder / "gateway.json").write_text("{")
    assert status(folder) is None


def test_a_gateway_that_lets_nobody_in_is_there_all_the_same(folder: Path, tmp_path: Path) -> None:
    script = tmp_path / "refuse.txt"
    script.write_text("refuse\n")
    info = start_background(state_dir=folder, script=script)
    assert status(folder) is None
    assert living(folder) == info
    assert deaf(folder) == info
    with pytest.raises(GatewayError, match=f"nobody can connect to its port {info.port}") as caught:
        start_background(state_dir=folder, timeout=60)
    assert "gateway inject lift" in caught.value.hint
    with pytest.raises(GatewayError, match="stop it first"):
        reset(folder)
    assert (folder / "exchange.sqlite3").exists()
    inject(folder, Lift())
    assert status(folder) == info
    assert deaf(folder) is None
    inject(folder, Arm(links=(Refuse(),)))
    assert stop(folder) is True
    assert living(folder) is None


def test_two_starts_at_once_make_one_gateway(folder: Path) -> None:
    with ThreadPoolExecutor(3) as pool:
        starts = [pool.submit(start_background, state_dir=folder) for _ in range(3)]
        found = {start.result().pid for start in starts}
    assert len(found) == 1


def test_a_folder_that_cannot_be_used_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(GatewayError, match="cannot be used"):
        start_background(state_dir=tmp_path / "file" / "gateway")


def test_bar_files_take_the_place_of_the_model(folder: Path, tmp_path: Path) -> None:
    bars = tmp_path / "bars"
    bars.mkdir()
    (bars / "ZZZZ.csv").write_text("time,open,high,low,close,volume\n")
    with pytest.raises(GatewayError, match="not the symbol of one listed stock"):
        start_background(state_dir=folder, bars=bars)
    (bars / "ZZZZ.csv").unlink()
    lines = [f"2026-11-20T{10 + n // 60}:{n % 60:02}:00,77,77,77,77,1000" for n in range(300)]
    text = "\n".join(["time,open,high,low,close,volume", *lines])
    (bars / "AAPL.csv").write_text(text)
    at = datetime(2026, 11, 20, 16, tzinfo=UTC)
    info = start_background(state_dir=folder, bars=bars, at=at)
    ticker, now = asyncio.run(snapshot(info.port))
    assert ticker.last == 77
    assert now - at < timedelta(minutes=1)


async def snapshot(port: int) -> tuple[Ticker, datetime]:
    ib = IB()
    await ib.connectAsync("127.0.0.1", port, clientId=1)
    [ticker] = await ib.reqTickersAsync(AAPL)
    now = await ib.reqCurrentTimeAsync()
    ib.disconnect()
    return ticker, now


def test_an_hour_that_was_asked_for_is_kept(folder: Path) -> None:
    at = datetime(2026, 11, 20, 23, tzinfo=UTC)  # Friday evening
    info = start_background(state_dir=folder, at=at)
    _, now = asyncio.run(snapshot(info.port))
    assert now - at < timedelta(minutes=1)


def test_a_taken_port_is_said(folder: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(GatewayError, match=r"did not start.*address already in use"):
            start_background(state_dir=folder, port=other.getsockname()[1])


def test_a_number_that_another_process_has_got_is_not_deaf(folder: Path, tmp_path: Path) -> None:
    start_background(state_dir=folder)
    info = read_info(folder)
    assert info is not None
    assert stop(folder)
    other = msgspec.structs.replace(info, pid=os.getpid(), door=str(tmp_path / "nobody"))
    write_info(folder, other)
    assert deaf(folder) is None
    write_info(folder, msgspec.structs.replace(other, door=""))
    assert deaf(folder) is None
    assert stop(folder) is False


def test_a_damaged_state_is_said(folder: Path) -> None:
    folder.mkdir()
    (folder / "exchange.sqlite3").write_bytes(b"nonsense" * 1000)
    with pytest.raises(GatewayError, match="cannot open the simulator's state"):
        start_background(state_dir=folder)


def test_one_that_is_suspended_is_named_and_ends_in_good_order(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door, "PATIENCE", 0.2)
    info, forced = start_background(state_dir=folder), list[int]()
    os.kill(info.pid, signal.SIGSTOP)
    with pytest.raises(GatewayError, match=rf"does not answer \(process {info.pid}\)") as caught:
        inject(folder, Look())
    assert caught.value.hint.startswith("ibkr-trader gateway stop;")
    assert stop(folder, on_force=forced.append) is True
    assert forced == []
    assert not (folder / "gateway.json").exists(), "it tidied up itself"


DEAF = """
import signal, socket, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
door = socket.socket(socket.AF_UNIX)
door.bind(sys.argv[1])
door.listen()
print("there", flush=True)
time.sleep(60)
"""


def test_one_that_does_not_hear_is_killed(folder: Path, tmp_path: Path) -> None:
    start_background(state_dir=folder)
    info = read_info(folder)
    assert info is not None
    stop(folder)
    place = str(tmp_path / "d")
    with subprocess.Popen(
        [sys.executable, "-c", DEAF, place], stdout=subprocess.PIPE, text=True
    ) as hung:
        assert hung.stdout is not None
        assert hung.stdout.readline() == "there\n"
        write_info(folder, msgspec.structs.replace(info, pid=hung.pid, door=place))
        forced = list[int]()
        assert stop(folder, timeout=0.1, on_force=forced.append) is True
        assert forced == [hung.pid]
    assert living(folder) is None
    assert stop(folder) is False


def test_a_full_disk_is_named_though_there_is_no_room_for_its_last_words(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(background, "subprocess", subprocess)  # of this process, with its limits
    folder.mkdir()
    (folder / "gateway.log").write_text("what was wrong last week\n")
    with (
        takes_only(0),
        pytest.raises(GatewayError, match=f"the disk is full \\({folder}\\)") as caught,
    ):
        start_background(state_dir=folder)
    assert "make room" in caught.value.hint
    assert sorted(one.name for one in folder.iterdir() if "exchange" not in one.name) == [
        "gateway.lock",
        "gateway.log",
    ]


def test_what_was_said_last_week_is_not_said_of_today(folder: Path) -> None:
    folder.mkdir()
    (folder / "gateway.log").write_text("what was wrong last week\n")
    (folder / "exchange.sqlite3").write_bytes(b"nonsense" * 1000)
    with pytest.raises(GatewayError) as caught:
        start_background(state_dir=folder)
    assert "last week" not in str(caught.value)
