"""The composition root: which class stands behind which port, for each way of running.

`open_desk()` is live composition: the IBKR adapter over TCP, whether TWS is at the other
end or the bundled gateway simulator. Nothing inward knows which; they differ here only.
"""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import sys
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import msgspec

from ibkr_trader import __version__
from ibkr_trader.adapters.account_lock import AccountLock, account_path, lock_paths, runtime_folder
from ibkr_trader.adapters.arming_file import (
    ArmingFile,
    Binding,
    ConfigFile,
    this_boot,
    this_host,
)
from ibkr_trader.adapters.clock import OffsetClock, SystemClock
from ibkr_trader.adapters.correlation_file import CorrelationFile
from ibkr_trader.adapters.ibkr.broker import IBKRBroker
from ibkr_trader.adapters.ibkr.connecting import connected
from ibkr_trader.adapters.ibkr.connection import IBKRConnection, LinkSettings
from ibkr_trader.adapters.ibkr.market_data import IBKRMarketData
from ibkr_trader.adapters.ibkr.messages import ServerTime
from ibkr_trader.adapters.journal import SessionHeader, SqliteJournal
from ibkr_trader.adapters.journal_seen import state_folder
from ibkr_trader.adapters.kill_flag import HaltFile
from ibkr_trader.adapters.leading import leading
from ibkr_trader.adapters.limits_file import LimitsFile
from ibkr_trader.adapters.notify.apprise_notifier import notifier_of
from ibkr_trader.adapters.sectors_file import SectorsFile
from ibkr_trader.adapters.user import user_name
from ibkr_trader.app_parts import find_port, make_lease
from ibkr_trader.config import Profile, Settings, load
from ibkr_trader.config.account_kind import check_account
from ibkr_trader.config.lease_table import lease_family
from ibkr_trader.core.errors import ConfigError, JournalError
from ibkr_trader.core.trading_day import NEW_YORK
from ibkr_trader.execution.alarming import AlarmRules
from ibkr_trader.execution.arming_watch import ArmingWatch
from ibkr_trader.execution.correlation_watch import CorrelationWatch
from ibkr_trader.execution.desk import Desk
from ibkr_trader.execution.disk_watch import DiskWatch
from ibkr_trader.execution.egress import Egress
from ibkr_trader.execution.guardian import Duty
from ibkr_trader.execution.journal_watch import JournalWatch
from ibkr_trader.execution.limits_watch import LimitsWatch
from ibkr_trader.execution.outlook import RiskSettings
from ibkr_trader.execution.skew_watch import SkewWatch, in_step
from ibkr_trader.execution.strategist import Strategist
from ibkr_trader.execution.trader import Trader
from ibkr_trader.risk.arming import Lack
from ibkr_trader.risk.blackouts import NO_WINDOW
from ibkr_trader.risk.guard import RiskGuard
from ibkr_trader.sim.gateway.background import read_info

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable

    from ibkr_trader.adapters.account_lock import Holder
    from ibkr_trader.config.notify_table import NotifyTable
    from ibkr_trader.execution.leadership import Leadership
    from ibkr_trader.execution.ports import PayloadSink
    from ibkr_trader.risk.guard import ExtraCheck

logger = logging.getLogger(__name__)
CONNECT_PATIENCE = 10.0  # seconds for a handshake, unless all waits are shorter
LOCK_PATIENCE = 10.0  # seconds: as long as another command of ours may reasonably take


