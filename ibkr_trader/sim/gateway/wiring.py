"""What lies between the sessions and their sockets: the faults in force, and the wire log."""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal

import msgspec

from ibkr_trader.sim.gateway.faults import Faults
from ibkr_trader.sim.gateway.naming import OrderNames, Subject
from ibkr_trader.sim.gateway.wire import Tap, Way, WireEntry
from ibkr_trader.sim.orders import OrderKey
from ibkr_trader.sim.register import Register

UNREADABLE = Subject("unreadable")


class Wiring:
    """The faults of one gateway, and who listens in.

    Attributes:
        names: Knows the orders by their own names.
        faults: What is done to messages.
        tap: Is told of every message; None is nobody.
    """

    def __init__(
        self,
        register: Register,
        *,
        now: Callable[[], datetime],
        trade: Callable[[OrderKey, Decimal], None],
    ) -> None:
        self.names = OrderNames(register)
        self.faults = Faults(self.names, now=now, trade=trade)
        self.tap: Tap | None = None
        self._now = now

    def hear_request(self, request: msgspec.Struct | None, client_id: int) -> Subject:
        """Take note of a message from a client (None: it cannot be read), and say what it is."""
        subject = UNREADABLE
        if request is not None:
            subject = self.names.of_request(request, client_id)
        self._note(Way.IN, client_id, subject=subject, message=request)
        return subject

    def hear_reply(self, reply: msgspec.Struct, client_id: int) -> None:
        """Take note of a message that leaves for a client."""
        if self.tap is not None:
            subject = self.names.of_reply(reply, client_id)
            self._note(Way.OUT, client_id, subject=subject, message=reply)

    def _note(
        self, way: Way, client_id: int, *, subject: Subject, message: msgspec.Struct | None
    ) -> None:
        if self.tap is not None:
            self.tap(
                WireEntry(
                    at=self._now(),
                    client_id=client_id,
                    way=way,
                    name=subject.name,
                    key=subject.key,
                    order_ref=subject.order_ref,
                    message=message,
                )
            )
