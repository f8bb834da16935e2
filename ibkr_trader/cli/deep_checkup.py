"""`doctor --deep`: TWS's own settings, the data, the clocks and the calendar, at our limits.

It asks the broker about orders that it never places (`execution/probes.py`), and it is what
`arm` runs before real money may be opened. The machine's part is in `machine_checkup.py`.
"""

from __future__ import annotations

import asyncio
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from ibkr_trader.adapters.calendar import ExchangeCalendar
from ibkr_trader.cli.checkup import PROBE, QUOTE_SECONDS, Findings
from ibkr_trader.cli.machine_checkup import examine_machine
from ibkr_trader.cli.tws_settings import OVERFILL, READ_ONLY, setting_of
from ibkr_trader.cli.wording import counted, when
from ibkr_trader.config import Profile
from ibkr_trader.config.account_kind import kind_of
from ibkr_trader.core.contracts import ticker
from ibkr_trader.core.enums import DataType
from ibkr_trader.core.errors import (
    AccountMismatch,
    ConfigError,
    OrderRejectedError,
    TraderError,
)
from ibkr_trader.core.models import ZERO
from ibkr_trader.core.text import money, price, quantity
from ibkr_trader.core.trading_day import NEW_YORK, is_half_day
from ibkr_trader.execution.probes import probe_limits

if TYPE_CHECKING:
    from decimal import Decimal

    from ibkr_trader.cli.face import Face
    from ibkr_trader.core.models import ContractDetails, Quote
    from ibkr_trader.execution.desk import Desk
    from ibkr_trader.execution.probes import Probe

_PORTS = {7496: Profile.LIVE, 4001: Profile.LIVE, 7497: Profile.PAPER, 4002: Profile.PAPER}
_MOST_QUOTES = 20
_RESTART = time(23, 45)
_NEAR = timedelta(minutes=20)
_NOTABLE_SKEW = timedelta(seconds=2)
_ZONE = ZoneInfo(NEW_YORK)


async def examine_deep(face: Face, desk: Desk) -> Findings:
    """Return what stands for or against trading at our limits, here and at the broker."""
    found = Findings()
    await asyncio.to_thread(examine_machine, face.settings(), found)
    try:
        await examine_desk_deep(face, desk, found)
    except TraderError as error:
        found.fail("gateway", error)
    return found


async def examine_desk_deep(face: Face, desk: Desk, found: Findings) -> None:
    """Look at what only the holder of the account can see."""
    _account(face, desk, found)
    _orders_of_others(desk, found)
    _clock(face, desk, found)
    _limits(desk, found)
    details = await desk.trader.learn(PROBE)
    quote = await desk.trader.price(details.contract, timeout=QUOTE_SECONDS)
    await _data(desk, found)
    await _settings_of_tws(face, desk, found, market=(details, quote))
    await asyncio.to_thread(_calendar, desk, details, found)
    _restart(face, desk, found)


def _account(face: Face, desk: Desk, found: Findings) -> None:
    settings, account = face.settings(), desk.trader.account
    kind, usual = kind_of(account), _PORTS.get(settings.port or 0)
    if kind is not settings.profile:
        hint = f"--profile {kind}"
        found.fail("account kind", AccountMismatch(f"it is a {kind} account", hint=hint))
    elif usual is not None and usual is not kind:
        text = f"a {kind} account on port {settings.port}, where {usual} accounts usually are"
        found.warn("account kind", text, fix=f"see {_API_PORT}")
    else:
        found.ok("account kind", f"a {kind} account, as profile {settings.profile} asks for")
    for lack in desk.trader.arming.lacks():
        found.fail("arming", ConfigError(lack.message, hint=lack.hint))


_API_PORT = "TWS: Global Configuration > API > Settings > Socket port"


def _orders_of_others(desk: Desk, found: Findings) -> None:
    portfolio = desk.trader.portfolio
    strangers = [order for order in portfolio.orders.values() if order.is_foreign]
    if strangers:
        what = ", ".join(sorted({ticker(one.spec.contract) for one in strangers}))
        text = f"{len(strangers)} working orders are not ours ({what}): they count at their worst"
        found.warn("orders of others", text, fix="end them where they were placed, or leave room")
    else:
        found.ok("orders of others", "none works in this account")


def _clock(face: Face, desk: Desk, found: Findings) -> None:
    book, most = desk.trader.outlook.book, face.settings().risk.max_clock_skew
    skew = book.clock_skew
    how = "timedatectl set-ntp true"
    if face.settings().profile is Profile.SIM:
        found.ok("clock", "the simulator has a clock of its own, which the desk follows")
    elif skew is None:
        found.warn("clock", "the gateway has not told its time yet", fix="ask again in a moment")
    elif abs(skew) > most:
        text = f"this machine is off by {skew.total_seconds():+.1f} s: nothing is opened"
        found.fail("clock", ConfigError(text, hint=how))
    elif abs(skew) > _NOTABLE_SKEW:
        found.warn("clock", f"this machine is off by {skew.total_seconds():+.1f} s", fix=how)
    else:
        found.ok("clock", f"within {skew.total_seconds():+.1f} s of the gateway's")


def _limits(desk: Desk, found: Findings) -> None:
    book = desk.trader.outlook.book
    if book.limits_fault:
        found.fail("limits file", ConfigError(book.limits_fault, hint="ibkr-trader limits"))
    else:
        found.ok(
            "limits file",
            f"{counted(len(book.symbol_limits.symbols), 'symbol')} with limits of their own",
        )