@asynccontextmanager
async def open_desk(  # noqa: PLR0913 - the one root: each of these has a default
    *,
    profile: str | None = None,
    settings: Settings | None = None,
    handlers: Iterable[object] = (),
    risk_check: ExtraCheck | None = None,
    timeout: float | None = None,
    on_wait: Callable[[Holder], None] | None = None,
    is_vain: Callable[[], bool] = lambda: False,
    duty: Duty = Duty.TRIM,
    goes_on: bool = True,
    reach: Callable[[str], None] = lambda _: None,
    decides: bool = False,
    sinks: Iterable[PayloadSink] = (),
    leadership: Leadership | None = None,
) -> AsyncIterator[Desk]:
    """Open the desk of one account, in sync with its broker, for the length of the block.

    Args:
        profile: `sim` (the default: the bundled simulator, started if need be), `paper` or
            `live`, which opens nothing unless it is armed.
        settings: Complete settings instead; they win over `profile`.
        handlers: Objects with the methods of `OrderEventHandler` or `ConnectionEventHandler`.
        risk_check: One more check beside the built-in ones, asked about each order.
        timeout: How long to wait for the broker's answers, in seconds.
        on_wait: Told once who holds the account, when that has to be waited for.
        is_vain: Asked while waiting; if it says so, the account is not waited for.
        duty: How much is done about positions that stops do not cover, or that exits of ours
            could turn round; `trader.guardian.duty` changes it later.
        goes_on: Whether closings that another process left in the middle are taken up.
        reach: Called with the name of each checkpoint of the order path; for crash tests.
        decides: Whether strategies may run and signals be taken: `trader.strategist` does it.
        sinks: Who is told what happens; `trader.egress` does it.
        leadership: By which lease the account is traded. Without it, one that the settings name is
            asked for once: while another host has it, only what lowers risk goes out.

    Raises:
        ConfigError: If a setting cannot be used.
        AccountLocked: If another process trades the account.
        AccountMismatch: If the broker's account is not of the profile's kind.
        BrokerUnavailable: If there is no broker, or it does not tell the whole truth.
        JournalError: If the journal is damaged or cannot be written.
    """
    settings = settings or load({"profile": profile})
    port = await asyncio.to_thread(find_port, settings)
    patience = timeout if timeout is not None else settings.timeout_seconds
    async with AsyncExitStack() as stack:
        if leadership is None and duty is not Duty.NONE:
            leadership = await stack.enter_async_context(_leading(settings))
        lock = partial(_lock, settings, port, on_wait=on_wait, is_vain=is_vain)
        stack.enter_context(await asyncio.to_thread(lock))
        clock = OffsetClock()
        journal = stack.enter_context(open_journal(settings))
        link, on_time = link_settings(settings, port), _server_clock(settings, clock)
        connection = IBKRConnection(link, clock=clock, on_server_time=on_time)
        broker = IBKRBroker(connection, install=journal.state.install, on_frame=reach)
        await stack.enter_async_context(connected(connection, leadership))
        stack.enter_context(await asyncio.to_thread(_claim, settings, connection))
        trader = Trader(
            broker=broker,
            market=IBKRMarketData(connection),
            journal=journal,
            clock=clock,
            account=connection.account,
            guard=RiskGuard(extra=(risk_check,) if risk_check is not None else ()),
            settings=risk_settings(settings),
            ack_timeout=patience,
            protection=settings.protection,
            duty=duty,
            handlers=handlers,
            reach=reach,
        )
        trader.client_id = settings.client_id
        _agree_on_time(trader, connection, settings)
        trader.closer.goes_on, broker.objection = goes_on, trader.halter.objection
        JournalWatch(trader, journal.seen, lost=journal.lost).attach()
        equip(trader, settings)
        face_outside(trader, settings if decides else None, sinks, timeout=patience)
        if leadership is not None:
            leadership.attach(trader, epoch_seen=lambda: broker.epoch_seen)
        await stack.enter_async_context(trader.running())
        yield Desk(trader, timeout=patience)


@asynccontextmanager
async def _leading(settings: Settings) -> AsyncIterator[Leadership | None]:
    """Hold the lease that the settings name, if it is free; None if they name none."""
    if settings.lease is None:
        yield None
        return
    async with leading(partial(make_lease, settings, settings.lease), SystemClock()) as leadership:
        yield leadership


def face_outside(
    trader: Trader, decides: Settings | None, sinks: Iterable[PayloadSink], *, timeout: float
) -> None:
    """Give the desk what takes signals, if it `decides`, and what tells others."""
    if decides is not None:
        Strategist(trader, timeout=timeout).signals.admission = decides.outside.admission
    if told := tuple(sinks):
        trader.egress = Egress(trader, told)


def equip(trader: Trader, settings: Settings) -> None:
    """Give the desk what lies in files, and the parts that watch them."""
    trader.halter.watch(HaltFile(settings.place.kill_flag))
    LimitsWatch(trader, LimitsFile(settings.data_dir, settings.risk), settings.risk).attach()
    folder = settings.place.folder
    watch = CorrelationWatch(
        trader.outlook.book, CorrelationFile(folder), SectorsFile(settings.data_dir)
    )
    watch.look()
    trader.own(watch.work)
    disk = DiskWatch(
        trader,
        least=settings.risk.min_disk_free,
        free=lambda: shutil.disk_usage(settings.place.folder).free,
    )
    disk.look()
    trader.own(disk.work)
    if settings.notify is not None:
        _tell_people(trader, settings.notify)
    if settings.profile is Profile.LIVE:
        trader.arming = ArmingWatch(
            trader,
            vault=arming_file(settings, trader.account),
            lacks=_lacks(settings, trader.account),
            max_skew=settings.risk.max_clock_skew,
        )


def _tell_people(trader: Trader, table: NotifyTable) -> None:
    """Give the alarms their messenger; without one, nobody is kept from closing for that."""
    trader.alarming.rules = AlarmRules.of_minutes(table.repeat_minutes, table.longest_minutes)
    try:
        trader.alarming.notifier = notifier_of(table.urls_env)
    except ConfigError as error:
        trader.alarming.trouble = error.message
        logger.warning("alarms are sent to nobody: %s", error.message)


def _agree_on_time(trader: Trader, connection: IBKRConnection, settings: Settings) -> None:
    """Take the simulator's clock for the desk's; any other must agree with the machine's."""
    if settings.profile is Profile.SIM:
        connection.on_retry = partial(_follow, connection, settings)
        trader.outlook.book.skew = in_step
    else:
        mind_clock(trader, connection)  # connecting has asked for the time


