"""What lies around the sessions: the faults in force, and the wire log."""

from collections.abc import Callable, Iterable
from datetime import datetime
from itertools import count

import msgspec

from ibkr_trader.sim.gateway.agenda import Agenda
from ibkr_trader.sim.gateway.faults import Fates, Faults
from ibkr_trader.sim.gateway.naming import OrderNames, Subject
from ibkr_trader.sim.gateway.network import Network
from ibkr_trader.sim.gateway.uplink import Conversation, Uplink
from ibkr_trader.sim.gateway.wire import Fate, Part, Tap, Way, WireEntry
from ibkr_trader.sim.register import Register

UNREADABLE = Subject("unreadable")
PIECE = Subject("piece")  # of a message that never came whole


class Wiring:
    """The faults of one gateway, and who listens in.

    Attributes:
        names: Knows the orders by their own names.
        faults: What is done to messages.
        network: What is done to bytes.
        agenda: What is planned.
        uplink: What is wrong behind the gateway.
        tap: Is told of every message; None is nobody.
    """

    def __init__(
        self,
        register: Register,
        *,
        now: Callable[[], datetime],
        fates: Fates,
        clients: Callable[[], Iterable[Conversation]],
        is_halted: Callable[[str], bool],
    ) -> None:
        self.names = OrderNames(register)
        number = count(1).__next__  # whatever is in force or planned has one of its own
        self.faults = Faults(self.names, now=now, fates=fates, number=number)
        self.network = Network(now=now, number=number)
        self.agenda = Agenda(now=now, number=number, is_halted=is_halted)
        self.faults.ring = self.agenda.ring
        self.uplink = Uplink(now=now, number=number, clients=clients)
        self.tap: Tap | None = None
        self._now = now

    def hear_request(
        self, request: msgspec.Struct | None, client_id: int, *, fate: Fate = Fate.WHOLE
    ) -> Subject:
        """Take note of a message from a client (None: it cannot be read), and say what it is."""
        subject = UNREADABLE
        if request is not None:
            subject = self.names.of_request(request, client_id)
        self._note(Way.IN, client_id, subject=subject, message=request, fate=fate)
        return subject

    def hear_bytes(self, client_id: int, size: int) -> None:
        """Take note of bytes from a client that came to no message."""
        self._note(Way.IN, client_id, subject=PIECE, message=None, fate=Fate.LOST, size=size)

    def hear_part(self, part: Part, client_id: int, *, passed: int | None = None) -> None:
        """Take note of what left for a client; `passed` is how much arrived, None all of it."""
        if self.tap is None or not (part.reply is not None or part.name):
            return
        size = max(part.whole, len(part.data))
        arrived = len(part.data) if passed is None else passed
        fate = _fate(part, arrived=arrived, size=size)
        subject = Subject(part.name)
        if part.reply is not None:
            subject = self.names.of_reply(part.reply, client_id)
        is_plain = fate is Fate.WHOLE and part.reply is not None
        self._note(
            Way.OUT,
            client_id,
            subject=subject,
            message=part.reply,
            fate=fate,
            size=0 if is_plain else size,
            passed=0 if is_plain else arrived,
        )

    def _note(
        self,
        way: Way,
        client_id: int,
        *,
        subject: Subject,
        message: msgspec.Struct | None,
        fate: Fate = Fate.WHOLE,
        size: int = 0,
        passed: int = 0,
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
                    fate=fate,
                    size=size,
                    passed=passed,
                )
            )


def _fate(part: Part, *, arrived: int, size: int) -> Fate:
    if not arrived:
        return Fate.LOST
    if arrived < size:
        return Fate.CUT
    return Fate.SPOILED if part.whole else Fate.WHOLE
