"""A real terminal for each test that asks for one: both ends of a pty."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.dashboard.terminal.pyte_screen import PyteScreen


@pytest.fixture
def pty() -> Iterator[tuple[PyteScreen, int]]:
    """Yield what a person sees, and the end that a program has."""
    master, slave = os.openpty()
    screen = PyteScreen(master, columns=40, rows=10)
    yield screen, slave
    screen.hang_up()
    os.close(slave)
