"""One client's line: who it is, which version it speaks, and what is waiting to be sent."""

import msgspec

from ibkr_trader.sim.gateway.floor import Floor
from ibkr_trader.sim.gateway.order_replies import ErrorMessage
from ibkr_trader.sim.gateway.replies import encode

NO_REQUEST = -1
VALIDATION = 321


class Talk:
    """What the desks of a session share: the floor, and a way to answer.

    Attributes:
        client_id: Known from startApi on; -1 before.
        version: Negotiated in the handshake; 0 before.
        is_news: What is said now was not asked for.
    """

    def __init__(self, floor: Floor) -> None:
        self.floor = floor
        self.client_id = -1
        self.version = 0
        self.is_news = False
        self._out: list[bytes] = []
        self._said: list[msgspec.Struct] = []

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

    def post(self, reply: msgspec.Struct) -> None:
        """Queue one reply."""
        self._out.append(encode(reply, self.version))
        if self.floor.wiring.tap is not None:
            self._said.append(reply)

    def say_raw(self, data: bytes) -> None:
        """Queue bytes that are not a reply: the handshake."""
        self._out.append(data)

    def refuse(self, req_id: int, code: int, text: str) -> None:
        """Queue an error or a notice about a request, an order, or (-1) nothing in particular."""
        millis = int(self.floor.now.timestamp() * 1000) if self.version >= 194 else 0  # noqa: PLR2004 - WIRE.md 1.4
        self.say(ErrorMessage(req_id=req_id, code=code, text=text, at_millis=millis))

    def invalid(self, req_id: int, cause: str) -> None:
        """Refuse a request as TWS's own validation does."""
        self.refuse(req_id, VALIDATION, f"Error validating request.-'sim' : cause - {cause}")

    def take(self) -> bytes:
        """Return everything that waits, as one write."""
        data = b"".join(self._out)
        self._out.clear()
        for reply in self._said:
            self.floor.wiring.hear_reply(reply, self.client_id)
        self._said.clear()
        return data

    def unsay(self) -> None:
        """Forget everything that waits."""
        self._out.clear()
        self._said.clear()
