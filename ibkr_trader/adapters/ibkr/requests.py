"""Questions and their answers: each has an owner, an end and a time limit.

An answer is complete when its end has come, and only then; a missing end is a failure,
never an empty answer. Request ids are taken from above all order ids (2^31 - 10,000), so
an error that names an id can never be about the wrong one.
"""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ibkr_trader.adapters.ibkr import messages as m
from ibkr_trader.adapters.ibkr.error_codes import Kind, rule_for
from ibkr_trader.core.errors import BrokerUnavailable
from ibkr_trader.core.ids import MAX_BROKER_ORDER_ID

if TYPE_CHECKING:
    from collections.abc import Iterator

_LAST_ID = 2**31 - 2  # the next one is TWS's word for unset
_HARMLESS = frozenset({Kind.WARNING, Kind.DATA_NOTE, Kind.NOTICE})


class RequestFailed(BrokerUnavailable):
    """The gateway refused a request; `code` and `text` are its own."""

    def __init__(self, message: str, *, code: int, text: str = "", hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.code = code
        self.text = text


class Question:
    """One request under way: what has come of its answer, and whether that is all."""

    def __init__(self, what: str, *, request_id: int, ends: frozenset[str]) -> None:
        self.what = what
        self.request_id = request_id
        self.rows: list[m.Message] = []
        self.remarks: list[str] = []  # what was said of it that is no failure
        self._missing = set(ends)
        self._failure: BrokerUnavailable | None = None
        self._settled = asyncio.Event()

    @property
    def missing(self) -> tuple[str, ...]:
        """The ends that have not come yet."""
        return tuple(sorted(self._missing))

    def take_end(self, what: str) -> None:
        """Note that a part of the answer is complete."""
        self._missing.discard(what)
        if not self._missing:
            self._settled.set()

    def fail(self, failure: BrokerUnavailable) -> None:
        """Note that there will be no answer."""
        self._failure = self._failure or failure
        self._settled.set()

    async def answer(self, *, timeout: float) -> list[m.Message]:
        """Wait for the whole answer and return it.

        Raises:
            RequestFailed: If the gateway refused it.
            BrokerUnavailable: If it is not complete within `timeout` seconds, or the link
                is lost.
        """
        try:
            async with asyncio.timeout(timeout):
                await self._settled.wait()
        except TimeoutError:
            raise BrokerUnavailable(
                f"the gateway did not finish its answer to {self.what} within {timeout:g} s"
                f" ({', '.join(self.missing)} is missing)",
                hint="look at TWS or IB Gateway, then try again",
            ) from None
        if self._failure is not None:
            raise self._failure
        return self.rows


class Requests:
    """The questions under way on the present link."""

    def __init__(self) -> None:
        self._next_id = MAX_BROKER_ORDER_ID + 1
        self._leased: set[int] = set()
        self._by_id: dict[int, Question] = {}

    def lease(self) -> int:
        """Return an id that nothing else has and no order can have, until it is released."""
        while True:
            request_id = self._next_id
            self._next_id = request_id + 1 if request_id < _LAST_ID else MAX_BROKER_ORDER_ID + 1
            if request_id not in self._leased:
                self._leased.add(request_id)
                return request_id

    def release(self, request_id: int) -> None:
        """Give an id back: whatever it named is over."""
        self._leased.discard(request_id)

    @contextmanager
    def ask(self, what: str, *ends: str, number: int | None = None) -> Iterator[Question]:
        """Open a question that is answered once all of `ends` have come.

        A what-if goes under the `number` of an order; all others get an id of their own.
        """
        request_id = self.lease() if number is None else number
        question = Question(what, request_id=request_id, ends=frozenset(ends))
        self._by_id[question.request_id] = question
        try:
            yield question
        finally:
            del self._by_id[question.request_id]
            self.release(question.request_id)

    def take_row(self, request_id: int, row: m.Message) -> bool:
        """Add `row` to the question it answers; False if nobody asked."""
        question = self._by_id.get(request_id)
        if question is None:
            return False
        question.rows.append(row)
        return True

    def take_end(self, end: m.End) -> None:
        """Note the end of an answer; one without an id ends every question that awaits it."""
        if end.request_id in self._by_id:
            self._by_id[end.request_id].take_end(end.what)
            return
        for question in self._by_id.values():
            question.take_end(end.what)

    def take_error(self, error: m.ErrorReport | m.DecodeFailure) -> bool:
        """Fail the question that `error` names; False if it names none."""
        if isinstance(error, m.DecodeFailure):
            return self._fail_unread(error)
        question = self._by_id.get(error.request_id)
        if question is None:
            return False
        rule = rule_for(error.code)
        if rule.kind in _HARMLESS:
            question.remarks.append(error.text)
            return True
        message = f"{question.what} failed: {error.code} {error.text}"
        question.fail(RequestFailed(message, code=error.code, text=error.text, hint=rule.hint))
        return True

    def fail_all(self, reason: str) -> None:
        """End every question: the link is gone."""
        for question in list(self._by_id.values()):
            question.fail(BrokerUnavailable(f"{question.what} failed: {reason}"))

    def _fail_unread(self, failure: m.DecodeFailure) -> bool:
        for field in failure.fields[1:4]:
            question = self._by_id.get(int(field)) if field.isdecimal() else None
            if question is not None:
                message = f"the answer to {question.what} could not be read: {failure.reason}"
                question.fail(BrokerUnavailable(message))
                return True
        return False
