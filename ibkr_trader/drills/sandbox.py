"""The user's own settings, taken into a sandbox: what limits a desk comes along, its account stays.

Files are copied, never opened to be written where they are. What names the account, the gateway or
anybody outside is left behind: a desk with these settings has nowhere to go but the sandbox.
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import msgspec

from ibkr_trader.adapters import correlation_file, limits_file, sectors_file
from ibkr_trader.adapters.private_files import private_folder
from ibkr_trader.config import Profile
from ibkr_trader.config.signals_table import Outside

if TYPE_CHECKING:
    from pathlib import Path

    from ibkr_trader.config import Settings


def sandboxed(settings: Settings, folder: Path) -> Settings:
    """Return `settings` for a desk in `folder`, with copies of the files that limit it.

    Raises:
        OSError: If a file cannot be copied.
    """
    mine = msgspec.structs.replace(
        settings,
        profile=Profile.SIM,
        host="127.0.0.1",
        port=None,
        sim_port=None,
        account=None,
        allow_live=False,
        data_dir=folder,
        outside=Outside(admission=settings.outside.admission),
        lease=None,
        metrics=None,
        effective=(),
        warnings=(),
        config_file=None,
        config_digest="",
    )
    private_folder(mine.place.folder)
    for name in (limits_file.FILE, sectors_file.FILE):
        _copy(settings.data_dir / name, mine.data_dir / name)
    name = correlation_file.FILE
    _copy(settings.place.folder / name, mine.place.folder / name)
    return mine


def _copy(source: Path, target: Path) -> None:
    if source.is_file():
        shutil.copyfile(source, target)
        target.chmod(0o600)