async def _data(desk: Desk, found: Findings) -> None:
    """Ask for a price of everything that is held or has limits."""
    trader = desk.trader
    held = [ticker(one.contract) for one in trader.portfolio.positions.values()]
    watched = list(dict.fromkeys([*held, *sorted(trader.outlook.book.symbol_limits.symbols)]))
    for symbol in watched[:_MOST_QUOTES] or [PROBE]:
        name = f"data {symbol}"
        try:
            details = await trader.learn(symbol)
        except TraderError as error:
            found.warn(name, error.message, fix=error.hint or f"ibkr-trader quote {symbol}")
            continue
        quote = await trader.price(details.contract, timeout=QUOTE_SECONDS)
        if quote is None:
            text = f"no price within {QUOTE_SECONDS:g} s"
            found.warn(name, text, fix="subscribe to its market data, or wait for the opening")
        elif quote.data_type is not DataType.LIVE:
            text = f"{quote.data_type.value.lower()} data: nothing is opened on it"
            found.warn(name, text, fix="Client Portal: Settings > Market Data Subscriptions")
        else:
            view = trader.outlook.view()
            age = view.aged_quote(details.contract).age.total_seconds()
            found.ok(name, f"live, {age:.1f} s old: {price(quote.mark)}")
    if len(watched) > _MOST_QUOTES:
        found.ok("data", f"the first {_MOST_QUOTES} of {len(watched)} symbols were looked at")


async def _settings_of_tws(
    face: Face, desk: Desk, found: Findings, *, market: tuple[ContractDetails, Quote | None]
) -> None:
    """Ask about orders at our limits, and name the settings that refuse them."""
    (details, quote), settings = market, face.settings()
    if quote is None:
        text = f"orders cannot be asked about: there is no price of {PROBE}"
        found.warn("order probe", text, fix="wait for the opening, then: ibkr-trader doctor --deep")
        return
    probes = await probe_limits(
        desk.trader, details, quote, limits=settings.risk, timeout=settings.timeout_seconds
    )
    for probe in probes:
        _judge(probe, found, most=settings.risk.max_order_exposure)
    names = {check.name for check in found.checks}
    if probes and READ_ONLY.name not in names and probes[0].answer is not None:
        found.ok(READ_ONLY.name, "off: orders are taken")
    found.ok(
        OVERFILL.name, "cannot be asked about: if OCO orders are held back, it is this setting"
    )
    client = settings.client_id
    found.ok("client id", f"{client}, which is not 0: orders typed into TWS stay its own")


_NAMES = {"size": "size precaution", "value": "value precaution", "price": "price precaution"}


def _judge(probe: Probe, found: Findings, *, most: Decimal) -> None:
    spec, answer = probe.spec, probe.answer
    what = f"BUY {quantity(spec.quantity)} {ticker(spec.contract)} at {price(spec.limit_price)}"
    if answer is not None:
        name = _NAMES.get(probe.edge, "trading permission")
        costs = f", commission {money(answer.commission)}" if answer.commission is not None else ""
        if answer.warning:
            setting = setting_of(0, answer.warning)
            fix = setting.fix if setting is OVERFILL else "ibkr-trader account; ibkr-trader limits"
            found.warn(name, f"{what} would be taken with a warning: {answer.warning}", fix=fix)
        else:
            found.ok(name, f"{what} would be taken{costs}")
    elif not probe.code:
        found.warn("order probe", f"{what}: {probe.reason}", fix="ibkr-trader doctor --deep, again")
    else:
        setting = setting_of(probe.code, probe.reason)
        if probe.edge == "size" and setting.name != _NAMES["size"] and _worth(probe) > most:
            text = f"not told: {what} is worth more than our own limit, and refused for that"
            found.ok(_NAMES["size"], text)
            return
        text = f"{setting.what}: {what} is refused with {probe.code}: {probe.reason}"
        error = OrderRejectedError(
            text, order_id=spec.order_id, code=probe.code, reason=probe.reason
        )
        error.hint = setting.fix
        if setting.name not in {check.name for check in found.checks if check.state == "FAIL"}:
            found.fail(setting.name, error)


def _worth(probe: Probe) -> Decimal:
    spec = probe.spec
    return spec.quantity * (spec.limit_price or ZERO) * spec.contract.multiplier


def _calendar(desk: Desk, details: ContractDetails, found: Findings) -> None:
    calendar = ExchangeCalendar()
    zone = calendar.zone(details)
    today = desk.trader.clock.now().astimezone(zone).date()
    days = (calendar.announced(details, today + timedelta(days=ahead)) for ahead in range(8))
    week = [one.session for one in days if one is not None and one.session is not None]
    for name, day in (("today", today), ("tomorrow", today + timedelta(days=1))):
        announced = calendar.announced(details, day)
        if announced is None:
            found.warn(f"calendar {name}", f"{day}: not known here", fix="trust the broker's hours")
        elif announced.session is None:
            found.ok(f"calendar {name}", f"{day:%A %d %B}: no trading")
        else:
            session = announced.session
            opens, closes = (at.astimezone(zone) for at in (session.opens, session.closes))
            half = ": a half day" if is_half_day(session, week) else ""
            found.ok(f"calendar {name}", f"{day:%A %d %B}: {opens:%H:%M} to {closes:%H:%M}{half}")


def _restart(face: Face, desk: Desk, found: Findings) -> None:
    """Say when IB Gateway restarts next, by default a quarter to midnight in New York."""
    now = desk.trader.clock.now().astimezone(_ZONE)
    restart = datetime.combine(now.date(), _RESTART, _ZONE)
    restart += timedelta(days=1) if restart <= now else timedelta(0)
    text = f"IB Gateway restarts by itself at {when(restart, utc=face.utc)} unless set otherwise"
    if restart - now < _NEAR and face.settings().profile is not Profile.SIM:
        found.warn("restart", text, fix="wait until it is back: orders at the broker stay")
    else:
        found.ok("restart", text)
