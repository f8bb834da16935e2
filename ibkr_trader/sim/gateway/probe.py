"""Whether a TWS-speaking server answers on a port: the handshake, and nothing more.

It never starts the API, so it takes no client id and wakes no exchange.
"""

import socket

from ibkr_trader.sim.gateway.framing import API_SIGNATURE

_OFFER = b"v157..178"


def answers(port: int, *, timeout: float = 2.0) -> bool:
    """Return whether 127.0.0.1:`port` answers a handshake within `timeout` seconds."""
    greeting = API_SIGNATURE + len(_OFFER).to_bytes(4, "big") + _OFFER
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=timeout) as line:
            line.sendall(greeting)
            head = _exactly(line, 4)
            reply = _exactly(line, min(int.from_bytes(head, "big"), 256))
    except OSError:
        return False
    version, _, rest = reply.partition(b"\0")
    return version.isdigit() and rest.endswith(b"\0")


def _exactly(line: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        more = line.recv(size - len(data))
        if not more:
            message = "closed"
            raise ConnectionResetError(message)
        data += more
    return data
