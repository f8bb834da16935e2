"""The gateway's private door: one act in, one answer out, over a socket of the user's own.

It is a Unix socket in the gateway's folder, readable by nobody else. Where that path is too long
for a socket's name, it lies in a fresh private folder instead; `gateway.json` says where.
"""

import asyncio
import os
import shutil
import socket
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import cast

import msgspec

from ibkr_trader.sim.gateway.acts import Act, Advance, Answer, CannotDo, RollOver, Script
from ibkr_trader.sim.gateway.background import STOP_AND_START, GatewayError, living

DOOR = "door.sock"
LONGEST = 100  # bytes of a socket's path: 104 on macOS, 108 on Linux
LARGEST = 1 << 16  # bytes of one act or of one answer to read at a time
PATIENCE = 10.0  # seconds for the answer
LONG_PATIENCE = 60.0  # for what is a lot of work
LONG_WORK = (Advance, RollOver, Script)  # a long way forward in time, and what may have it within


class _Visit(asyncio.Protocol):
    """Somebody at the door."""

    def __init__(self, do: Callable[[Act], Answer]) -> None:
        self._do = do
        self._heard = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Let somebody in."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Answer once a whole line has come."""
        self._heard += data
        if self._transport is None or (b"\n" not in data and len(self._heard) < LARGEST):
            return
        answer = _answer(self._heard, self._do)
        self._transport.write(msgspec.json.encode(answer) + b"\n")
        self._transport.close()
        self._transport = None


def _answer(line: bytes, do: Callable[[Act], Answer]) -> Answer:
    try:
        return do(msgspec.json.decode(line, type=Act))
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        return Answer(ok=False, text=f"this is not an act: {error}")
    except CannotDo as refused:
        return Answer(ok=False, text=refused.message, hint=refused.hint)


@asynccontextmanager
async def open_door(folder: Path, do: Callable[[Act], Answer]) -> AsyncIterator[Path]:
    """Answer at the door of `folder` while the block runs; yield where it is.

    Raises:
        OSError: The socket cannot be made.
    """
    path, own = folder / DOOR, None
    if len(os.fsencode(path)) > LONGEST:
        own = Path(tempfile.mkdtemp(prefix="ibkr-sim-"))  # for this user alone
        path = own / DOOR
    path.unlink(missing_ok=True)  # a killed gateway leaves it behind, and we have the lock
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        listener.bind(str(path))
        path.chmod(0o600)
        server = await asyncio.get_running_loop().create_unix_server(
            lambda: _Visit(do), sock=listener
        )
        try:
            yield path
        finally:
            server.close()
            await server.wait_closed()
    finally:
        listener.close()
        with suppress(OSError):
            path.unlink(missing_ok=True)
        if own is not None:
            shutil.rmtree(own, ignore_errors=True)


def knock(path: Path, act: Act, *, timeout: float = PATIENCE) -> Answer:
    """Have the gateway at `path` carry out an act, and return its answer.

    Raises:
        OSError: Nobody answers within `timeout` seconds.
    """
    heard = b""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
        line.settimeout(timeout)
        line.connect(str(path))
        line.sendall(msgspec.json.encode(act) + b"\n")
        while not heard.endswith(b"\n"):
            more = line.recv(LARGEST)
            if not more:
                message = "the gateway closed its door without a word"
                raise ConnectionResetError(message)
            heard += more
    return msgspec.json.decode(heard, type=Answer)


def inject(folder: Path, act: Act) -> Answer:
    """Have the gateway that runs in `folder` carry out an act, and return its answer.

    Raises:
        GatewayError: It is not running, or it does not answer.
    """
    info = living(folder)  # its port may be what is out of order
    if info is None:
        message = "the gateway is not running"
        raise GatewayError(message)
    if not info.door:
        message = "the gateway that runs has no door"
        raise GatewayError(message, hint=STOP_AND_START)
    if len(msgspec.json.encode(act)) >= LARGEST:
        message = f"this is too much to say at once: {LARGEST >> 10} KB at most, so halve it"
        raise GatewayError(message)
    try:
        patience = LONG_PATIENCE if isinstance(act, LONG_WORK) else PATIENCE
        return knock(Path(info.door), act, timeout=patience)
    except TimeoutError as error:
        message = f"the gateway does not answer (process {info.pid}): it may not have done it"
        raise GatewayError(message, hint=STOP_AND_START) from error
    except (OSError, msgspec.MsgspecError) as error:
        message = f"the gateway does not answer at its door: {error}"
        raise GatewayError(message, hint=STOP_AND_START) from error
