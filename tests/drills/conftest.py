"""Settings as somebody has them who has written nothing down."""

from __future__ import annotations

from pathlib import Path

import pytest

from ibkr_trader import config
from ibkr_trader.config import Settings


@pytest.fixture
def settings(tmp_path: Path, client_library: str) -> Settings:
    """Return the defaults, with a data folder of their own."""
    environ = {"IBKR_CLIENT_LIBRARY": client_library}
    flags = {"data_dir": str(tmp_path / "data")}
    return config.load(flags, environ=environ, cwd=tmp_path)
