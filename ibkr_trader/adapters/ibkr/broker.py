"""The `Broker` port over IBKR: commands out, events in, and what is true when asked.

The only module that calls `placeOrder`. An order leaves at most once: with the group it
belongs to in one turn, or, if the link is lost while it waits, not at all. What became of
it arrives as events and is never inferred from a call that returned.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from ibkr_trader.adapters.ibkr.broker_news import BrokerNews
from ibkr_trader.adapters.ibkr.connection import LinkState
from ibkr_trader.adapters.ibkr.lanes import Lane, Parcel
from ibkr_trader.adapters.ibkr.order_frames import (
    changed,
    editable,
    live_parent,
    transmits,
)
from ibkr_trader.adapters.ibkr.order_numbers import OrderNumbers
from ibkr_trader.adapters.ibkr.roster import Roster
from ibkr_trader.adapters.ibkr.snapshot import ENDS
from ibkr_trader.adapters.ibkr.translate import fill_in_order
from ibkr_trader.adapters.ibkr.translate_contracts import fill_in_contract
from ibkr_trader.adapters.ibkr.what_if import WhatIfs, fill_in_question, proven_question
from ibkr_trader.core import events as ev
from ibkr_trader.core.commands import CancelOrder, ModifyOrder, SubmitOrders
from ibkr_trader.core.errors import BrokerUnavailable
from ibkr_trader.core.ids import is_reached, is_twin
from ibkr_trader.orders.wishes import HALT

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from ibkr_trader.adapters.ibkr.connection import IBKRConnection
    from ibkr_trader.adapters.ibkr.requests import Question
    from ibkr_trader.adapters.ibkr.roster import Entry
    from ibkr_trader.core.models import Contract, OrderId, OrderSpec, WhatIf
    from ibkr_trader.execution.ports import BrokerSnapshot
    from ibkr_trader.risk.verdict import Approved

_LINKS = 3  # that a snapshot is begun on, if each is renewed while it is taken
_RETRIES = 3  # of the positions, while executions keep coming
_CLOSED = "the order is closed; nothing was sent"


def _ignore(_: str) -> None:
    return


def _no_objection(_: Contract) -> str:
    return ""


class IBKRBroker:
    """IBKR, on one connection.

    Attributes:
        objection: Asked as an order that opens leaves, however long it has waited: a reason
            (the desk was halted meanwhile) keeps it here for good.

    Args:
        connection: Shared with the market data; whoever made it opens, runs and closes it.
        install: The prefix of our order ids; an order without it is foreign.
        snapshot_timeout: How long a snapshot may take, in seconds.
        on_frame: Called with CP4 … CP7 around the frames of a group, to rehearse crashes.
    """

    def __init__(
        self,
        connection: IBKRConnection,
        *,
        install: str,
        snapshot_timeout: float = 10.0,
        on_frame: Callable[[str], None] = _ignore,
    ) -> None:
        self._connection = connection
        self._roster = Roster(install=install, client_id=connection.settings.client_id)
        self._news = BrokerNews(connection, self._roster)
        self._numbers = OrderNumbers()
        self._what_ifs = WhatIfs(
            connection,
            frame=self._what_if_frame,
            numbers=self._numbers,
            reserve=lambda: self.reserve_order_ids(1, floor=1)[0],
        )
        self._timeout = snapshot_timeout
        self._on_frame = on_frame
        self._taking = asyncio.Lock()
        self.objection: Callable[[Contract], str] = _no_objection

    @property
    def on_record(self) -> Callable[[OrderId], bool]:
        """Asked of an order that another journal placed; see the port."""
        return self._roster.on_record

    @on_record.setter
    def on_record(self, ask: Callable[[OrderId], bool]) -> None:
        self._roster.on_record = ask

    @property
    def epoch_seen(self) -> int:
        """The highest epoch that the reference of any order or execution has named so far."""
        return self._roster.epoch

    def reserve_order_ids(self, count: int, *, floor: int) -> tuple[int, ...]:
        """Return `count` fresh ascending ids: above the broker's next, `floor` and all seen.

        Raises:
            BrokerUnavailable: If there is no link, or no id is left.
        """
        session = self._connection.session
        return self._numbers.reserve(
            count, next_valid=session.next_order_id, floor=floor, seen=self._roster.highest
        )

    async def send(self, approved: Approved) -> None:
        """Hand over one command; see the port.

        Raises:
            BrokerUnavailable: If there is no link, or TWS has lost IBKR and the command
                does more than reduce risk; nothing was sent.
        """
        command = approved.command
        match command:
            case SubmitOrders():
                self._require_link(reduces=approved.reduces)
                self._submit(command, Lane.CLOSE if approved.reduces else Lane.OPEN)
            case ModifyOrder():
                self._require_link(reduces=approved.reduces)
                self._modify(command, reduces=approved.reduces)
            case CancelOrder():
                self._require_link(reduces=True)
                self._cancel(command)

    async def what_if(self, spec: OrderSpec, *, timeout: float) -> WhatIf:
        """Return what an order would do to the account; see the port.

        Raises:
            OrderRejectedError: If IBKR would refuse it.
            BrokerUnavailable: If it did not answer.
        """
        return await self._what_ifs.ask(spec, timeout=timeout)

    async def snapshot(self) -> BrokerSnapshot:
        """Return open and completed orders, today's fills, positions and cash.

        Raises:
            BrokerUnavailable: If any of them was not answered to its end.
        """
        async with self._taking:
            for _ in range(_LINKS):
                found = await self._picture()
                if found is not None:
                    return found
        raise BrokerUnavailable("the link was renewed again and again while the snapshot was taken")

    async def _picture(self) -> BrokerSnapshot | None:
        """Ask for everything once; None if IBKR's line came back meanwhile: it may lack something.

        To ask again moves nothing, and whoever wants to close should not have to.
        """
        connection = self._connection
        epoch, account = connection.epoch, connection.account
        library = connection.library
        with self._news.collecting() as collection:
            with connection.requests.ask("what is open, done and held", *ENDS) as question:
                criteria = library.execution_filter(account)
                number = question.request_id
                frames = (
                    connection.encode(lambda api: api.reqAllOpenOrders()),
                    connection.encode(lambda api: api.reqCompletedOrders(False)),  # noqa: FBT003 - the library's signature
                    connection.encode(lambda api: api.reqExecutions(number, criteria)),
                    connection.encode(lambda api: api.reqPositions()),
                    connection.encode(lambda api: api.reqAccountUpdates(True, account)),  # noqa: FBT003 - the library's signature
                )
                await self._answered(question, frames)
            for _ in range(_RETRIES):
                if not collection.is_disturbed:
                    break
                collection.forget_positions()
                with connection.requests.ask("positions", "positionEnd") as question:
                    frame = connection.encode(lambda api: api.reqPositions())
                    await self._answered(question, (frame,))
            if collection.failure:
                raise BrokerUnavailable(f"the snapshot is not whole: {collection.failure}")
            if connection.state is LinkState.DISCONNECTED:
                raise BrokerUnavailable("the link was lost while the snapshot was taken")
            if connection.epoch != epoch:
                return None
            return collection.snapshot(
                epoch=epoch,
                dialled=connection.dialled,
                at=connection.clock.now(),
                values=self._news.values,
            )

    def events(self) -> AsyncIterator[ev.BaseEvent]:
        """Yield every event in order of arrival, until the connection is closed."""
        return self._connection.news.stream()

    async def _answered(self, question: Question, frames: tuple[str, ...]) -> None:
        self._connection.put(Parcel(Lane.ASK, frames))
        await question.answer(timeout=self._timeout)

    def _require_link(self, *, reduces: bool) -> None:
        state = self._connection.state
        if state is LinkState.CONNECTED or (reduces and state is LinkState.DEGRADED):
            return
        raise BrokerUnavailable(f"the link to IBKR is {state.value.lower()}")

    # -- commands ---------------------------------------------------------------------------

    def _submit(self, command: SubmitOrders, lane: Lane) -> None:
        orders = command.orders
        numbers = {spec.order_id: spec.broker_order_id for spec in orders}
        parents = [self._parent_number(spec, numbers) for spec in orders]
        frames = tuple(
            self._order_frame(spec, parent_number=parent, transmit=transmit)
            for spec, parent, transmit in zip(orders, parents, transmits(orders), strict=True)
        )
        entries = [
            self._roster.add(spec, parent_number=parent)
            for spec, parent in zip(orders, parents, strict=True)
        ]
        gate = self._gate(orders, reduces=lane is Lane.CLOSE)
        lowest, highest = min(numbers.values()), max(numbers.values())

        def objection() -> str:
            # What gets out overtakes only: nothing with a higher number leaves before it.
            return gate() or ("" if lane is Lane.CLOSE else self._numbers.overtaken(lowest))

        parcel = Parcel(lane, frames, on_step=self._on_frame, objection=objection)

        def sent() -> None:
            self._numbers.leave(highest)
            for entry in entries:
                entry.waiting = None
            for entry in entries:
                if entry.is_cancelling:  # asked for while it waited
                    self._put_cancel(entry.number, entry.order_id, Lane.CANCEL)

        def dropped(reason: str) -> None:
            at = self._connection.clock.now()
            for spec in orders:
                self._roster.forget(spec.order_id)
            self._news.publish(
                ev.NotSentEvent(at=at, order_id=spec.order_id, reason=reason) for spec in orders
            )

        parcel.on_sent, parcel.on_dropped = sent, dropped
        for entry in entries:
            entry.waiting = parcel
        self._connection.put(parcel)

    def _gate(self, specs: Sequence[OrderSpec], *, reduces: bool) -> Callable[[], str]:
        """What is asked as the orders leave: only what reduces risk passes any halt."""
        if reduces:
            return str
        contracts = {spec.contract.con_id: spec.contract for spec in specs}.values()
        return lambda: next(filter(None, map(self.objection, contracts)), "")

    def _modify(self, command: ModifyOrder, *, reduces: bool) -> None:
        entry = self._entry(command.order_id)
        if entry.is_closed:
            # Sent all the same, the number might be taken for that of a new order.
            self._refuse_change(entry, 104, _CLOSED)
            return
        change = changed(entry, command)
        wanted = change.wanted
        if entry.waiting is not None:
            raise BrokerUnavailable(f"{entry.order_id} still waits to be sent")
        is_resized = entry.spec is None or wanted.quantity != entry.spec.quantity
        frame = self._order_frame(
            editable(wanted, is_child=bool(entry.parent_number)),
            parent_number=live_parent(entry, self._roster),
            asked=change.asked,
        )
        entry.unsent = change  # in the place of one that waits
        gate = self._gate((wanted,), reduces=reduces)

        def sent() -> None:
            entry.wanted, entry.asked = change
            entry.unsent = None

        def dropped(reason: str) -> None:
            entry.unsent = None
            if entry.wanted is None:  # else an earlier change is on the wire, and still awaited
                self._refuse_change(entry, 0, reason)

        self._connection.put(
            Parcel(
                Lane.MODIFY,
                (frame,),
                key=_modify_key(entry.order_id),
                # What follows a price may wait a second; an exit that is too large may not.
                spaced_by="" if is_resized else f"{wanted.contract.con_id}",
                objection=lambda: _CLOSED if entry.is_closed else gate(),  # it waited for its turn
                on_sent=sent,
                on_dropped=dropped,
            )
        )

    def _refuse_change(self, entry: Entry, code: int, reason: str) -> None:
        at, order_id = self._connection.clock.now(), entry.order_id
        self._news.publish(
            [ev.ModifyRejectEvent(at=at, order_id=order_id, code=code, reason=reason)]
        )

    def _cancel(self, command: CancelOrder) -> None:
        lane = Lane.KILL if command.origin == HALT else Lane.CANCEL
        if command.is_of_all:
            frame = self._connection.encode(lambda api: api.reqGlobalCancel())
            self._connection.put(Parcel(lane, (frame,)))
            return
        if self._roster.get(command.order_id) is None and command.broker_order_id:
            ours = self._connection.settings.client_id
            taken = self._roster.find(ours, command.broker_order_id)
            if taken is not None:  # its number is that of another order by now
                raise BrokerUnavailable(f"{command.broker_order_id} is {taken.order_id} here")
            self._put_cancel(command.broker_order_id, command.order_id, lane)
            return
        entry = self._entry(command.order_id, ends=True)
        if entry.is_closed:
            return
        entry.is_cancelling = True
        self._connection.lanes.withdraw(_modify_key(entry.order_id), "cancelled instead")
        if entry.waiting is None:
            self._put_cancel(entry.number, entry.order_id, lane)
        elif not entry.parent_number:
            # It has not left: a cancel that overtakes it would find nothing. What waits for
            # it, its exits, goes with it; a cancelled exit only follows its entry.
            self._connection.lanes.withdraw(entry.waiting, "cancelled before it was sent")

    def _put_cancel(self, number: int, order_id: OrderId, lane: Lane) -> None:
        def dropped(reason: str) -> None:
            at = self._connection.clock.now()
            self._news.publish(
                [ev.CancelRejectEvent(at=at, order_id=order_id, code=0, reason=reason)]
            )

        frame = self._connection.encode(lambda api: api.cancelOrder(number))
        self._connection.put(Parcel(lane, (frame,), on_dropped=dropped))

    def _entry(self, order_id: OrderId, *, ends: bool = False) -> Entry:
        entry = self._roster.get(order_id)
        if entry is None:
            raise BrokerUnavailable(f"{order_id} has not been seen on this connection")
        ours = self._connection.settings.client_id
        is_near = is_reached(entry.number, client_id=entry.client_id, ours=ours)
        if ends and is_twin(order_id) and is_near:
            return entry
        if entry.is_foreign or entry.client_id != ours or not entry.number:
            # Its number may be that of another order of ours: nothing must be sent with it.
            raise BrokerUnavailable(
                f"{order_id} was not placed by client {ours}, and only who placed it can change it",
                hint=f"IBKR_CLIENT_ID={entry.client_id}, or use TWS",
            )
        return entry

    def _parent_number(self, spec: OrderSpec, numbers: dict[OrderId, int]) -> int:
        if spec.parent_id is None:
            return 0
        if spec.parent_id in numbers:
            return numbers[spec.parent_id]
        return self._entry(spec.parent_id).number

    def _order_frame(
        self,
        spec: OrderSpec,
        *,
        parent_number: int,
        transmit: bool = True,
        asked: frozenset[str] | None = None,
    ) -> str:
        library = self._connection.library
        contract, order = library.contract(), library.order()
        fill_in_contract(spec.contract, contract)
        fill_in_order(spec, order, parent_id=parent_number, transmit=transmit, asked=asked)
        return self._connection.encode(
            lambda api: api.placeOrder(spec.broker_order_id, contract, order)
        )

    def _what_if_frame(self, spec: OrderSpec) -> str:
        library = self._connection.library
        contract, order = library.contract(), library.order()
        fill_in_contract(spec.contract, contract)
        fill_in_question(spec, order)
        return proven_question(
            order,
            encode=lambda asked: self._connection.encode(
                lambda api: api.placeOrder(spec.broker_order_id, contract, asked)
            ),
        )


def _modify_key(order_id: OrderId) -> str:
    return f"modify:{order_id}"
