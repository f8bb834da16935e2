"""A bad day for every test that asks for one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.bad_days.stage import Day, a_day

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@pytest.fixture
async def day(tmp_path: Path) -> AsyncIterator[Day]:
    """A gateway with a desk on it, in sync, with nothing held and nothing working."""
    async with a_day(tmp_path) as opened, opened.open_desk():
        yield opened
