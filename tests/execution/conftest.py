"""What several files of tests ask for by name."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ibkr_trader.execution import recovery
from ibkr_trader.portfolio import reconciliation


@pytest.fixture
def short_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    """The exchange in process has no second thread that might still hold an order."""
    for module in (recovery, reconciliation):
        monkeypatch.setattr(module, "GRACE", timedelta(0))
    monkeypatch.setattr(recovery, "_SLACK", timedelta(0))
