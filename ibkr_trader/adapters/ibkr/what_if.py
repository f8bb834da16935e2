"""What-if orders: what an order would cost and tie up, asked of IBKR without placing it.

On the wire a question is an order with one field set, so that field is proven on the frame
itself: the frame must differ from the order's own in that field alone. It has no reference,
no parent and no group, so nothing could ever take it for an order of ours. But it has an order's
number, and waits behind everything that trades: if one with a higher number leaves meanwhile, it
is asked under a new one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from ibkr_trader.adapters.ibkr import messages as m
from ibkr_trader.adapters.ibkr.connection import LinkState
from ibkr_trader.adapters.ibkr.error_codes import Kind, rule_for
from ibkr_trader.adapters.ibkr.lanes import Lane, Parcel
from ibkr_trader.adapters.ibkr.requests import RequestFailed
from ibkr_trader.adapters.ibkr.translate import fill_in_order
from ibkr_trader.core.errors import BrokerUnavailable, InvariantBroken, OrderRejectedError
from ibkr_trader.core.models import OrderId

if TYPE_CHECKING:
    from collections.abc import Callable

    from ibkr_trader.adapters.ibkr.connection import IBKRConnection
    from ibkr_trader.adapters.ibkr.lib_types import LibOrder
    from ibkr_trader.adapters.ibkr.order_numbers import OrderNumbers
    from ibkr_trader.adapters.ibkr.requests import Question
    from ibkr_trader.core.models import OrderSpec, WhatIf

_ANSWERED = "openOrder"
_NOT_OF_THE_ORDER = frozenset({Kind.PACING, Kind.DATA})  # it says nothing about the order
_NO_PREVIEW = frozenset({124, 10063})  # TWS does not do what-ifs of this kind


class _Overtaken(BrokerUnavailable):
    """An order has left under a higher number; the question has not."""


class WhatIfs:
    """Asks one what-if at a time, behind everything that trades.

    Args:
        connection: Where it is asked.
        frame: Makes the frame that asks about a spec, under its broker's id.
        numbers: Which order numbers have left.
        reserve: Gives out the next one.
    """

    def __init__(
        self,
        connection: IBKRConnection,
        *,
        frame: Callable[[OrderSpec], str],
        numbers: OrderNumbers,
        reserve: Callable[[], int],
    ) -> None:
        self._connection = connection
        self._frame = frame
        self._numbers = numbers
        self._reserve = reserve
        connection.inbox.on(m.WhatIfReport, self._take)

    async def ask(self, spec: OrderSpec, *, timeout: float) -> WhatIf:
        """Return what the order would do; see the port.

        Raises:
            OrderRejectedError: If IBKR would refuse it.
            BrokerUnavailable: If it did not answer.
        """
        clock = self._connection.clock
        ends = clock.monotonic() + timeout
        while True:
            try:
                return await self._ask(spec, self._reserve(), timeout=timeout)
            except _Overtaken:
                timeout = max(0.0, ends - clock.monotonic())

    async def _ask(self, spec: OrderSpec, number: int, *, timeout: float) -> WhatIf:
        connection = self._connection
        if connection.state is not LinkState.CONNECTED:
            raise BrokerUnavailable(f"the link to IBKR is {connection.state.value.lower()}")
        what = f"what {spec.side} {spec.quantity} {spec.contract.symbol} would do"
        with connection.requests.ask(what, _ANSWERED, number=number) as question:
            parcel = self._parcel(spec, number, question)
            connection.put(parcel)
            try:
                await question.answer(timeout=timeout)
            except RequestFailed as failure:
                if _is_no_word(failure.code):
                    raise
                raise OrderRejectedError(
                    f"IBKR would refuse this order: {failure.code} {failure.text}",
                    order_id=spec.order_id,
                    code=failure.code,
                    reason=failure.text,
                ) from None
            except BrokerUnavailable:
                if not question.rows:
                    raise
            finally:
                connection.lanes.withdraw(parcel, "nobody waits for the answer any more")
            return _newest(question.rows, question.remarks)

    def _parcel(self, spec: OrderSpec, number: int, question: Question) -> Parcel:
        def objection() -> str:
            why = self._numbers.overtaken(number)
            if why:
                question.fail(_Overtaken(why))
            return why

        return Parcel(
            Lane.DATA,
            (self._frame(_alone(spec, number)),),
            spaced_by="what-if",
            objection=objection,
            on_sent=lambda: self._numbers.leave(number),
        )

    def _take(self, report: m.WhatIfReport) -> None:
        requests = self._connection.requests
        # TWS may say it twice: at first without figures.
        if requests.take_row(report.order_id, report) and report.is_complete:
            requests.take_end(m.End(_ANSWERED, report.order_id))


def fill_in_question(spec: OrderSpec, order: LibOrder) -> None:
    """Write `spec` into the library's empty `order`, as a question.

    Raises:
        InvariantBroken: If the spec is not fit to be sent.
    """
    fill_in_order(spec, order, parent_id=0, transmit=True)
    order.orderRef = ""
    order.whatIf = True


def proven_question(order: LibOrder, *, encode: Callable[[LibOrder], str]) -> str:
    """Return the frame of `order`, which asks and cannot trade.

    Raises:
        InvariantBroken: If the frame that would leave is not that of a what-if.
    """
    if not order.whatIf:
        raise InvariantBroken("an order was about to leave as a question")
    question = encode(order).split("\0")
    order.whatIf = False
    as_order = encode(order).split("\0")
    order.whatIf = True
    changed = [pair for pair in zip(as_order, question, strict=True) if pair[0] != pair[1]]
    if changed != [("0", "1")]:
        raise InvariantBroken("the frame of a what-if does not say that it is one")
    return "\0".join(question)


def _is_no_word(code: int) -> bool:
    """Whether an error says nothing of what would become of the order."""
    return code in _NO_PREVIEW or rule_for(code).kind in _NOT_OF_THE_ORDER


def _alone(spec: OrderSpec, number: int) -> OrderSpec:
    return msgspec.structs.replace(
        spec,
        order_id=OrderId("what-if"),
        broker_order_id=number,
        parent_id=None,
        oca_group="",
        oca_type=None,
    )


def _newest(rows: list[m.Message], remarks: list[str]) -> WhatIf:
    answers = [row.answer for row in rows if isinstance(row, m.WhatIfReport)]
    # The answer without figures may be the one that says why.
    said = dict.fromkeys([*(answer.warning for answer in answers), *remarks])
    return msgspec.structs.replace(answers[-1], warning=" ".join(text for text in said if text))
