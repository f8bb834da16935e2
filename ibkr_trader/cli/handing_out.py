"""Where a file for somebody else may be put: never over, or among, what a desk lives by.

A page or an archive takes the place of what has its name, and `--yes` agrees to that. In the
place of the journal it would be the end of every record, and in the place of the lock it would
let a second desk trade.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ibkr_trader.cli.exits import UsageFault
from ibkr_trader.config import Profile

if TYPE_CHECKING:
    from pathlib import Path

    from ibkr_trader.config import Place


def require_apart(place: Place, path: Path, *, is_ours: bool) -> None:
    """Refuse a place within a profile's folder, or a file of settings beside those folders.

    Args:
        place: Whose folders they are.
        path: Where the file is to go.
        is_ours: Whether what is there already is a file of that kind.

    Raises:
        UsageFault: Naming it; `--yes` does not help.
    """
    at = path.parent.resolve() / path.name
    home = place.data_dir.resolve()
    is_inside = any(at.is_relative_to(home / profile.value) for profile in Profile)
    if is_inside or (at.parent == home and os.path.lexists(at) and not is_ours):
        message = f"{path} is among the files that the desk lives by: nothing is written there"
        raise UsageFault(message, hint="choose a place in another folder")
