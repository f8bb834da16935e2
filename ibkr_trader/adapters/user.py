"""Who runs this program, for the record."""

from __future__ import annotations

import contextlib
import getpass
import os

from ibkr_trader.core.text import plain

_LONGEST_NAME = 64


def user_name() -> str:
    """Return the user as the system knows them; a container may know a number alone."""
    with contextlib.suppress(OSError, KeyError):
        return plain(getpass.getuser(), limit=_LONGEST_NAME)
    return f"uid {os.getuid()}"
