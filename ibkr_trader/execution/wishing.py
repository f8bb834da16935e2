"""From a wish to what came of it: each is carried out by the verbs that people use, too.

Nothing here is a second way to the broker: an entry is a bracket that is prepared and placed, an
exit a closing on record, a moved stop a modification, and the guard sees every one of them.
What is so already is left alone; what is denied, refused or unknown is an outcome and no error.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, assert_never

import msgspec

from ibkr_trader.core import events as ev
from ibkr_trader.core.commands import ModifyOrder
from ibkr_trader.core.enums import OrderType, Outcome, Side
from ibkr_trader.core.errors import OutcomeUnknown, RiskCheckError, TraderError
from ibkr_trader.core.ids import short_id
from ibkr_trader.core.models import ZERO, OrderId, OrderRequest
from ibkr_trader.core.text import price, quantity
from ibkr_trader.core.ticks import round_protective_stop
from ibkr_trader.execution.closing import StillClosing, close_contract
from ibkr_trader.execution.desk import modify
from ibkr_trader.execution.placing import QUOTE_TIMEOUT, Wait, place, prepare
from ibkr_trader.execution.scaling import add, prepare_addition
from ibkr_trader.execution.sizing import size
from ibkr_trader.execution.stop_trails import CannotTrail
from ibkr_trader.orders.bracket_orders import BracketOrderRequest
from ibkr_trader.orders.linked_orders import ScaleInRequest, equal_parts
from ibkr_trader.orders.managed_trails import banded
from ibkr_trader.portfolio.caring import leave_it
from ibkr_trader.portfolio.contexts import context, left_by_others
from ibkr_trader.portfolio.ledger_fold import quantity_of
from ibkr_trader.risk.sizing import CannotSize
from ibkr_trader.rules import wishes

if TYPE_CHECKING:
    from datetime import datetime

    from ibkr_trader.core.models import Contract, ContractDetails, Order
    from ibkr_trader.execution.trader import Trader
    from ibkr_trader.rules.wishes import Wish


class Came(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a wish, with its reasons and the orders that it touched."""

    outcome: Outcome
    reasons: tuple[str, ...] = ()
    order_ids: tuple[OrderId, ...] = ()


