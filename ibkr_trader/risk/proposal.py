"""What a command would change, worked out once, so that every check judges the same thing.

Whether an order opens or only lowers risk is found here and nowhere else, by the worst
case: with the order added to all that is live, in flight or unknown, could the position
end further from flat? A claim (`reduces=True`, the role of an exit) proves nothing.

Where the broker states another position than our books, whichever leaves less to close
counts: what it has sold already, of which the execution is late, is not there to be sold.
Closing orders go by our books: who closes has waited for the broker to explain itself, and
must get out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING

import msgspec

from ibkr_trader.core.commands import ModifyOrder, SubmitOrders
from ibkr_trader.core.enums import OrderRole, Side
from ibkr_trader.core.errors import InvariantBroken
from ibkr_trader.core.models import Contract, Order, OrderSpec
from ibkr_trader.core.shapes import PRICES, STOP_TYPES, TOUCHED_TYPES
from ibkr_trader.portfolio.contract_exposure import ContractExposure, Working, restated
from ibkr_trader.portfolio.ledger_fold import stated_apart

if TYPE_CHECKING:
    from ibkr_trader.risk.view import RiskView


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One order as the command would make it.

    Attributes:
        spec: The order's terms to be.
        before: The working order that a modification changes; None for a new order.
        opens: It could lead further from flat, or an order that can is made keener to trade.
        widens: A protective stop is moved away from the market: not opening, not lowering
            risk either.
    """

    spec: OrderSpec
    before: Order | None = None
    opens: bool = False
    widens: bool = False

    @property
    def is_buy(self) -> bool:
        """Whether the order buys."""
        return self.spec.side is Side.BUY


