"""The gateway as a process: its state folder, its lock, its signals.

A running gateway says where it is in `gateway.json`; `background` reads it. A lock on the folder,
which dies with the process, keeps it to one gateway.
"""

import asyncio
import logging
import os
import signal
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import msgspec
from filelock import FileLock, Timeout

from ibkr_trader.sim.bars import BarSeries, read_bars
from ibkr_trader.sim.calendar import local_date
from ibkr_trader.sim.clock import ClockState, ExchangeClock, default_start
from ibkr_trader.sim.exchange import Exchange, ExchangeConfig
from ibkr_trader.sim.gateway.acts import Act, CannotDo, Wire
from ibkr_trader.sim.gateway.background import (
    INFO_FILE,
    AlreadyRunning,
    GatewayError,
    GatewayInfo,
    write_info,
)
from ibkr_trader.sim.gateway.doing import Doer
from ibkr_trader.sim.gateway.door import open_door
from ibkr_trader.sim.gateway.options import carried_on, keep
from ibkr_trader.sim.gateway.server import GatewayServer, machine_time, serve_exchange
from ibkr_trader.sim.gateway.store import Store
from ibkr_trader.sim.universe import ContractQuery, Universe, load_universe

logger = logging.getLogger(__name__)
STATE_FILE = "exchange.sqlite3"
LOCK_FILE = "gateway.lock"
UNIVERSE_FILE = "universe.json"
ACCOUNTS = "SIM"  # what tells everybody that it is a simulator; nothing else is ever served


async def serve(
    *,
    state_dir: Path,
    port: int,
    seed: int | None,
    speed: float | None,
    bars: Path | None,
    at: datetime | None,
    wire: bool = False,
    acts: tuple[Act, ...] = (),
) -> None:
    """Run the gateway until SIGTERM or SIGINT.

    State found in `state_dir` is carried on: its seed, its account and its time win over the
    arguments. A time goes forward only: `at` before the state's is left unheeded. A
    `universe.json` in `state_dir` adds to what is listed.

    Args:
        state_dir: Where everything is kept; made if absent, for this user alone.
        port: 0 takes a free one.
        seed: Of the price model; None is the account's, or 1.
        speed: Of the exchange's clock, 1 is wall speed; None is as it was, or 1.
        bars: A folder of `SYMBOL.csv` files, whose prices take the place of the model's.
        at: Where the exchange's clock starts; by default 10:00 New York of the latest trading day.
        wire: Write every message to a file in `state_dir`.
        acts: What is done to it before anybody is told that it runs: scripts, chaos.

    Raises:
        AlreadyRunning: Another gateway has the folder.
        GatewayError: An act cannot be done, or the bar files are not of what is listed.
        ValueError: A bar file or `universe.json` cannot be read.
        StoreError: The state cannot be read or written.
        OSError: The port is taken, or the folder cannot be used.
    """
    lock = _take_folder(state_dir)
    try:
        store = Store(state_dir / STATE_FILE)
        try:
            exchange, clock = _open(store, state_dir, seed=seed, speed=speed, bars=bars, at=at)
            async with serve_exchange(
                exchange, port=port, clock=clock, store=store, may_wake=at is None
            ) as server:
                await _serve_door(
                    server, state_dir, account=exchange.config.account, wire=wire, acts=acts
                )
        finally:
            store.close()
    finally:
        lock.release()


def _take_folder(state_dir: Path) -> FileLock:
    state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = FileLock(state_dir / LOCK_FILE, mode=0o600)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        message = f"another gateway is running in {state_dir}"
        raise AlreadyRunning(message) from None
    return lock


def _open(
    store: Store,
    state_dir: Path,
    *,
    seed: int | None,
    speed: float | None,
    bars: Path | None,
    at: datetime | None,
) -> tuple[Exchange, ExchangeClock]:
    state, mark = store.load(), store.clock()
    if state is not None and seed not in {None, state.config.seed}:
        message = f"this simulated account began with seed {state.config.seed}: reset it first"
        raise GatewayError(message)
    if state is not None and not state.config.account.startswith(ACCOUNTS):
        message = f"{state.config.account} is no simulated account: it is not served"
        raise GatewayError(message)
    kept = carried_on(state_dir, speed=speed, bars=bars)
    wall = machine_time()
    started = at or default_start(wall)
    config = (
        state.config
        if state is not None
        else ExchangeConfig(opened_at=started, seed=seed or 1, instance=int(wall.timestamp()))
    )
    universe = load_universe(local_date(config.opened_at), _overrides(state_dir))
    exchange = Exchange(config, universe, state, bars=_series(universe, kept.folder))
    if state is None:
        store.save(exchange.dump())
    keep(state_dir, kept)
    moments = [exchange.now]
    if mark is not None:
        moments.append(mark.at)
    if at is not None:
        moments.append(at)
    return exchange, ExchangeClock(machine_time, ClockState(at=max(moments), speed=kept.speed))


def _overrides(state_dir: Path) -> bytes | None:
    path = state_dir / UNIVERSE_FILE
    return path.read_bytes() if path.exists() else None


def _series(universe: Universe, folder: Path | None) -> dict[int, BarSeries]:
    """Read `SYMBOL.csv` files; a symbol that is not listed, or is listed twice, is an error."""
    if folder is None:
        return {}
    if not folder.is_dir():
        message = f"no folder of bar files: {folder}"
        raise GatewayError(message)
    series = {}
    for path in sorted(folder.glob("*.csv")):
        found = universe.find(ContractQuery(symbol=path.stem.upper(), sec_type="STK"))
        if len(found) != 1:
            message = f"{path.name}: {path.stem} is not the symbol of one listed stock"
            raise GatewayError(message)
        with path.open(newline="") as lines:
            series[found[0].con_id] = BarSeries(read_bars(lines, name=path.name))
    return series


def _version() -> str:
    try:
        return version("ibkr-trader")
    except PackageNotFoundError:  # run from a checkout that is not installed
        return "0"


async def _serve_door(
    server: GatewayServer, state_dir: Path, *, account: str, wire: bool, acts: tuple[Act, ...]
) -> None:
    doer = Doer(server, state_dir)
    if wire:
        doer(Wire())
    try:
        _prepare(doer, acts)
        async with open_door(state_dir, doer) as door:
            await _until_told(server, state_dir, account=account, door=door)
    finally:
        doer.close()


def _prepare(doer: Doer, acts: tuple[Act, ...]) -> None:
    for act in acts:
        try:
            logger.warning("%s", doer(act).text)
        except CannotDo as error:
            raise GatewayError(error.message) from error


async def _until_told(server: GatewayServer, state_dir: Path, *, account: str, door: Path) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    info = GatewayInfo(
        pid=os.getpid(),
        port=server.port,
        version=_version(),
        started_at=machine_time(),
        account=account,
        door=str(door.resolve()),
    )
    write_info(state_dir, info)
    server.listening.moved = lambda port: write_info(
        state_dir, msgspec.structs.replace(info, port=port)
    )
    try:
        await stopped.wait()
    finally:
        (state_dir / INFO_FILE).unlink(missing_ok=True)
