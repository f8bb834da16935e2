"""Settings: found, checked, and handed on as frozen values that know where they came from.

Precedence: flags > environment (`IBKR_*`) > `.env` > `config.toml` > defaults.
"""

from __future__ import annotations

import hashlib
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import msgspec

from ibkr_trader.config import sources
from ibkr_trader.config.journal_table import JournalTable, journal_table
from ibkr_trader.config.lease_table import LeaseTable, lease_table
from ibkr_trader.config.metrics_table import MetricsTable, metrics_table
from ibkr_trader.config.notify_table import NotifyTable, notify_table
from ibkr_trader.config.risk_table import cover_rules, plain, risk_limits
from ibkr_trader.config.signals_table import Outside, outside
from ibkr_trader.core.accounts import masked
from ibkr_trader.core.errors import ConfigError
from ibkr_trader.core.hosts import is_loopback
from ibkr_trader.orders.cover_orders import CoverRules
from ibkr_trader.risk.limits import RiskLimits
from ibkr_trader.rules.admission import Admission

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["Effective", "Place", "Profile", "Settings", "load", "locate"]


class Profile(StrEnum):
    """Where orders go: the bundled simulator, or TWS / IB Gateway, paper or live."""

    SIM = "sim"
    PAPER = "paper"
    LIVE = "live"


class Effective(msgspec.Struct, frozen=True, kw_only=True):
    """One setting as `config show` prints it: secrets masked."""

    name: str
    value: str
    origin: str


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """What local commands need: whose state, and where it lies."""

    profile: Profile
    data_dir: Path

    @property
    def folder(self) -> Path:
        """The folder of this profile: journal, lock, log, simulator state."""
        return self.data_dir / self.profile.value

    @property
    def kill_flag(self) -> Path:
        """The file that halts this profile by being there."""
        return self.folder / "HALT"

    @property
    def journal(self) -> Path:
        """The record of everything that happened in this profile."""
        return self.folder / "journal.db"

    @property
    def simulator(self) -> Path:
        """The folder of the bundled gateway simulator: its account, its log, its port."""
        return self.data_dir / Profile.SIM.value / "gateway"


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """The effective settings. Seconds are seconds; `port` is None for a simulator on any port."""

    profile: Profile = Profile.SIM
    host: str = "127.0.0.1"
    port: int | None = None
    client_id: int = 1
    account: str | None = None  # None: the only one the gateway manages
    allow_live: bool = False  # whether a live desk may be armed; only the file can say so
    readonly: bool = False
    timeout_seconds: float = 30
    reconnect_max_attempts: int = 5
    reconnect_backoff_seconds: float = 5
    restart_window: str = "23:40-00:20"  # of the gateway, by the exchange's clock; or none
    sim_port: int | None = None  # where the simulator listens; None: on any free port
    data_dir: Path
    client_library: str = "ib_insync"
    eod_minutes_before: float = 5  # when the end of the day begins, before the close
    eod_window_minutes: float = 10
    eod_at: str = "cron"
    log_level: str = "info"
    risk: RiskLimits = RiskLimits()
    protection: CoverRules = CoverRules()
    outside: Outside = Outside()
    lease: LeaseTable | None = None
    metrics: MetricsTable | None = None
    notify: NotifyTable | None = None
    journal: JournalTable = JournalTable()
    effective: tuple[Effective, ...] = ()
    warnings: tuple[str, ...] = ()
    config_file: Path | None = None
    config_digest: str = ""  # of the file's content, as it was read
    is_passing: bool = False  # a folder that goes with the command: nothing is kept about it

    @property
    def place(self) -> Place:
        """Where this profile keeps its state."""
        return Place(profile=self.profile, data_dir=self.data_dir)

    @property
    def config_hash(self) -> str:
        """A short name for exactly these settings, for the journal's session header."""
        lines = "\n".join(f"{one.name}={one.value}" for one in self.effective)
        return hashlib.sha256(lines.encode()).hexdigest()[:16]

    @property
    def risked_hash(self) -> str:
        """A short name for all that decides what is risked where: an armed time is for that."""
        lines = [f"{one.name}={one.value}" for one in self.effective if one.name not in _PASSING]
        whole = "\n".join([*lines, f"account={self.account}", f"file={self.config_digest}"])
        return hashlib.sha256(whole.encode()).hexdigest()


