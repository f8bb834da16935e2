"""Where settings come from: flags, environment, `.env`, `config.toml`, in that order.

Each value keeps its origin, down to the line, for error messages and `config show`.
Nothing here imports pydantic: commands that only need the data folder start faster.
"""

from __future__ import annotations

import errno
import hashlib
import io
import os
import re
import stat
import tomllib
from decimal import Decimal
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from ibkr_trader.core.errors import ConfigError
from ibkr_trader.core.toml_lines import line_of, lines_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ibkr_trader.core.toml_lines import Keys

PREFIX = "IBKR_"
APP = "ibkr-trader"
LIMITS_FILE = "symbol_limits.json"
_MAX_FILE = 1_000_000
_LONGEST_BELOW = "x" * 100  # a name in the data folder, with those of the folders between

# Settings with keys of their own.
TABLES = (
    "risk",
    "protection",
    "signals",
    "sinks",
    "lease",
    "metrics",
    "notify",
    "journal",
)
# The settings, in the order in which `config show` lists them.
NAMES = (
    "profile",
    "host",
    "port",
    "client_id",
    "account",
    "allow_live",
    "readonly",
    "timeout_seconds",
    "reconnect_max_attempts",
    "reconnect_backoff_seconds",
    "restart_window",
    "sim_port",
    "data_dir",
    "client_library",
    "allow_remote_gateway",
    "eod_minutes_before",
    "eod_window_minutes",
    "eod_at",
    "log_level",
    *TABLES,
)
# What decides about real money is written down once, where nothing sets it in passing.
_ONLY_WRITTEN = frozenset({"allow_live"})
_ONLY_IN_FILE = _ONLY_WRITTEN.union(TABLES)
# Read by ibkr-trader, but not a setting.
_OTHER_VARIABLES = frozenset({"IBKR_CONFIG"})


class Value(NamedTuple):
    """One setting as it was written, and where that was."""

    raw: Any
    origin: str


class Sources(NamedTuple):
    """What was found, the winner for each setting, and remarks about the rest."""

    values: dict[str, Value]
    table_lines: dict[str, int]  # where each key of a table stands, as `risk.key`
    file: Path | None
    warnings: tuple[str, ...]
    digest: str = ""  # of the file, as it was read
    lines: Mapping[Keys, int] = {}  # where each key of the file stands


