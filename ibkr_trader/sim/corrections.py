"""Executions that turn out to have been different, or never to have been."""

from decimal import Decimal

import msgspec

from ibkr_trader.sim.events import (
    AccountChanged,
    CommissionPosted,
    Executed,
    PositionChanged,
    StatusShown,
)
from ibkr_trader.sim.orders import ZERO, Execution, OrderKey, SimOrder
from ibkr_trader.sim.pit import Pit

replace = msgspec.structs.replace


def latest(pit: Pit, exec_id: str) -> Execution | None:
    """Return the latest revision of an execution of today, named by any of its revisions."""
    family = exec_id.rpartition(".")[0]
    found = [e for e in pit.ledger.executions if e.exec_id.rpartition(".")[0] == family]
    return found[-1] if found else None


def correct(pit: Pit, old: Execution, *, shares: Decimal, price: Decimal, fee: Decimal) -> None:
    """Replace an execution by its next revision: the account has it as if it had been so.

    The order keeps its status: TWS neither opens it again nor resizes what hangs on it. Both
    revisions stay in the day's executions, and the one with the higher number holds.

    Args:
        pit: The exchange.
        old: The latest revision.
        shares: What was traded; 0 is a bust.
        price: At what price.
        fee: Its commission.
    """
    realized = _rebook(pit, old, shares=shares, price=price, fee=fee)
    order = pit.ledger.orders[OrderKey(old.client_id, old.order_id)]
    more = shares - old.shares
    order = replace(
        order,
        filled=order.filled + more,
        oca_told=order.oca_told + more,
        filled_value=order.filled_value + shares * price - old.shares * old.price,
        commission=order.commission + fee - old.commission,
        realized_pnl=order.realized_pnl + realized,
    )
    pit.put(order)
    execution = _revised(pit, old, order, shares=shares, price=price, fee=fee)
    if old.realized_pnl is not None or realized:
        total = (old.realized_pnl or ZERO) + realized
        execution = replace(execution, realized_pnl=total)
    pit.ledger.record(execution)
    pit.out.append(Executed(at=pit.now, order=order, execution=execution))
    pit.out.append(StatusShown(at=pit.now, order=order))
    pit.out.append(CommissionPosted(at=pit.now, execution=execution))
    position = pit.account.positions.get(old.con_id)
    if position is not None:
        pit.dirty_positions.add(old.con_id)
        pit.out.append(PositionChanged(at=pit.now, position=position))
    pit.dirty_account = True
    cash = pit.account.state.cash.get(pit.config.currency, ZERO)
    pit.out.append(AccountChanged(at=pit.now, cash=cash))


def _rebook(pit: Pit, old: Execution, *, shares: Decimal, price: Decimal, fee: Decimal) -> Decimal:
    """Take the old trade back, book the new one, and return what the two realized."""
    instrument, account = pit.universe[old.con_id], pit.account
    effects = []
    if old.shares:
        undone = account.apply(
            instrument,
            side=old.side.opposite,
            quantity=old.shares,
            price=old.price,
            fee=-old.commission,
        )
        effects.append(undone)
    if shares:
        effects.append(
            account.apply(instrument, side=old.side, quantity=shares, price=price, fee=fee)
        )
    return sum((effect.realized_pnl or ZERO for effect in effects), ZERO)


def _revised(
    pit: Pit, old: Execution, order: SimOrder, *, shares: Decimal, price: Decimal, fee: Decimal
) -> Execution:
    family, _, revision = old.exec_id.rpartition(".")
    return replace(
        old,
        exec_id=f"{family}.{int(revision) + 1:02d}",
        at=pit.now,
        shares=shares,
        price=price,
        cum_quantity=order.filled,
        average_price=order.average_price,
        commission=fee,
    )
