"""The machine's part of `doctor --deep`: disk, folders, zones and versions."""

from __future__ import annotations

import os
import shutil
import stat
import time
from contextlib import suppress
from datetime import datetime, timedelta
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ibkr_trader.adapters.private_files import create_private
from ibkr_trader.core.errors import ConfigError
from ibkr_trader.core.trading_day import NEW_YORK

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ibkr_trader.cli.checkup import Findings
    from ibkr_trader.config import Settings

_SLOW_WRITE = 0.1  # seconds for a durable write of one page
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_WRITERS = stat.S_IWGRP | stat.S_IWOTH
_MOST_FILES = 1_000
_TESTED = {"ib_insync": "0.9.86"}


def examine_machine(settings: Settings, found: Findings) -> None:
    """Look at what no gateway is needed for."""
    folder = settings.place.folder
    _space(folder, settings.risk.min_disk_free, found)
    _durability(folder, found)
    _permissions(settings.data_dir, folder, found)
    _zones(found)
    _library(settings.client_library, found)


def _space(folder: Path, least: int, found: Findings) -> None:
    free = shutil.disk_usage(folder).free
    text = f"{free // 1_000_000} MB are free"
    if free < least:
        hint = f"free some space on the disk of {folder}"
        found.fail(
            "disk space", ConfigError(f"{text}; {least // 1_000_000} MB are needed", hint=hint)
        )
    else:
        found.ok("disk space", text)


def _durability(folder: Path, found: Findings) -> None:
    """Write a page as the journal would, and say how long it took to be on disk."""
    path = folder / f".durability.{os.getpid()}"
    began = time.monotonic()
    try:
        create_private(path, b"\0" * 4096)
        took = time.monotonic() - began
    except OSError as error:
        text = f"{folder} cannot be written: {error.strerror}"
        found.fail("durable writes", ConfigError(text, hint=f"df -h {folder}"))
        return
    finally:
        with suppress(OSError):
            path.unlink(missing_ok=True)
    text = f"{took * 1000:.1f} ms for a page"
    if took > _SLOW_WRITE:
        found.warn("durable writes", text, fix="every order waits for that: use a faster disk")
    else:
        found.ok("durable writes", text)


def _permissions(data: Path, folder: Path, found: Findings) -> None:
    open_ones = [
        (path, status)
        for path, status in _files(data, folder)
        if status.st_uid != os.geteuid() or status.st_mode & _OTHERS
    ]
    if not open_ones:
        found.ok("file permissions", "folder 0700, files 0600, all of them yours")
        return
    path, status = next(
        (one for one in open_ones if one[1].st_uid != os.geteuid() or one[1].st_mode & _WRITERS),
        open_ones[0],
    )
    mode = stat.S_IMODE(status.st_mode)
    text = f"{path} has mode {mode:04o} and owner {status.st_uid}; {len(open_ones)} like it"
    fix = f"chown -R $USER {data} && chmod -R go-rwx {data}"
    if status.st_uid != os.geteuid() or status.st_mode & _WRITERS:
        found.fail("file permissions", ConfigError(text, hint=fix))
    else:
        found.warn("file permissions", text, fix=fix)


def _files(data: Path, folder: Path) -> Iterator[tuple[Path, os.stat_result]]:
    paths = [data, folder, *sorted(folder.rglob("*"))[:_MOST_FILES]]
    for path in paths:
        with suppress(OSError):  # a socket may go while we look
            yield path, path.lstat()


def _zones(found: Findings) -> None:
    try:
        zone = ZoneInfo(NEW_YORK)
    except (ZoneInfoNotFoundError, OSError) as error:
        hint = "install the system's tzdata, or: pip install tzdata"
        found.fail("time zones", ConfigError(f"{NEW_YORK} is unknown: {error}", hint=hint))
        return
    winter = datetime(2026, 1, 15, 12, tzinfo=zone).utcoffset()
    summer = datetime(2026, 7, 15, 12, tzinfo=zone).utcoffset()
    if (winter, summer) == (timedelta(hours=-5), timedelta(hours=-4)):
        found.ok("time zones", f"{NEW_YORK} is known, with summer time")
    else:
        text = f"{NEW_YORK} has odd hours here: {winter} and {summer}"
        found.fail("time zones", ConfigError(text, hint="update the system's tzdata"))


def _library(name: str, found: Findings) -> None:
    try:
        installed = version(name)
    except PackageNotFoundError:
        found.warn("client library", f"{name} says no version", fix=f"pip install {name}")
        return
    tested = _TESTED.get(name, installed)
    if installed == tested:
        found.ok("client library", f"{name} {installed}")
    else:
        text = f"{name} {installed}; tested is {tested}"
        found.warn("client library", text, fix=f"pip install {name}=={tested}")