class Wishing:
    """Carries out the wishes of one decision.

    Args:
        trader: In sync with the broker.
        origin: Who wishes: it stands on every order.
        cause: The decision's id: the orders' correlation id.
        timeout: Seconds to wait for the broker at each step.
        valid_until: Nothing is opened for it after that moment: its signal is too old then.
    """

    def __init__(
        self,
        trader: Trader,
        *,
        origin: str,
        cause: str,
        timeout: float,
        valid_until: datetime | None = None,
    ) -> None:
        self._trader = trader
        self._origin = origin
        self._cause = cause
        self._timeout = timeout
        self._valid_until = valid_until
        self._touched: list[OrderId] = []  # by what was done before something went wrong

    async def carry_out(self, wish: Wish) -> Came:
        """Do what is wished and return what came of it; nothing of the broker's is raised.

        What was done before it came to nothing is told, too: its orders are in the answer.
        """
        try:
            came = await self._do(wish)
        except RiskCheckError as denied:
            reasons = tuple(breach.message for breach in denied.breaches) or (denied.message,)
            came = Came(outcome=Outcome.REFUSED, reasons=reasons)
        except (CannotSize, CannotTrail) as error:
            came = Came(outcome=Outcome.REFUSED, reasons=(error.message,))
        except OutcomeUnknown as error:
            came = Came(
                outcome=Outcome.UNKNOWN, reasons=(error.message,), order_ids=error.order_ids
            )
        except StillClosing as error:  # it may well be closed in a moment
            came = Came(outcome=Outcome.UNKNOWN, reasons=(error.message,))
        except TraderError as error:
            came = Came(outcome=Outcome.FAILED, reasons=(error.message,))
        except ValueError as error:  # the request contradicts itself: a stop on the wrong side
            came = Came(outcome=Outcome.REFUSED, reasons=(str(error),))
        if self._touched and came.outcome is Outcome.REFUSED:
            # Who hears "refused" believes that nothing was sent.
            done = ", ".join(short_id(one) for one in self._touched)
            came = Came(outcome=Outcome.FAILED, reasons=(*came.reasons, f"done before: {done}"))
        touched = dict.fromkeys((*self._touched, *came.order_ids))
        return msgspec.structs.replace(came, order_ids=tuple(touched))

    async def _do(self, wish: Wish) -> Came:
        match wish:
            case wishes.Enter():
                return await self._enter(wish)
            case wishes.Add():
                return await self._add(wish)
            case wishes.Exit():
                return await self._exit(wish)
            case wishes.MoveStop():
                return await self._move_stop(wish)
            case wishes.LetTrail():
                return await self._let_trail(wish)
            case wishes.Tell():
                return self._tell(wish)
            case wishes.StopTrading():
                self._trader.halter.stop(wish.reason, origin=self._origin, symbol=wish.symbol)
                return Came(outcome=Outcome.ACTED)
            case _:
                assert_never(wish)

    async def _enter(self, wish: wishes.Enter) -> Came:
        trader = self._trader
        details = await trader.learn(wish.symbol)
        con_id = details.contract.con_id
        if came := self._stands_against(wish, details.contract):
            return came
        if quantity_of(trader.portfolio, con_id):  # on the other side, and it may be reversed
            if self._is_late:
                return _late()
            closed = await self._close(details.contract)
            self._touched += _ids(closed)
            if quantity_of(trader.portfolio, con_id):
                return _refused(f"{wish.symbol} is not flat yet, so it is not entered")
        return await self._bracket(wish)

    def _stands_against(self, wish: wishes.Enter, contract: Contract) -> Came | None:
        """What keeps a position from being entered as things stand; None if nothing does."""
        trader, con_id = self._trader, contract.con_id
        if other := left_by_others(trader.portfolio, con_id):
            return _refused(f"{other[0].spec.reference} of another desk works in {wish.symbol}")
        if objection := self._objection(contract):
            return _refused(objection)
        here = context(trader.portfolio, con_id)
        held = here.held if here is not None else ZERO
        name = "long" if wish.side is Side.BUY else "short"
        if held * wish.side.sign > 0:
            return _nothing(f"{wish.symbol} is held {name} already: {quantity(held, signed=True)}")
        if here is not None and here.entries:
            entry = short_id(here.entries[0].order_id)
            return _nothing(f"an entry of {wish.symbol} works already: {entry}")
        if con_id in trader.portfolio.closings:
            return _refused(f"{wish.symbol} is on its way to flat")
        if held and not wish.reverses:
            return _refused(
                f"{quantity(held, signed=True)} {wish.symbol} are held on the other side; "
                'a signal never flips a position (reversal = "close_first" closes it first)'
            )
        return None

    async def _bracket(self, wish: wishes.Enter) -> Came:
        entry = OrderRequest(
            symbol=wish.symbol,
            quantity=Decimal(1),
            side=wish.side,
            order_type=OrderType.MARKET if wish.limit is None else OrderType.LIMIT,
            limit_price=wish.limit,
        )
        stop = _exit_order(entry, OrderType.STOP, stop_price=wish.stop) if wish.stop else None
        found = await size(self._trader, wish.size, entry, stop=stop)
        level = wish.stop if wish.stop is not None else found.stop
        if level is None:
            return _refused("neither the rule nor its size says where the stop belongs")
        request = _bracket_request(entry, wish, number=found.quantity, stop=level)
        prepared = await prepare(self._trader, request)
        command = msgspec.structs.replace(
            prepared.command, origin=self._origin, correlation_id=self._cause
        )
        if self._is_late:
            return _late()
        placed = await place(
            self._trader,
            prepared._replace(command=command),
            wait=Wait.ACCEPTED,
            timeout=self._timeout,
        )
        reasons = (f"size {quantity(found.quantity)}: {'; '.join(found.reasons)}",)
        return Came(outcome=Outcome.ACTED, reasons=reasons, order_ids=_ids(placed))

    async def _add(self, wish: wishes.Add) -> Came:
        request = ScaleInRequest(symbol=wish.symbol, quantity=wish.quantity, limit_price=wish.limit)
        details = await self._trader.learn(wish.symbol)
        if objection := self._objection(details.contract):
            return _refused(objection)
        addition = await prepare_addition(self._trader, request)
        command = msgspec.structs.replace(
            addition.command, origin=self._origin, correlation_id=self._cause
        )
        if self._is_late:
            return _late()
        orders = await add(
            self._trader,
            addition._replace(command=command),
            wait=Wait.ACCEPTED,
            timeout=self._timeout,
        )
        return Came(outcome=Outcome.ACTED, order_ids=_ids(orders))

    def _objection(self, contract: Contract) -> str:
        """Why what goes on in a contract is not its business; empty if it is."""
        released = leave_it(self._trader.portfolio, contract)
        return released or self._trader.outlook.strategies.objection(contract, self._origin)

    @property
    def _is_late(self) -> bool:
        until = self._valid_until
        return until is not None and self._trader.clock.now() > until

    async def _exit(self, wish: wishes.Exit) -> Came:
        details = await self._trader.learn(wish.symbol)
        if objection := self._objection(details.contract):
            return _refused(objection)
        held = quantity_of(self._trader.portfolio, details.contract.con_id)
        here = context(self._trader.portfolio, details.contract.con_id)
        side = here.side if here is not None else None
        if wish.only is not None and side is wish.only.opposite:
            what = quantity(held, signed=True) if held else "an entry on the other side"
            return _nothing(f"{what} {wish.symbol}: that is not meant")
        orders = await self._close(details.contract)
        if not orders and not held:
            return _nothing(f"{wish.symbol} is flat already")
        return Came(outcome=Outcome.ACTED, order_ids=_ids(orders))

    async def _close(self, contract: Contract) -> tuple[Order, ...]:
        return await close_contract(
            self._trader, contract, timeout=self._timeout, origin=self._origin, cause=self._cause
        )

    async def _move_stop(self, wish: wishes.MoveStop) -> Came:
        details, stops = await self._stops(wish.symbol)
        for order in stops:
            level = round_protective_stop(wish.level, order.spec.side, details.bands)
            stands = order.spec.stop_price
            if stands is not None and (level - stands) * order.spec.side.sign >= 0:
                continue  # there, or nearer already
            command = ModifyOrder(
                order_id=order.order_id,
                stop_price=level,
                origin=self._origin,
                correlation_id=self._cause,
                is_cosmetic=True,
            )
            await modify(self._trader, command, timeout=self._timeout)
            self._touched.append(order.order_id)
        if not self._touched:
            return _nothing(f"no stop of {wish.symbol} is further away than {price(wish.level)}")
        return Came(outcome=Outcome.ACTED)

    async def _let_trail(self, wish: wishes.LetTrail) -> Came:
        details, stops = await self._stops(wish.symbol)
        trails = self._trader.trails
        waiting = [order for order in stops if trails.plan(order.order_id) is None]
        if stops and not waiting:
            return _nothing(f"the stop of {wish.symbol} trails already")
        trail = msgspec.structs.replace(wish.trail, bands=banded(details.bands))
        for order in waiting:
            trails.let(order, trail, origin=self._origin)
        return Came(outcome=Outcome.ACTED, order_ids=_ids(waiting))

    def _tell(self, wish: wishes.Tell) -> Came:
        trader = self._trader
        trader.record.write(
            [
                ev.NoticeEvent(
                    at=trader.clock.now(),
                    origin=self._origin,
                    message=wish.message,
                    is_serious=wish.is_serious,
                )
            ]
        )
        return Came(outcome=Outcome.ACTED)

    async def _stops(self, symbol: str) -> tuple[ContractDetails, list[Order]]:
        """The contract with the plain stops of ours that end what is held of it.

        Raises:
            RiskCheckError: If it is not its own.
            CannotTrail: If nothing is held, or no such stop works.
        """
        details = await self._trader.learn(symbol)
        await self._trader.study(details.contract, timeout=QUOTE_TIMEOUT, opens=False)
        if objection := self._objection(details.contract):
            raise RiskCheckError(objection)
        here = context(self._trader.portfolio, details.contract.con_id)
        if here is None or not here.held:
            raise CannotTrail(f"nothing is held in {symbol}")
        stops = [order for order in here.exits if order.spec.order_type is OrderType.STOP]
        if not stops:
            raise CannotTrail(f"no plain stop of ours protects {symbol}")
        return details, stops


