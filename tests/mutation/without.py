"""A pytest plugin that takes one risk check away: its own tests must then fail.

IBKR_TEST_WITHOUT=tick python -m pytest -p tests.mutation.without tests/risk/checks/test_tick.py
"""

from __future__ import annotations

import os
from collections.abc import Iterator

from ibkr_trader.core.events import Breach
from ibkr_trader.risk.check import CHECKS
from ibkr_trader.risk.proposal import Proposal
from ibkr_trader.risk.view import RiskView


def _nothing(_: Proposal, __: RiskView) -> Iterator[Breach]:
    return iter(())


def pytest_configure() -> None:
    """Put a check that finds nothing in the place of the one that is named."""
    name = os.environ["IBKR_TEST_WITHOUT"]
    CHECKS._parts[name] = CHECKS[name]._replace(run=_nothing)
