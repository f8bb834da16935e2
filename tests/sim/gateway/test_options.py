"""A simulated account is run on as it was begun."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ibkr_trader.sim.gateway.options import OPTIONS_FILE, Options, carried_on, keep

if TYPE_CHECKING:
    from pathlib import Path


def test_what_is_not_given_stays_as_it_was(tmp_path: Path) -> None:
    assert carried_on(tmp_path, speed=None, bars=None) == Options()
    first = carried_on(tmp_path, speed=10.0, bars=tmp_path)
    keep(tmp_path, first)
    assert carried_on(tmp_path, speed=None, bars=None) == first
    assert carried_on(tmp_path, speed=2.0, bars=None) == Options(speed=2.0, bars=str(tmp_path))
    assert first.folder == tmp_path
    assert (tmp_path / OPTIONS_FILE).stat().st_mode & 0o777 == 0o600


def test_what_was_not_kept_changes_nothing(tmp_path: Path) -> None:
    carried_on(tmp_path, speed=10.0, bars=None)
    assert carried_on(tmp_path, speed=None, bars=None).speed == 1.0


def test_a_damaged_file_is_said_to_be_one(tmp_path: Path) -> None:
    (tmp_path / OPTIONS_FILE).write_text("{")
    with pytest.raises(ValueError, match="delete it to run with the defaults"):
        carried_on(tmp_path, speed=None, bars=None)