def mind_clock(trader: Trader, connection: IBKRConnection) -> None:
    """Let the reviews of a desk know how far the machine's clock is from the broker's."""
    watch = SkewWatch(trader.clock)
    watch.measure(connection.clock_offset)
    connection.inbox.on(ServerTime, lambda _: watch.measure(connection.clock_offset))
    trader.outlook.book.skew = watch.skew


def arming_file(settings: Settings, account: str) -> ArmingFile:
    """Return where the armed time of a live desk is kept, bound to what it is armed for."""
    binding = Binding(
        profile=settings.profile.value,
        account=account,
        config=settings.risked_hash,
        host=this_host(),
        boot=this_boot(),
        uid=os.geteuid(),
    )
    config = ConfigFile(settings.config_file, settings.config_digest)
    return ArmingFile(settings.place.folder, binding=binding, config=config)


def _lacks(settings: Settings, account: str) -> tuple[Lack, ...]:
    """What the settings lack before a live desk could be armed."""
    found: list[Lack] = []
    file = settings.config_file or "config.toml"
    if not settings.allow_live:
        hint = f"write allow_live = true into {file}, above its tables"
        found.append(Lack("The configuration does not allow live trading", hint))
    if settings.account is None:
        hint = f'write account = "…" into {file}: the one that may be traded'
        found.append(Lack("The configuration does not name the live account", hint))
    elif settings.account != account:
        found.append(Lack("The gateway's account is not the one in the configuration"))
    return tuple(found)


def _follow(connection: IBKRConnection, settings: Settings) -> None:
    """Dial where the simulator now listens: started again, it may have taken another port."""
    info = read_info(settings.place.simulator)
    if info is not None and info.port != connection.settings.port:
        connection.settings = msgspec.structs.replace(connection.settings, port=info.port)


def _server_clock(settings: Settings, clock: OffsetClock) -> Callable[..., None] | None:
    # Only the simulator has a time of its own; IBKR's must agree with ours, or we say so.
    return clock.set_time if settings.profile is Profile.SIM else None


def risk_settings(settings: Settings) -> RiskSettings:
    """Return the limits that a desk with these settings runs under."""
    return RiskSettings(
        limits=settings.risk, is_readonly=settings.readonly, zone=ZoneInfo(NEW_YORK)
    )


def link_settings(settings: Settings, port: int) -> LinkSettings:
    """Return how a desk with these settings connects to the gateway at `port`."""
    return LinkSettings(
        host=settings.host,
        port=port,
        client_id=settings.client_id,
        account=settings.account,
        client_library=settings.client_library,
        connect_timeout=min(CONNECT_PATIENCE, settings.timeout_seconds),
        max_attempts=settings.reconnect_max_attempts,
        backoff=settings.reconnect_backoff_seconds,
        restart_window="" if settings.restart_window == NO_WINDOW else settings.restart_window,
    )


def open_journal(settings: Settings) -> SqliteJournal:
    """Return the profile's journal; one to read alone, if it can be read and not written.

    Whoever opens it to write holds the account lock.

    Raises:
        JournalError: If it is damaged.
    """
    clock = SystemClock()
    header = SessionHeader(
        version=__version__,
        config_hash=settings.config_hash,
        command=" ".join([Path(sys.argv[0]).name, *sys.argv[1:]])[:200],
        user=user_name(),
    )
    path = settings.place.journal
    try:
        return SqliteJournal(
            path,
            clock=clock,
            header=header,
            family=lease_family(settings),
            segment_bytes=settings.journal.segment_bytes,
            seen_in=None if settings.is_passing else state_folder(),
        )
    except JournalError as error:
        try:
            readable = SqliteJournal(path, clock=clock, read_only=True)
        except JournalError:
            raise error from None
        # A full disk must not keep anybody from closing. What opens is refused: it would
        # have to be written first.
        logger.warning("only cancels and closes are possible: %s", error.message)
        return readable


def _lock(
    settings: Settings,
    port: int,
    *,
    on_wait: Callable[[Holder], None] | None,
    is_vain: Callable[[], bool],
) -> AccountLock:
    paths = lock_paths(
        settings.place.folder,
        runtime_folder(),
        endpoint=(settings.host, port, settings.client_id),
    )
    return AccountLock(*paths).acquire(timeout=LOCK_PATIENCE, on_wait=on_wait, is_vain=is_vain)


def _claim(settings: Settings, connection: IBKRConnection) -> AccountLock:
    """Take the account itself: another folder with another client id may be at it, too."""
    account, port = connection.account, connection.settings.port
    check_account(settings.profile, account)
    path = account_path(runtime_folder(), endpoint=(settings.host, port), account=account)
    # Who only looks is in nobody's way.
    return AccountLock(*(() if settings.readonly else (path,))).acquire(timeout=LOCK_PATIENCE)
