from __future__ import annotations

import pytest

from ibkr_trader.core.errors import InvariantBroken
from ibkr_trader.risk.check import CHECKS, Binds, check

EXPECTED = {
    "account": Binds.ALL,
    "armed": Binds.OPENINGS,
    "blackout": Binds.OPENINGS,
    "breaker": Binds.OPENINGS,
    "buying_power": Binds.OPENINGS,
    "closing": Binds.OPENINGS,
    "clock_skew": Binds.OPENINGS,
    "command_form": Binds.ALL,
    "correlated_exposure": Binds.OPENINGS,
    "daily_loss": Binds.OPENINGS,
    "day_trades": Binds.ALL_IF_KNOWN,
    "drawdown": Binds.OPENINGS,
    "drift": Binds.OPENINGS,
    "duplicate": Binds.OPENINGS,
    "halted": Binds.OPENINGS,
    "heat": Binds.OPENINGS,
    "instrument": Binds.OPENINGS,
    "knowledge": Binds.ALL,
    "limits_file": Binds.OPENINGS,
    "market_hours": Binds.OPENINGS,
    "market_order": Binds.OPENINGS,
    "one_side": Binds.OPENINGS,
    "open_positions": Binds.OPENINGS,
    "opposing": Binds.OPENINGS,
    "order_efficiency": Binds.OPENINGS,
    "order_exposure": Binds.OPENINGS,
    "order_form": Binds.ALL,
    "order_quantity": Binds.OPENINGS,
    "order_rate": Binds.OPENINGS,
    "position_size": Binds.OPENINGS,
    "price_collar": Binds.ALL_IF_KNOWN,
    "protective_plan": Binds.OPENINGS,
    "quote_fresh": Binds.OPENINGS,
    "quote_sane": Binds.OPENINGS,
    "reduce_only": Binds.OPENINGS,
    "released": Binds.OPENINGS,
    "risk_per_trade": Binds.OPENINGS,
    "short_sales": Binds.OPENINGS,
    "stop_out": Binds.OPENINGS,
    "sector_exposure": Binds.OPENINGS,
    "stop_side": Binds.ALL_IF_KNOWN,
    "strategy_envelope": Binds.OPENINGS,
    "strategy_owner": Binds.OPENINGS,
    "tick": Binds.ALL_IF_KNOWN,
    "trading_state": Binds.OPENINGS,
    "working_orders": Binds.OPENINGS,
    "worst_case_exposure": Binds.OPENINGS,
}


def test_every_check_is_found_and_binds_whom_it_should() -> None:
    assert {name: one.binds for name, one in CHECKS.items()} == EXPECTED


def test_each_file_registers_the_check_it_is_named_after() -> None:
    assert {name: one.run.__module__.rpartition(".")[2] for name, one in CHECKS.items()} == {
        name: name for name in EXPECTED
    }


def test_a_name_is_given_once() -> None:
    with pytest.raises(InvariantBroken):
        check("tick")(CHECKS["tick"].run)
