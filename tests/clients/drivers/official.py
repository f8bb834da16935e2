"""IBKR's own client, told on standard input what to ask, telling on standard output what it hears.

    python official.py PORT CLIENT_ID

It runs in an environment that holds ibapi and nothing of ours, so it imports nothing of ours.
A line in is `{"call": "reqPositions", "args": []}`, with `{"$Order": {...}}` for an object; a line
out is `{"event": "position", ...}` with the callback's arguments by name. `$log` and `$crash` tell
what the client complains of or dies of, which otherwise nobody would see.
"""

from __future__ import annotations

import inspect
import json
import logging
import sys
import threading
import traceback
from collections.abc import Callable
from decimal import Decimal
from enum import Enum
from typing import Any

import ibapi.contract
import ibapi.execution
import ibapi.order
import ibapi.scanner
from ibapi.client import EClient
from ibapi.wrapper import EWrapper

LOOPBACK = "127.0.0.1"
OBJECTS: dict[str, Callable[[], Any]] = {
    "Contract": ibapi.contract.Contract,
    "ExecutionFilter": ibapi.execution.ExecutionFilter,
    "Order": ibapi.order.Order,
    "ScannerSubscription": ibapi.scanner.ScannerSubscription,
}
_out = threading.Lock()
_leaving = threading.Event()


def tell(event: str, **values: object) -> None:
    """Write one line, whole, whichever thread asks."""
    line = json.dumps({"event": event, **values}, default=_plain)
    with _out:
        sys.stdout.write(line + "\n")
        sys.stdout.flush()


def _plain(value: object) -> object:
    if isinstance(value, Decimal | Enum):
        return str(value)
    if isinstance(value, bytes):
        return value.decode("latin-1")
    if hasattr(value, "__dict__") and not isinstance(value, type):
        return vars(value)
    return str(value)


class Ear:
    """Every callback that the client knows, and no other: what it calls must be in its own list."""

    def __getattr__(self, name: str) -> Callable[..., None]:
        """Return a callback that tells its arguments."""
        shape = inspect.signature(getattr(EWrapper, name))

        def hear(*args: object, **kwargs: object) -> None:
            bound = shape.bind(self, *args, **kwargs)
            heard = {key: value for key, value in bound.arguments.items() if key != "self"}
            tell(name, **heard)

        return hear


class Complaints(logging.Handler):
    """What the client writes into its log as an error: lost frames, wrong field counts."""

    def emit(self, record: logging.LogRecord) -> None:
        """Tell it."""
        tell("$log", text=record.getMessage())


def build(value: object) -> object:
    """Return what an argument of a call stands for."""
    if not isinstance(value, dict):
        return value
    [(name, fields)] = value.items()
    made = OBJECTS[name.removeprefix("$")]()
    for field, content in fields.items():
        if not hasattr(made, field):
            message = f"{name} has no {field}"
            raise AttributeError(message)
        setattr(made, field, content)
    return made


def listen(client: Any) -> None:
    """Pass on what the gateway says until it or we hang up."""
    try:
        client.run()
    except BaseException:  # noqa: BLE001 - whatever kills the client is what the test must see
        # `disconnect()` takes the state from under the thread that is still reading.
        if not _leaving.is_set():
            tell("$crash", text=traceback.format_exc())


def obey(client: Any) -> None:
    """Do what the lines on standard input say, until there are no more."""
    for line in sys.stdin:
        request = json.loads(line)
        try:
            getattr(client, request["call"])(*(build(arg) for arg in request["args"]))
        except Exception:  # noqa: BLE001 - whatever kills the call is what the test must see
            tell("$crash", text=traceback.format_exc())


def main() -> None:
    """Connect, say which version was agreed on, and serve."""
    logging.getLogger().addHandler(Complaints(logging.ERROR))
    try:
        from ibapi.order_cancel import OrderCancel

        OBJECTS["OrderCancel"] = OrderCancel
    except ImportError:
        pass  # 9.81 cancels by the bare id
    client = EClient(Ear())
    client.connect(LOOPBACK, int(sys.argv[1]), int(sys.argv[2]))
    tell("$connected", version=client.serverVersion(), time=client.twsConnectionTime())
    thread = threading.Thread(target=listen, args=(client,), daemon=True)
    thread.start()
    obey(client)
    _leaving.set()
    client.disconnect()
    thread.join(timeout=5)


if __name__ == "__main__":
    main()