class Proposal(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """A command against a view.

    Attributes:
        changes: One for each order; none if a modification names no working order.
        before, after: The exposure of each contract concerned, by con_id.
        stated: What the broker says is held, by con_id, where our books say otherwise.
    """

    command: SubmitOrders | ModifyOrder
    changes: tuple[Change, ...]
    before: Mapping[int, ContractExposure]
    after: Mapping[int, ContractExposure]
    stated: Mapping[int, Decimal] = MappingProxyType({})

    @property
    def is_new(self) -> bool:
        """Whether new orders are to go out, rather than a change to an old one."""
        return isinstance(self.command, SubmitOrders)

    @cached_property
    def openings(self) -> tuple[Change, ...]:
        """The changes that could lead further from flat."""
        return tuple(change for change in self.changes if change.opens)

    @cached_property
    def opened(self) -> tuple[Contract, ...]:
        """The contracts that could end further from flat, each once."""
        return tuple({c.spec.contract.con_id: c.spec.contract for c in self.openings}.values())

    @cached_property
    def reduces(self) -> bool:
        """Whether the command can only lower risk, or leave it as it is."""
        return not any(change.opens or change.widens for change in self.changes)

    def least(self, change: Change) -> tuple[ContractExposure, ContractExposure]:
        """Return its contract's exposure before and after, by whoever leaves less to close."""
        con_id, sign = change.spec.contract.con_id, change.spec.side.sign
        ours = self.before[con_id], self.after[con_id]
        stated = _heeded(change.spec, self.stated)
        if stated is None or stated * sign <= ours[0].held * sign:
            return ours
        return restated(ours[0], stated), restated(ours[1], stated)

    def entry_of(self, change: Change) -> Change | None:
        """Return the order of this command that `change` is an exit of, if there is one."""
        parent = change.spec.parent_id
        if parent is None:
            return None
        return next((other for other in self.changes if other.spec.order_id == parent), None)


def propose(command: SubmitOrders | ModifyOrder, view: RiskView) -> Proposal:
    """Work out what `command` would change in the world of `view`.

    Raises:
        InvariantBroken: If the exposure is that of another portfolio.
    """
    if not view.exposure.is_of(view.portfolio):
        raise InvariantBroken("the exposure is not of the portfolio at hand")
    if isinstance(command, SubmitOrders):
        return _propose_new(command, view)
    order = view.portfolio.orders.get(command.order_id)
    if order is None:
        return Proposal(command=command, changes=(), before={}, after={})
    return _propose_change(command, order, view)


def changed_spec(order: Order, command: ModifyOrder) -> OrderSpec:
    """Return the terms that `order` would have; what the command leaves None stays.

    A change still under way is built upon, so that a second one does not undo it.
    """
    wanted = {
        name: value
        for name in ("quantity", *PRICES)
        if (value := getattr(command, name)) is not None
    }
    return msgspec.structs.replace(order.desired or order.spec, **wanted)


def _propose_new(command: SubmitOrders, view: RiskView) -> Proposal:
    before: dict[int, ContractExposure] = {}
    after: dict[int, ContractExposure] = {}
    changes: list[Change] = []
    apart = _apart(command.orders, view)
    for spec in command.orders:
        con_id = spec.contract.con_id
        if con_id not in after:
            before[con_id] = after[con_id] = view.exposure.contract(spec.contract)
        if not _is_countable(spec.quantity):
            changes.append(Change(spec=spec, opens=True))
            continue
        # Each order is judged on top of those before it: an exit follows its entry.
        grown = after[con_id].replacing([Working.of_spec(spec)])
        opens = grown.extends(after[con_id]) or grown.opens_alone(spec.order_id)
        # An entry against what is held only reduces it; but it brings exits, and those do not.
        opens |= spec.role is OrderRole.ENTRY and before[con_id].held * spec.side.sign < 0
        if (stated := _heeded(spec, apart)) is not None:
            there = restated(grown, stated)
            opens |= there.extends(restated(after[con_id], stated))
            opens |= there.opens_alone(spec.order_id)
        changes.append(Change(spec=spec, opens=opens))
        after[con_id] = grown
    return Proposal(
        command=command, changes=tuple(changes), before=before, after=after, stated=apart
    )


def _propose_change(command: ModifyOrder, order: Order, view: RiskView) -> Proposal:
    spec = changed_spec(order, command)
    con_id = spec.contract.con_id
    here = view.exposure.contract(spec.contract)
    if not _is_countable(spec.quantity):
        change = Change(spec=spec, before=order, opens=True)
        return Proposal(
            command=command, changes=(change,), before={con_id: here}, after={con_id: here}
        )
    # Until the broker confirms, either terms may fill: the larger quantity counts.
    grown = here.replacing(
        [Working.of_order(msgspec.structs.replace(order, desired=_larger(order, spec)))]
    )
    old, is_opener = order.desired or order.spec, grown.is_opener(order.order_id)
    opens = grown.extends(here) or (is_opener and _is_keener(old, spec))
    widens = not is_opener and _widens(old, spec)
    apart = _apart((spec,), view)
    if (stated := _heeded(spec, apart)) is not None:  # its price may follow the market
        opens |= restated(grown, stated).extends(restated(here, stated))
    change = Change(spec=spec, before=order, opens=opens, widens=widens)
    return Proposal(
        command=command,
        changes=(change,),
        before={con_id: here},
        after={con_id: grown},
        stated=apart,
    )


def _apart(specs: Iterable[OrderSpec], view: RiskView) -> dict[int, Decimal]:
    """What the broker says is held, by con_id, where our books say otherwise."""
    contracts = {spec.contract.con_id: spec.contract for spec in specs}
    found = ((con_id, stated_apart(view.portfolio, one)) for con_id, one in contracts.items())
    return {con_id: held for con_id, held in found if held is not None}


def _heeded(spec: OrderSpec, stated: Mapping[int, Decimal]) -> Decimal | None:
    """What is held by the word that counts beside our books; a closing order heeds none."""
    return None if spec.role is OrderRole.CLOSE else stated.get(spec.contract.con_id)


def _larger(order: Order, spec: OrderSpec) -> OrderSpec:
    wanted = order.desired
    if wanted is None or wanted.quantity <= spec.quantity:
        return spec
    return msgspec.structs.replace(spec, quantity=wanted.quantity)


def _is_countable(quantity: Decimal) -> bool:
    """Whether sums with it mean anything; if not, `order_form` says so."""
    return quantity.is_finite() and quantity > 0


def _is_keener(old: OrderSpec, new: OrderSpec) -> bool:
    """Whether the order would trade sooner, for more, or pay more, than before."""
    return new.quantity > old.quantity or _moves(old, new, towards_trading=True)


def _widens(old: OrderSpec, new: OrderSpec) -> bool:
    """Whether a stop would protect later, or less surely, than before."""
    return new.order_type in STOP_TYPES and _moves(old, new, towards_trading=False)


def _moves(old: OrderSpec, new: OrderSpec, *, towards_trading: bool) -> bool:
    sign = new.side.sign if towards_trading else -new.side.sign
    # A buyer is keener at a higher limit; a stop or a trail that is nearer trades sooner.
    touched = sign if new.order_type in TOUCHED_TYPES else -sign
    trail = -1 if towards_trading else 1
    return (
        _moved(old.limit_price, new.limit_price, sign)
        or _moved(old.stop_price, new.stop_price, touched)
        or _moved(old.trail_amount, new.trail_amount, trail)
        or _moved(old.trail_percent, new.trail_percent, trail)
    )


def _moved(old: Decimal | None, new: Decimal | None, sign: int) -> bool:
    """Whether a price moved in the direction of `sign`; one that appears may have."""
    if new is None or old == new:
        return False
    return old is None or (new - old) * sign > 0