def _bracket_request(
    entry: OrderRequest, wish: wishes.Enter, *, number: Decimal, stop: Decimal
) -> BracketOrderRequest:
    """The bracket of `number`: each target takes an equal part."""
    parts = equal_parts(number, len(wish.targets))
    parent = msgspec.structs.replace(entry, quantity=number)
    targets = tuple(
        msgspec.structs.replace(
            _exit_order(parent, OrderType.LIMIT, limit_price=level), quantity=share
        )
        for level, share in zip(wish.targets, parts, strict=False)
    )
    return BracketOrderRequest(
        parent=parent,
        stop_loss=_exit_order(parent, OrderType.STOP, stop_price=stop),
        take_profit=targets,
        exit_time_in_force=wish.exit_tif,
    )


def _exit_order(entry: OrderRequest, kind: OrderType, **prices: Decimal | None) -> OrderRequest:
    return OrderRequest(
        symbol=entry.symbol,
        quantity=entry.quantity,
        side=entry.side.opposite,
        order_type=kind,
        limit_price=prices.get("limit_price"),
        stop_price=prices.get("stop_price"),
    )


def _ids(orders: tuple[Order, ...] | list[Order]) -> tuple[OrderId, ...]:
    return tuple(order.order_id for order in orders)


def _nothing(reason: str) -> Came:
    return Came(outcome=Outcome.NOTHING, reasons=(reason,))


def _refused(reason: str) -> Came:
    return Came(outcome=Outcome.REFUSED, reasons=(reason,))


def _late() -> Came:
    return _refused("its signal has grown too old while the broker was asked")
