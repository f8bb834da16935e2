"""One client's line: who it is, which version it speaks, and what is waiting to be sent."""

import msgspec

from ibkr_trader.sim.gateway.floor import Floor
from ibkr_trader.sim.gateway.order_replies import ErrorMessage
from ibkr_trader.sim.gateway.replies import encode
from ibkr_trader.sim.gateway.spoiling import Spoil
from ibkr_trader.sim.gateway.wire import Part

NO_REQUEST = -1
VALIDATION = 321


class Talk:
    """What the desks of a session share: the floor, and a way to answer.

    Attributes:
        client_id: Known from startApi on; -1 before.
        version: Negotiated in the handshake; 0 before.
        is_news: What is said now was not asked for.
        is_over: Nothing more is said after what waits: a fault has cut it short.
    """

    def __init__(self, floor: Floor) -> None:
        self.floor = floor
        self.client_id = -1
        self.version = 0
        self.is_news = False
        self.is_over = False
        self._out: list[Part] = []

    @property
    def has_output(self) -> bool:
        """Whether anything waits to be sent."""
        return bool(self._out)

    def say(self, reply: msgspec.Struct) -> None:
        """Queue one reply, unless a fault has other plans for it."""
        faults = self.floor.wiring.faults
        if faults.is_idle:
            self.post(reply)
        else:
            faults.tell(self, reply, is_news=self.is_news)

    def post(self, reply: msgspec.Struct, *, spoil: Spoil | None = None) -> None:
        """Queue one reply; `spoil` is what a fault makes of its bytes."""
        if self.is_over:
            return
        data = encode(reply, self.version)
        if spoil is None:
            self._out.append(Part(data, reply))
            return
        spoiled, self.is_over = spoil(data)
        self._out.append(Part(spoiled, reply, whole=len(data)))

    def say_raw(self, data: bytes, name: str = "") -> None:
        """Queue bytes that are not a reply: the handshake, or what a fault puts in."""
        if not self.is_over:
            self._out.append(Part(data, name=name))

    def refuse(self, req_id: int, code: int, text: str) -> None:
        """Queue an error or a notice about a request, an order, or (-1) nothing in particular."""
        millis = int(self.floor.now.timestamp() * 1000) if self.version >= 194 else 0  # noqa: PLR2004 - WIRE.md 1.4
        self.say(ErrorMessage(req_id=req_id, code=code, text=text, at_millis=millis))

    def invalid(self, req_id: int, cause: str) -> None:
        """Refuse a request as TWS's own validation does."""
        self.refuse(req_id, VALIDATION, f"Error validating request.-'sim' : cause - {cause}")

    def take(self) -> bytes:
        """Return everything that waits, as one write."""
        parts = self.take_parts()
        if self.floor.wiring.tap is not None:
            for part in parts:
                self.floor.wiring.hear_part(part, self.client_id)
        return b"".join(part.data for part in parts)

    def take_parts(self) -> list[Part]:
        """Return everything that waits, message by message; when each leaves is yet to be told."""
        parts, self._out = self._out, []
        return parts