# What may differ from command to command, and has no part in what is risked.
_PASSING = frozenset(
    {
        *("timeout_seconds", "reconnect_max_attempts", "reconnect_backoff_seconds"),
        *("restart_window", "sim_port", "eod_minutes_before", "eod_window_minutes", "eod_at"),
        "log_level",
    }
)
_Table: TypeAlias = (
    RiskLimits | CoverRules | Admission | LeaseTable | MetricsTable | NotifyTable | JournalTable
)
_DEFAULT_PORTS = {Profile.PAPER: 7497, Profile.LIVE: 7496}


def locate(
    flags: Mapping[str, object] | None = None,
    *,
    environ: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> Place:
    """Return profile and data folder alone, without checking the other settings.

    Raises:
        ConfigError: If a source cannot be read, or the profile is none.
    """
    found = sources.gather(flags or {}, environ=environ, cwd=cwd)
    return Place(
        profile=_profile(sources.profile_of(found.values)),
        data_dir=sources.data_folder(found.values, cwd).raw,
    )


def load(
    flags: Mapping[str, object] | None = None,
    *,
    environ: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> Settings:
    """Return the effective settings; `flags` are by name, None for those not given.

    Raises:
        ConfigError: Naming file, line and key of everything that is wrong.
    """
    found = sources.gather(flags or {}, environ=environ, cwd=cwd)
    profile = sources.profile_of(found.values)
    _profile(profile)
    folder = sources.data_folder(found.values, cwd)
    values = found.values | {"profile": profile, "data_dir": folder}
    return _settings(found, values)


def _profile(value: sources.Value) -> Profile:
    try:
        return Profile(value.raw)
    except ValueError:
        message = f"{value.origin}: profile: {value.raw!r} is none of sim, paper, live"
        raise ConfigError(message, hint="write profile = sim, paper or live") from None


def _settings(found: sources.Sources, values: dict[str, sources.Value]) -> Settings:
    from ibkr_trader.config.model import (  # noqa: PLC0415 - pydantic is slow to import
        SettingsModel,
        validate,
    )

    result = validate(
        {name: value.raw for name, value in values.items() if name not in sources.TABLES}
    )
    if not isinstance(result, SettingsModel):
        raise refusal(result, values)
    profile, warnings = Profile(result.profile), list(found.warnings)
    host, port = result.host, result.port or _DEFAULT_PORTS.get(profile)
    if profile is Profile.SIM:
        ignored = [values[name].origin for name in ("host", "port") if name in values]
        warnings += [f"{origin} is ignored by the profile sim" for origin in ignored]
        host, port = "127.0.0.1", result.sim_port
    elif not is_loopback(host) and not result.allow_remote_gateway:
        raise _not_this_machine(values["host"])
    tables = _tables(found, is_live=profile is Profile.LIVE)
    fields = result.model_dump(exclude={"profile", "host", "port", "allow_remote_gateway"})
    return Settings(
        **fields
        | tables._asdict()
        | {
            "profile": profile,
            "host": host,
            "port": port,
            "effective": (
                *_effective(result, values, host=host, port=port),
                *_effective_tables(tables, found),
            ),
            "warnings": tuple(warnings),
            "config_file": found.file,
            "config_digest": found.digest,
        }
    )


class _Tables(NamedTuple):
    """What the tables of the file come to."""

    risk: RiskLimits
    protection: CoverRules
    outside: Outside
    lease: LeaseTable | None
    metrics: MetricsTable | None
    notify: NotifyTable | None
    journal: JournalTable


def _tables(found: sources.Sources, *, is_live: bool) -> _Tables:
    """Read every table; with real money some of them have other defaults."""
    return _Tables(
        risk_limits(found, is_live=is_live),
        cover_rules(found),
        outside(found, is_live=is_live),
        lease_table(found),
        metrics_table(found),
        notify_table(found),
        journal_table(found),
    )


def _not_this_machine(host: sources.Value) -> ConfigError:
    return ConfigError(
        f"{host.origin}: host: {host.raw} is not this machine",
        hint="the API has no password and no encryption: use an SSH tunnel and host = 127.0.0.1, "
        "or set allow_remote_gateway = true",
    )


def refusal(problems: list[tuple[str, str]], values: dict[str, sources.Value]) -> ConfigError:
    """Return the error that names every setting that is wrong, and what to write instead."""
    from ibkr_trader.config.model import EXAMPLES  # noqa: PLC0415 - pydantic is slow to import

    lines, hints = [], []
    for name, what in problems:
        value = values[name]
        lines.append(f"{value.origin}: {name}: {_shown(name, str(value.raw))!r} {what}")
        if "environment" in value.origin or ".env " in value.origin:
            hints.append(f"{sources.PREFIX}{name.upper()}={EXAMPLES[name]}")
        elif value.origin.startswith("--"):
            hints.append(f"{value.origin} {EXAMPLES[name]}")
        else:
            example = EXAMPLES[name]
            quote = "" if example.isdigit() or example in {"false", "true"} else '"'
            hints.append(f"{name} = {quote}{example}{quote}")
    return ConfigError("; ".join(lines), hint=f"write for example: {'; '.join(hints)}")


def _effective(
    model: Any, values: dict[str, sources.Value], *, host: str, port: int | None
) -> tuple[Effective, ...]:
    rows: list[Effective] = []
    for name in sources.NAMES:
        origin = values[name].origin if name in values else "default"
        if name in sources.TABLES:
            continue
        value = {"host": host, "port": port}.get(name, getattr(model, name))
        if name == "port" and value is None:
            value, origin = "chosen when the simulator starts", "profile sim"
        elif name in {"host", "port"} and model.profile == Profile.SIM.value:
            origin = "profile sim"
        elif name == "port" and name not in values:
            origin = f"default of {model.profile}"
        text = "" if value is None else plain(value)
        rows.append(Effective(name=name, value=_shown(name, text), origin=origin))
    return tuple(rows)


def _effective_tables(tables: _Tables, found: sources.Sources) -> Iterator[Effective]:
    yield from _effective_table("risk", tables.risk, found)
    yield from _effective_table("protection", tables.protection, found)
    yield from _effective_table("signals", tables.outside.admission, found)
    if tables.lease is not None:
        yield from _effective_table("lease", tables.lease, found)
    if tables.metrics is not None:
        yield from _effective_table("metrics", tables.metrics, found)
    if tables.notify is not None:
        yield from _effective_table("notify", tables.notify, found)
    yield from _effective_table("journal", tables.journal, found)


def _effective_table(
    table: str,
    settings: _Table,
    found: sources.Sources,
) -> tuple[Effective, ...]:
    lines, usual = found.table_lines, type(settings)()

    def origin(key: str) -> str:
        if f"{table}.{key}" in lines:
            return f"{found.file} line {lines[f'{table}.{key}']}"
        is_usual = getattr(settings, key) == getattr(usual, key)
        return "default" if is_usual else "default of live"

    return tuple(
        Effective(
            name=f"{table}.{key}",
            value=plain(getattr(settings, key)),
            origin=origin(key),
        )
        for key in settings.__struct_fields__
    )


def _shown(name: str, text: str) -> str:
    """Mask what identifies an account."""
    return masked(text) if name == "account" else text
