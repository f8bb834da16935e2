"""Composes what rules look at, from the picture as it now stands.

It asks nobody and waits for nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibkr_trader.core.events import FlowThresholdEvent, PredictionSignalEvent
from ibkr_trader.core.trading_day import session_from
from ibkr_trader.portfolio.caring import is_released
from ibkr_trader.portfolio.contexts import context
from ibkr_trader.portfolio.protection import protection
from ibkr_trader.rules.moment import Account, Holding, Moment, Trigger

if TYPE_CHECKING:
    from collections.abc import Callable

    from ibkr_trader.core.models import ContractDetails
    from ibkr_trader.execution.trader import Trader
    from ibkr_trader.rules.study import Study
    from ibkr_trader.rules.taken import Taken


class Moments:
    """Makes the moments of one trader.

    Args:
        trader: Whose picture it is.
        owner: Says which strategy opened what is held of a contract; empty if none did.
    """

    def __init__(self, trader: Trader, *, owner: Callable[[int], str] = lambda _: "") -> None:
        self._trader = trader
        self._owner = owner

    def at(
        self,
        details: ContractDetails,
        trigger: Trigger,
        *,
        study: Study | None = None,
        news: Taken | None = None,
    ) -> Moment:
        """Return the moment of a contract, as of now."""
        trader, contract = self._trader, details.contract
        outlook, now = trader.outlook, trader.clock.now()
        is_live = outlook.is_synced
        sessions = sorted(details.liquid_sessions, key=lambda one: one.opens)
        return Moment(
            now=now,
            symbol=contract.symbol,
            trigger=trigger,
            zone=outlook.zone,
            signal=news if isinstance(news, PredictionSignalEvent) else None,
            flow=news if isinstance(news, FlowThresholdEvent) else None,
            # A price from before the link broke off says nothing of now.
            quote=trader.market.last_quote(contract.con_id) if is_live else None,
            holding=self._holding(contract.con_id, is_known=is_live),
            account=self._account() if is_live else Account(),
            state=outlook.trading_state,
            session=session_from(sessions, now),
            study=study,
        )

    def _holding(self, con_id: int, *, is_known: bool) -> Holding:
        portfolio = self._trader.portfolio
        position, here = portfolio.positions.get(con_id), context(portfolio, con_id)
        guarded = None
        if position is not None:
            guarded = protection(position, portfolio.orders.values())
        return Holding(
            position=position,
            book=portfolio.books.get(con_id),
            is_known=is_known,
            stop=guarded.stop if guarded is not None else None,
            r=guarded.r if guarded is not None else None,
            is_entering=here is not None and bool(here.entries),
            is_leaving=con_id in portfolio.closings or is_released(portfolio, con_id),
            owner=self._owner(con_id),
        )

    def _account(self) -> Account:
        portfolio = self._trader.portfolio
        values = portfolio.values
        return Account(
            equity=values.net_liquidation if values is not None else None,
            available=values.available_funds if values is not None else None,
            day_pnl=self._trader.outlook.pnl.net,
            positions=len(portfolio.positions),
        )
