"""Which of our orders the broker means, when our id did not come back with it.

Our id in the order's reference decides. Without it, the client and number that the order
was sent with do, then the broker's permanent id.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from ibkr_trader.core.ids import is_twin, twin_id
from ibkr_trader.portfolio.twins import apart, named

if TYPE_CHECKING:
    from ibkr_trader.core.models import Fill, Order, OrderId
    from ibkr_trader.portfolio.snapshot import BrokerSnapshot
    from ibkr_trader.portfolio.state import PortfolioState

_replace = msgspec.structs.replace


def recognized(portfolio: PortfolioState, snapshot: BrokerSnapshot) -> BrokerSnapshot:
    """Return the snapshot with our ids wherever an order is ours by another name."""
    names = _Names(portfolio)
    return _replace(
        snapshot,
        open_orders=apart(names.order(order) for order in snapshot.open_orders),
        completed_orders=tuple(names.order(order) for order in snapshot.completed_orders),
        fills=tuple(names.fill(fill) for fill in snapshot.fills),
    )


class _Names:
    """Every name that an order of ours goes by at the broker."""

    def __init__(self, portfolio: PortfolioState) -> None:
        self._portfolio = portfolio
        self._by_number: dict[tuple[int, int], OrderId] = {}
        self._by_perm_id: dict[int, OrderId] = {}
        for order in portfolio.orders.values():
            if order.is_foreign:
                continue
            if order.client_id and order.spec.broker_order_id:
                self._by_number[order.client_id, order.spec.broker_order_id] = order.order_id
            if order.perm_id:
                self._by_perm_id[order.perm_id] = order.order_id

    def order(self, theirs: Order) -> Order:
        spec = theirs.spec
        ours = self._find(
            theirs.order_id, (theirs.client_id, spec.broker_order_id), perm_id=theirs.perm_id
        )
        if ours == theirs.order_id:
            return theirs
        return _replace(theirs, spec=named(spec, ours), is_foreign=False)

    def fill(self, theirs: Fill) -> Fill:
        number = (theirs.client_id, theirs.broker_order_id)
        ours = self._find(theirs.order_id, number, perm_id=theirs.perm_id)
        return theirs if ours == theirs.order_id else _replace(theirs, order_id=ours)

    def _of_two(self, order_id: OrderId, known: Order | None, perm_id: int) -> OrderId:
        """Which of two under one name it is: for that, the permanent id decides."""
        by_perm_id = self._by_perm_id.get(perm_id)
        if by_perm_id is not None and (is_twin(order_id) or is_twin(by_perm_id)):
            return by_perm_id
        is_another = known is not None and perm_id and known.perm_id not in {0, perm_id}
        return twin_id(perm_id) if is_another else order_id

    def _find(self, order_id: OrderId, number: tuple[int, int], *, perm_id: int) -> OrderId:
        known = self._portfolio.order(order_id)
        if is_twin(order_id) or (known is not None and not known.is_foreign):
            return self._of_two(order_id, known, perm_id)
        by_number = self._by_number.get(number)
        if by_number is not None and perm_id:
            ours = self._portfolio.order(by_number)
            if ours is not None and ours.perm_id not in {0, perm_id}:
                by_number = None  # the number was given out again
        return by_number or self._by_perm_id.get(perm_id) or order_id
