"""The exposure of every contract at once, carried from one portfolio to the next.

A review must not cost more because the desk has been busy: of two portfolios in a row
only the contracts with news are summed again.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol

import msgspec

from ibkr_trader.core.models import ZERO, OrderId
from ibkr_trader.portfolio.contract_exposure import ContractExposure, Working

if TYPE_CHECKING:
    from ibkr_trader.core.models import Contract, Order, Position


class Holdings(Protocol):
    """What an index is made from: a `PortfolioState`, or anything with its mappings."""

    @property
    def orders(self) -> Mapping[OrderId, Order]:
        """The live orders."""

    @property
    def unheard(self) -> Mapping[OrderId, Order]:
        """Orders that the broker calls filled for more than is in the positions."""

    @property
    def positions(self) -> Mapping[int, Position]:
        """What is held, by con_id."""


class ExposureIndex(msgspec.Struct, frozen=True, kw_only=True):
    """Every contract's exposure, kept from one portfolio to the next.

    Attributes:
        contracts: By con_id; a contract with nothing held and nothing working is absent.
        gross, tied: `value` and `tied` added, of the contracts where they are known.
        unpriced: Those where they are not: market orders in flight, nothing held.
        working: How many orders work in all.
        orders: Those it is made of: the live ones, and what is still to be heard of the others.
        live, unheard, positions: The portfolio's.
    """

    contracts: Mapping[int, ContractExposure] = MappingProxyType({})
    gross: Decimal = ZERO
    tied: Decimal = ZERO
    unpriced: frozenset[int] = frozenset()
    working: int = 0
    orders: Mapping[OrderId, Order] = MappingProxyType({})
    live: Mapping[OrderId, Order] = MappingProxyType({})
    unheard: Mapping[OrderId, Order] = MappingProxyType({})
    positions: Mapping[int, Position] = MappingProxyType({})

    @classmethod
    def of(cls, portfolio: Holdings) -> ExposureIndex:
        """Return the index of a portfolio, from nothing."""
        return cls().follow(portfolio)

    def is_of(self, portfolio: Holdings) -> bool:
        """Whether this is the index of exactly this portfolio."""
        return (
            self.live is portfolio.orders
            and self.unheard is portfolio.unheard
            and self.positions is portfolio.positions
        )

    def contract(self, contract: Contract) -> ContractExposure:
        """Return the exposure of one contract, flat if nothing of it is held or works."""
        known = self.contracts.get(contract.con_id)
        if known is not None:
            return known
        return ContractExposure(con_id=contract.con_id, multiplier=contract.multiplier)

    def follow(self, portfolio: Holdings) -> ExposureIndex:
        """Return the index of a later portfolio; only contracts with news are summed again.

        Orders and positions are frozen, so one that is the same object is unchanged.
        """
        if self.is_of(portfolio):
            return self
        orders, positions = portfolio.orders, portfolio.positions
        if portfolio.unheard:
            orders = {**orders, **portfolio.unheard}
        news = [order for key, order in orders.items() if self.orders.get(key) is not order]
        gone = [self.orders[key] for key in self.orders.keys() - orders.keys()]
        gone += [self.orders[key] for key in _renamed(self.orders, news)]
        contracts = {**self.contracts}
        for con_id, changed in _by_contract(news, gone, self._moved(positions)).items():
            exposure = ContractExposure.of(
                con_id, positions.get(con_id), _next_working(contracts.get(con_id), changed)
            )
            if exposure.working or exposure.held:
                contracts[con_id] = exposure
            else:
                contracts.pop(con_id, None)
        return _index(contracts, portfolio, orders=orders)

    def _moved(self, positions: Mapping[int, Position]) -> set[int]:
        gone = self.positions.keys() - positions.keys()
        return gone | {
            con_id
            for con_id, position in positions.items()
            if self.positions.get(con_id) is not position
        }


def _renamed(before: Mapping[OrderId, Order], news: list[Order]) -> list[OrderId]:
    """The orders whose contract has meanwhile been resolved to another con_id."""
    return [
        order.order_id
        for order in news
        if (old := before.get(order.order_id)) is not None
        and old.spec.contract.con_id != order.spec.contract.con_id
    ]


def _by_contract(
    news: list[Order], gone: list[Order], moved: set[int]
) -> dict[int, dict[OrderId, Order | None]]:
    """What became of which order (None: it no longer works), by contract."""
    changed: dict[int, dict[OrderId, Order | None]] = {con_id: {} for con_id in moved}
    for order in gone:
        changed.setdefault(order.spec.contract.con_id, {})[order.order_id] = None
    for order in news:
        changed.setdefault(order.spec.contract.con_id, {})[order.order_id] = order
    return changed


def _next_working(
    before: ContractExposure | None, changed: Mapping[OrderId, Order | None]
) -> tuple[Working, ...]:
    kept = [] if before is None else [o for o in before.working if o.order_id not in changed]
    fresh = (Working.of_order(order) for order in changed.values() if order is not None)
    return (*kept, *(working for working in fresh if working.signed))


def _index(
    contracts: Mapping[int, ContractExposure],
    portfolio: Holdings,
    *,
    orders: Mapping[OrderId, Order],
) -> ExposureIndex:
    return ExposureIndex(
        contracts=contracts,
        gross=sum((one.value for one in contracts.values() if one.value is not None), ZERO),
        tied=sum((one.tied for one in contracts.values() if one.tied is not None), ZERO),
        unpriced=frozenset(one.con_id for one in contracts.values() if one.value is None),
        working=sum(len(one.working) for one in contracts.values()),
        orders=orders,
        live=portfolio.orders,
        unheard=portfolio.unheard,
        positions=portfolio.positions,
    )