def gather(
    flags: Mapping[str, object],
    *,
    environ: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> Sources:
    """Return the settings as they were written; `flags` that are None were not given.

    Raises:
        ConfigError: If a file cannot be read, or has a key that is no setting.
    """
    environ = os.environ if environ is None else environ
    cwd = cwd or Path.cwd()
    dotenv = dict(_dotenv(cwd / ".env"))
    warnings = [*_unknown(environ, "the environment"), *_unknown(dotenv, str(cwd / ".env"))]
    warnings += [
        f"{name} is refused as a flag: only config.toml can set it"
        for name in sorted(_ONLY_WRITTEN)
        if flags.get(name) is not None
    ]
    file = _config_file(flags, environ, dotenv)
    text = _read(file) if file else ""
    lines = lines_of(text)
    table = _toml(file, text, lines) if file else {}
    values: dict[str, Value] = {}
    for name in NAMES:
        variable = PREFIX + name.upper()
        is_variable = name not in _ONLY_IN_FILE
        if flags.get(name) is not None and name not in _ONLY_WRITTEN:
            values[name] = Value(flags[name], f"--{name.replace('_', '-')}")
        elif is_variable and environ.get(variable):
            values[name] = Value(environ[variable], f"environment {variable}")
        elif is_variable and dotenv.get(variable, Value("", "")).raw:
            values[name] = dotenv[variable]
        elif name in table:
            values[name] = Value(table[name], f"{file} line {line_of(lines, (name,)) or 1}")
    table_lines = {
        f"{name}.{key}": line_of(lines, (name, key)) or 1
        for name in TABLES
        if isinstance(table.get(name), dict)
        for key in table[name]
    }
    digest = hashlib.sha256(text.encode()).hexdigest() if file else ""
    return Sources(values, table_lines, file, tuple(warnings), digest, lines)


def data_folder(values: Mapping[str, Value], cwd: Path | None = None) -> Value:
    """Return the data folder: as set, else `./data` if limits are kept there, else the user's.

    Raises:
        ConfigError: If its name is longer than the file system takes, with what goes into it.
    """
    cwd = cwd or Path.cwd()
    if found := values.get("data_dir"):
        text = str(found.raw)
        path = Path.home() / text[2:] if text.startswith("~/") else cwd / text
        _refuse_too_long(path, found.origin)
        return Value(path.resolve(), found.origin)
    if (cwd / "data" / LIMITS_FILE).is_file():
        return Value((cwd / "data").resolve(), f"./data holds {LIMITS_FILE}")
    from platformdirs import user_data_path  # noqa: PLC0415 - rarely needed

    return Value(user_data_path(APP, appauthor=False), "default")


def _refuse_too_long(path: Path, origin: str) -> None:
    try:
        os.lstat(path / _LONGEST_BELOW)
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            message = f"{origin}: the folder's name is too long: {str(path)[:60]}…"
            raise ConfigError(message, hint="choose a shorter one") from error


def profile_of(values: Mapping[str, Value]) -> Value:
    """Return the profile's name: as set, else `paper` if a gateway is named, else `sim`."""
    if found := values.get("profile"):
        return Value(str(found.raw).strip().lower(), found.origin)
    for name in ("host", "port"):
        if name in values:
            return Value("paper", f"{name} is set ({values[name].origin})")
    return Value("sim", "default")


def _config_file(
    flags: Mapping[str, object], environ: Mapping[str, str], dotenv: Mapping[str, Value]
) -> Path | None:
    named = flags.get("config") or environ.get("IBKR_CONFIG")
    if not named and "IBKR_CONFIG" in dotenv:
        named = dotenv["IBKR_CONFIG"].raw
    if named:
        path = Path(str(named)).absolute()
        if not _is_there(path):
            message = f"the configuration file {path} does not exist"
            raise ConfigError(message, hint="correct or unset IBKR_CONFIG")
        return path
    from platformdirs import user_config_path  # noqa: PLC0415 - rarely needed

    path = user_config_path(APP, appauthor=False) / "config.toml"
    return path if _is_there(path) else None


def _is_there(path: Path) -> bool:
    """Whether there is a configuration; what is no file must not pass for none at all."""
    try:
        status = path.stat()
    except (FileNotFoundError, NotADirectoryError) as error:
        if path.is_symlink():
            message = f"the configuration file {path} is a link to nothing"
            raise ConfigError(message, hint=f"mend it, or: rm {path}") from error
        return False
    except OSError as error:
        message = f"the configuration file {path} cannot be read: {error.strerror}"
        raise ConfigError(message, hint="see its name and the rights of its folders") from error
    if not stat.S_ISREG(status.st_mode):
        message = f"the configuration {path} is not a file"
        raise ConfigError(message, hint="move what is there out of the way")
    return True


def _unknown(names: Mapping[str, object], where: str) -> Iterator[str]:
    known = {PREFIX + name.upper() for name in NAMES if name not in _ONLY_IN_FILE}
    for name in names:
        if name.removeprefix(PREFIX).lower() in _ONLY_WRITTEN and name.startswith(PREFIX):
            yield f"{name} in {where} is refused: only a line of config.toml can set it"
        elif name.startswith(PREFIX) and name not in known | _OTHER_VARIABLES:
            near = _nearest(name, known)
            yield f"{name} in {where} is no setting and is ignored{near}"


def _nearest(name: str, known: set[str]) -> str:
    near = get_close_matches(name, sorted(known), n=1, cutoff=0.75)
    return f"; did you mean {near[0]}?" if near else ""


def _read(path: Path) -> str:
    try:
        status = path.stat()
        if status.st_uid not in {os.geteuid(), 0}:
            message = f"{path} belongs to another user and is not trusted"
            raise ConfigError(message, hint=f"run from another folder, or: chown $USER {path}")
        if status.st_size > _MAX_FILE:
            message = f"{path} is larger than a configuration can be"
            raise ConfigError(message)
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        message = f"{path} is not UTF-8 text (byte {error.start})"
        raise ConfigError(message, hint="save it as UTF-8") from error
    except OSError as error:
        message = f"{path} cannot be read: {error.strerror}"
        raise ConfigError(message, hint=f"chmod u+r {path}") from error


def _dotenv(path: Path) -> Iterator[tuple[str, Value]]:
    if not path.is_file():
        return
    from dotenv.parser import parse_stream  # noqa: PLC0415 - rarely needed

    for binding in parse_stream(io.StringIO(_read(path))):
        key, line = binding.key, binding.original.line
        is_ours = bool(key) and str(key).startswith(PREFIX)
        if binding.error or (is_ours and binding.value is None):
            text = binding.original.string.strip()
            if text.startswith(PREFIX):
                message = f"{path} line {line} cannot be read: {text[:60]}"
                raise ConfigError(message, hint="write NAME=value, one a line")
            continue  # foreign keys are none of our business, broken or not
        if key and is_ours:
            yield key, Value(binding.value or "", f"{path} line {line}")


def _toml(path: Path, text: str, lines: Mapping[Keys, int]) -> dict[str, Any]:
    try:
        table = tomllib.loads(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as error:
        message = f"{path} is not valid TOML: {error}"
        raise ConfigError(
            message, hint='write key = value; text in quotes: profile = "paper"'
        ) from error
    for key in table:
        if key not in NAMES:
            raise unknown_key(path, line_of(lines, (key,)) or 1, key, known=NAMES)
    return table


def unknown_key(path: Path, line: int, key: str, *, known: tuple[str, ...]) -> ConfigError:
    """Return the error for a key that is no setting."""
    if re.search(r"passw|secret|token", key, re.IGNORECASE):
        message = f"{path} line {line}: {key}: ibkr-trader needs no password, and keeps none"
        return ConfigError(message, hint="remove the line; TWS or IB Gateway does the login")
    near = _nearest(key, set(known))
    message = f"{path} line {line}: {key} is no setting{near}"
    return ConfigError(message, hint=f"settings are: {', '.join(known)}")
