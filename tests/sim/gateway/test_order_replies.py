"""Executions, contracts and positions, as ib_insync's own decoder reads them."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from ibkr_trader.sim.gateway import account_replies as account
from ibkr_trader.sim.gateway import contract_replies as contracts
from ibkr_trader.sim.gateway import history_replies as history
from ibkr_trader.sim.gateway import order_replies as orders
from ibkr_trader.sim.gateway.contracts import WireContract
from ibkr_trader.sim.gateway.replies import fields_of
from tests.sim.gateway.samples import hear

VERSIONS = [157, 163, 164, 170, 176]
AAPL = WireContract(
    con_id=265598,
    symbol="AAPL",
    sec_type="STK",
    exchange="SMART",
    primary_exchange="NASDAQ",
    currency="USD",
    local_symbol="AAPL",
    trading_class="NMS",
)
D = Decimal
BAR = history.HistoricalBar(
    date="20261120",
    open=D("150"),
    high=D("151.5"),
    low=D("149.25"),
    close=D("150.75"),
    volume=D("100000"),
    average=D("150.5"),
    count=42,
)


def heard(reply: msgspec.Struct, version: int) -> list[tuple[str, tuple[Any, ...]]]:
    return hear(fields_of(reply, version), version).calls


@pytest.mark.parametrize("version", VERSIONS)
def test_an_execution_and_its_commission(version: int) -> None:
    reply = orders.ExecDetails(
        req_id=-1,
        order_id=5,
        contract=AAPL,
        exec_id="00000001.00000002.01.01",
        at=datetime(2026, 11, 20, 15, 0, 1, tzinfo=UTC),
        account="SIM0000001",
        exchange="NASDAQ",
        side="BOT",
        shares=D(10),
        price=D("150.01"),
        perm_id=99,
        client_id=1,
        cum_quantity=D(10),
        avg_price=D("150.01"),
        order_ref="ref",
    )
    [(method, (req_id, contract, execution))] = heard(reply, version)
    assert method == "execDetails"
    assert req_id == -1
    assert contract.conId == 265598
    assert execution.execId == "00000001.00000002.01.01"
    assert (execution.shares, execution.price, execution.side) == (10.0, 150.01, "BOT")
    assert (execution.orderRef, execution.permId, execution.clientId) == ("ref", 99, 1)
    if version >= 174:
        assert execution.time == reply.at
    opening = orders.CommissionReport(exec_id="x", commission=D("1.00"), currency="USD")
    [(_, (report,))] = heard(opening, version)
    assert report.commission == 1.0
    assert report.realizedPNL == float("1.7976931348623157e308")


@pytest.mark.parametrize("version", VERSIONS)
def test_contract_details(version: int) -> None:
    reply = contracts.ContractDetailsReply(
        req_id=9,
        contract=AAPL,
        market_name="NMS",
        order_types="LMT,MKT",
        valid_exchanges="SMART,NASDAQ",
        long_name="APPLE\\INC é",
        contract_month="",
        trading_hours="20261120:0400-20261120:2000",
        liquid_hours="20261120:0930-20261120:1600",
        sec_ids=(("ISIN", "US0378331005"),),
        market_rules="26,26",
        stock_type="COMMON",
    )
    [(_, (req_id, details))] = heard(reply, version)
    assert req_id == 9
    assert details.contract.conId == 265598
    assert details.contract.primaryExchange == "NASDAQ"
    assert details.longName == "APPLE/INC é"
    assert details.minTick == 0.01
    assert details.marketRuleIds == "26,26"
    assert details.stockType == "COMMON"
    assert details.secIdList[0].value == "US0378331005"
    assert details.timeZoneId == "US/Eastern"
    if version >= 164:
        assert (details.minSize, details.suggestedSizeIncrement) == (1.0, 100.0)


@pytest.mark.parametrize("version", VERSIONS)
def test_bond_details(version: int) -> None:
    bond = WireContract(con_id=5, symbol="T", sec_type="BOND", exchange="SMART", currency="USD")
    reply = contracts.BondDetails(
        req_id=2, contract=bond, cusip="912810", coupon=D(4), maturity="20500515"
    )
    [(method, (req_id, details))] = heard(reply, version)
    assert (method, req_id) == ("bondContractDetails", 2)
    assert (details.cusip, details.coupon, details.maturity) == ("912810", 4, "20500515")
    assert details.contract.conId == 5


@pytest.mark.parametrize("version", VERSIONS)
def test_positions_and_portfolio(version: int) -> None:
    held = account.PositionReply(account="SIM", contract=AAPL, position=D(-10), avg_cost=D("150.5"))
    [(_, args)] = heard(held, version)
    assert (args[0], args[1].conId, args[2], args[3]) == ("SIM", 265598, -10.0, 150.5)
    multi = account.PositionMulti(
        req_id=1, account="SIM", contract=AAPL, position=D(10), avg_cost=D("150.5")
    )
    [(_, args)] = heard(multi, version)
    assert (args[0], args[3].symbol, args[4]) == (1, "AAPL", 10.0)
    value = account.PortfolioValue(
        contract=AAPL,
        position=D(10),
        market_price=D("151"),
        market_value=D("1510"),
        average_cost=D("150.5"),
        unrealized_pnl=D("5"),
        realized_pnl=D(0),
        account="SIM",
    )
    [(_, args)] = heard(value, version)
    assert args[0].primaryExchange == "NASDAQ"
    assert args[1:] == (10.0, 151.0, 1510.0, 150.5, 5.0, 0.0, "SIM")
