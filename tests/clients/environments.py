"""The environments of foreign clients: each holds one client, and nothing of ours."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DRIVERS = Path(__file__).parent / "drivers"
# What a foreign program may know of its surroundings: not our settings, not our interpreter's.
KEPT = ("PATH", "LANG", "LC_ALL", "TMPDIR", "SYSTEMROOT")


def program(environment: str, name: str = "python") -> Path:
    """Return a program of an environment; without the environment the test fails, and says why."""
    folder = ROOT / f".venv-{environment}"
    if not (folder / f".installed-{environment}").exists():
        pytest.fail(
            f"{folder.name} is missing or half made: run `make test-clients`, which makes it",
            pytrace=False,
        )
    return folder / "bin" / name


def surroundings(home: Path) -> dict[str, str]:
    """Return the environment variables of a program that has `home` to itself."""
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    return kept | {"HOME": str(home), "PYTHONIOENCODING": "utf-8", "NO_COLOR": "1"}
