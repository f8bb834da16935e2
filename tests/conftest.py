"""What holds for every test: nobody's settings and nobody's home folder, and no deadline races."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import settings

from ibkr_trader.sim.gateway import background
from tests.processes import warm

pytest_plugins = ("tests.processes.quiet_workers", "tests.redis_server")

# `make test-ib-async` says with it which client library the whole run is about.
KEPT = {"IBKR_CLIENT_LIBRARY"}

# Whatever starts a gateway from within a test has it begun in a tenth of the time.
background.subprocess = SimpleNamespace(  # type: ignore[assignment,attr-defined]
    Popen=warm.Popen, DEVNULL=subprocess.DEVNULL
)

# Whoever runs all this with `nohup` has it ignored, and our commands heed that: see stop_signals.
signal.signal(signal.SIGHUP, signal.SIG_DFL)

settings.register_profile("here", deadline=None)  # shared machines stall; pytest-timeout watches
settings.register_profile("ci", parent=settings.get_profile("here"), derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "here")


@pytest.fixture(scope="session")
def client_library() -> str:
    """Return the client library of this run: ib_insync, unless `make test-ib-async` runs it."""
    return os.environ.get("IBKR_CLIENT_LIBRARY", "ib_insync")


@pytest.fixture(scope="session")
def nobodys_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an empty home folder that the whole run shares."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(autouse=True, scope="session")
def clean_environment(nobodys_home: Path) -> Iterator[None]:
    """Keep the settings and folders of whoever runs the tests out of them, once for all tests."""
    with pytest.MonkeyPatch.context() as patch:
        for name in tuple(os.environ):
            if name.startswith("IBKR_") and name not in KEPT:
                patch.delenv(name)
        for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"):
            patch.delenv(name, raising=False)
        patch.setenv("HOME", str(nobodys_home))
        yield


def pytest_collection_finish() -> None:
    """Keep what was collected out of every collection of garbage: it lives as long as the run."""
    gc.collect()
    gc.freeze()
