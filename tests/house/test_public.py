"""The public names, and what starting the program must not import."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

import ibkr_trader
from tests.house.sources import ROOT

# Adding a name is a promise to keep it: say so in the changelog when this list changes.
PUBLIC = [
    "AccountLocked",
    "Action",
    "AdjustStop",
    "AmbiguousContract",
    "BracketOrderRequest",
    "BrokerUnavailable",
    "CloseAll",
    "ConnectionEventHandler",
    "Contract",
    "Desk",
    "Distance",
    "Duty",
    "Envelope",
    "Fill",
    "HaltTrading",
    "Moment",
    "NotClosed",
    "NothingToScale",
    "Notify",
    "OCOOrderRequest",
    "OcaType",
    "OnRace",
    "OpenPosition",
    "Order",
    "OrderEventHandler",
    "OrderRejectedError",
    "OrderRequest",
    "OrderRole",
    "OrderSpec",
    "OrderStatus",
    "OrderType",
    "OutcomeUnknown",
    "Position",
    "Protection",
    "RiskCheckError",
    "Rule",
    "ScaleIn",
    "ScaleInRequest",
    "Side",
    "Strategy",
    "StrategyBuilder",
    "StrategyProgram",
    "TimeInForce",
    "TraderError",
    "TrailStop",
    "TrailingStopConfig",
    "UnknownOrder",
    "Wait",
    "close_contract",
    "condition",
    "create_buy_rule",
    "create_eod_close_rule",
    "create_scale_in_rule",
    "create_sell_rule",
    "enter",
    "open_desk",
    "protection",
]

# Each costs 100 to 750 ms; whoever needs one imports it where the need arises.
HEAVY = {
    "exchange_calendars",
    "holidays",
    "ib_async",
    "ib_insync",
    "numpy",
    "pandas",
    "prompt_toolkit",
}

PROBE = """
import json, sys
sys.argv = {argv!r}
try:
    {statement}
except SystemExit:
    pass
print()
print(json.dumps(sorted({{name.partition(".")[0] for name in sys.modules}})))
"""


def imported_by(statement: str, *argv: str) -> set[str]:
    """Return the top-level packages that a fresh interpreter holds after `statement`."""
    result = subprocess.run(
        [sys.executable, "-c", PROBE.format(argv=["ibkr-trader", *argv], statement=statement)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return set(json.loads(result.stdout.splitlines()[-1]))


def test_the_public_names_are_these() -> None:
    assert sorted(getattr(ibkr_trader, "__all__", ["__version__"])) == sorted(PUBLIC)


def test_every_public_name_is_there() -> None:
    assert [name for name in PUBLIC if not hasattr(ibkr_trader, name)] == []


def test_importing_the_package_imports_no_library() -> None:
    assert imported_by("import ibkr_trader") & (HEAVY | {"asyncio", "rich", "typer"}) == set()


@pytest.mark.parametrize("argv", [[], ["--version"], ["--help"], ["bracket-order", "--help"]])
def test_starting_the_program_imports_nothing_heavy(argv: list[str]) -> None:
    """With no argument the module is only imported; the others run it to its end."""
    statement = "import ibkr_trader.cli"
    if argv:
        statement += "; ibkr_trader.cli.main()"
    assert imported_by(statement, *argv) & HEAVY == set()


def test_a_heavy_import_is_found() -> None:
    assert imported_by("import numpy") & HEAVY == {"numpy"}
