"""Messages to people by apprise: mail, phones, chats, each by an address that is a secret.

Its plugins are foreign code that waits for foreign servers, as long as those like: one that sends
a byte a second meets every time limit of its own. So each message has a thread of its own, which
nobody waits for: neither the end of the program nor other work of the loop. What a plugin says of
itself is not logged: addresses hold tokens.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import warnings
from contextlib import contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from ibkr_trader.adapters.secret_text import all_but_secrets, secret_of
from ibkr_trader.core.errors import ConfigError, NotifyFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from ibkr_trader.adapters.secret_text import Secret

_TALKATIVE = ("apprise", "urllib3")  # they write addresses into the log
_INSTALL = "pip install 'ibkr-trader[notify]'"
PATIENCE = 10.0  # seconds for a message; less than whoever raises an alarm has


class Way(NamedTuple):
    """One way to people: the variable that holds its address, and what sends there.

    `busy` is held while a message is under way.
    """

    name: str
    service: str
    sender: Any
    busy: threading.Lock


class AppriseNotifier:
    """The `Notifier` port over apprise.

    Args:
        addresses: The name of the variable of each address, and what it holds.
        patience: Seconds after which a message that is still under way counts as failed.

    Raises:
        ConfigError: If apprise is not installed, or an address is none that it knows.
    """

    def __init__(
        self, addresses: Iterable[tuple[str, Secret]], *, patience: float = PATIENCE
    ) -> None:
        apprise = _library()
        self._patience = patience
        self._ways: list[Way] = []
        for name, secret in addresses:
            with _calmly():  # the first one brings in every plugin
                sender = apprise.Apprise.instantiate(secret.reveal(), suppress_exceptions=True)
            if sender is None:
                message = f"what {name} holds is no address that apprise knows"
                raise ConfigError(message, hint="such as mailto://…, tgram://…, ntfy://…")
            service = str(sender.service_name or "apprise")
            self._ways.append(Way(name, service, sender, threading.Lock()))

    async def notify(self, title: str, body: str) -> None:
        """Send one message every way.

        Raises:
            NotifyFailed: Naming the ways by which it did not go.
        """
        tried = await self.tried(title, body)
        failed = [f"{way.name} ({way.service})" for way, went in tried if not went]
        if failed:
            raise NotifyFailed(f"not told by {', '.join(failed)}")

    async def tried(self, title: str, body: str) -> list[tuple[Way, bool]]:
        """Send one message every way, side by side; return which of them took it in time."""
        title, body = all_but_secrets(title), all_but_secrets(body)
        went = await asyncio.gather(*(self._send(way, title, body) for way in self._ways))
        return list(zip(self._ways, went, strict=True))

    async def _send(self, way: Way, title: str, body: str) -> bool:
        if not way.busy.acquire(blocking=False):
            return False  # the last one is under way still, and another would wait as long
        answer: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        send = partial(way.sender.notify, title=title, body=body)
        threading.Thread(
            target=_carry, args=(way, send, answer), name="notify", daemon=True
        ).start()
        try:
            async with asyncio.timeout(self._patience):
                return await answer
        except TimeoutError:
            return False


def notifier_of(variables: Iterable[str], *, patience: float = PATIENCE) -> AppriseNotifier:
    """Return what sends to the addresses that these variables of the environment hold.

    Raises:
        ConfigError: If one is not set, or holds no address; or apprise is not installed.
    """
    try:
        addresses = [(name, secret_of(name, key="notify.urls_env")) for name in variables]
    except ValueError as error:
        raise ConfigError(str(error), hint="set it, or correct [notify] in config.toml") from error
    return AppriseNotifier(addresses, patience=patience)


def _carry(way: Way, send: Callable[[], object], answer: asyncio.Future[bool]) -> None:
    """Send one message, however long that takes, and tell whoever still waits whether it went."""
    went = False
    try:
        went = bool(send())
    except Exception as error:  # noqa: BLE001 - a plugin is foreign: what it raises may name its address
        logging.getLogger(__name__).warning("%s failed with %s", way.name, type(error).__name__)
    finally:
        way.busy.release()
    with suppress(RuntimeError):  # the loop is closed: nobody waits
        answer.get_loop().call_soon_threadsafe(_settle, answer, went)


def _settle(answer: asyncio.Future[bool], went: bool) -> None:  # noqa: FBT001 - of call_soon
    if not answer.done():
        answer.set_result(went)


@contextmanager
def _calmly() -> Iterator[None]:
    """Leave it to apprise what its plugins import: on Python before 3.13 some of that is old."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        yield


def _library() -> Any:
    try:
        with _calmly():
            import apprise  # noqa: PLC0415 - an extra, and slow to import
    except ImportError as error:
        message = "[notify] needs apprise, which is not installed"
        raise ConfigError(message, hint=_INSTALL) from error
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    return apprise
