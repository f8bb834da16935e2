"""Whether a gateway is there: a TWS handshake at its port, or somebody behind its private door.

Neither starts the API, so neither takes a client id or wakes an exchange.
"""

import socket

from ibkr_trader.sim.gateway.framing import API_SIGNATURE, PREFIX, framed

_OFFER = b"v157..178"


def answers(port: int, *, timeout: float = 2.0) -> bool:
    """Return whether 127.0.0.1:`port` answers a handshake within `timeout` seconds."""
    greeting = API_SIGNATURE + framed(_OFFER)
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=timeout) as line:
            line.sendall(greeting)
            head = _exactly(line, PREFIX)
            reply = _exactly(line, min(int.from_bytes(head, "big"), 256))
    except OSError:
        return False
    version, _, rest = reply.partition(b"\0")
    return version.isdigit() and rest.endswith(b"\0")


def is_behind(door: str, *, timeout: float = 2.0) -> bool:
    """Return whether somebody listens at a door's socket; one that is left behind is dead."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
        line.settimeout(timeout)
        try:
            line.connect(door)
        except OSError:
            return False
    return True


def _exactly(line: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        more = line.recv(size - len(data))
        if not more:
            message = "closed"
            raise ConnectionResetError(message)
        data += more
    return data
