"""How every strategy stands, a row for each: for whoever looks."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

from ibkr_trader.core.contracts import label
from ibkr_trader.core.enums import Stage
from ibkr_trader.risk.envelope import Envelope
from ibkr_trader.risk.traffic import ratio

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ibkr_trader.portfolio.strategy_accounts import StrategyAccounts
    from ibkr_trader.risk.view import RiskView


class StrategyRow(msgspec.Struct, frozen=True, kw_only=True):
    """One strategy as of one moment; the last row, with an empty name, is what is nobody's.

    Attributes:
        stage: How far it may go; None if nobody has said.
        envelope: Its limits; None if it does not trade.
        positions: What is its own, held or about to be.
        capital: What that is worth at its worst; None if nobody knows.
        day_pnl: Its day, open gains and costs included; None if some part is unknown.
        entries: How many it has sent today.
        messages: How many its orders have cost today.
        efficiency: Messages for each order that traded, as the broker counts; None without any.
    """

    name: str
    stage: Stage | None = None
    envelope: Envelope | None = None
    positions: tuple[str, ...] = ()
    capital: Decimal | None = None
    day_pnl: Decimal | None = None
    entries: int = 0
    messages: int = 0
    efficiency: Decimal | None = None


def strategy_rows(view: RiskView, stages: Mapping[str, Stage]) -> tuple[StrategyRow, ...]:
    """Return a row for each strategy that is known or owns something, by name; then nobody's.

    Args:
        view: The present.
        stages: How far each strategy may go.
    """
    accounts = view.strategy_accounts()
    names = {*stages, *view.envelopes, *accounts.names()} - {""}
    return tuple(_row(name, accounts, view=view, stages=stages) for name in (*sorted(names), ""))


def _row(
    name: str, accounts: StrategyAccounts, *, view: RiskView, stages: Mapping[str, Stage]
) -> StrategyRow:
    account = accounts.account(name)
    traffic = account.day.traffic
    return StrategyRow(
        name=name,
        stage=stages.get(name),
        envelope=view.envelopes.get(name),
        positions=tuple(sorted(label(accounts.contract(one)) for one in account.positions)),
        capital=account.capital,
        day_pnl=account.net,
        entries=account.day.entries,
        messages=traffic.messages,
        efficiency=ratio(traffic) if traffic.messages else None,
    )
