"""The exchange's own books, to be read and not touched: what a judge believes."""

from decimal import Decimal

from ibkr_trader.sim.exchange import Exchange
from ibkr_trader.sim.orders import ZERO, Execution, SimOrder


class LedgerView:
    """Positions, live orders and executions as the exchange has them, all clients' together."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    def held(self, con_id: int) -> Decimal:
        """Return the signed quantity held."""
        record = self._exchange.account.positions.get(con_id)
        return record.quantity if record is not None else ZERO

    def positions(self) -> dict[int, Decimal]:
        """Return everything held, by instrument; nothing that is zero."""
        held = self._exchange.account.positions
        return {con_id: record.quantity for con_id, record in held.items() if record.quantity}

    def live(self, con_id: int | None = None) -> tuple[SimOrder, ...]:
        """Return the orders that may still trade, sleeping ones too, oldest first."""
        working = self._exchange.orders.working()
        return tuple(order for order in working if con_id in {None, order.terms.con_id})

    def called(self, order_ref: str) -> tuple[SimOrder, ...]:
        """Return every order of that `orderRef`, live or closed today: one, if all is well."""
        register = self._exchange.orders
        known = (*register.working(), *register.completed())
        return tuple(order for order in known if order.terms.order_ref == order_ref)

    def executions(self, con_id: int | None = None) -> tuple[Execution, ...]:
        """Return today's executions, oldest first."""
        found = self._exchange.orders.executions()
        return tuple(one for one in found if con_id in {None, one.con_id})
