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
    """

    def __init__(self, floor: Floor) -> None:
        self.floor = floor
        self.client_id = -1
        self.version = 0
        self._out: list[bytes] = []

    @property
    def has_output(self) -> bool:
        """Whether anything waits to be sent."""
        return bool(self._out)

    def say(self, reply: msgspec.Struct) -> None:
        """Queue one reply."""
        self._out.append(encode(reply, self.version))

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
        return data
