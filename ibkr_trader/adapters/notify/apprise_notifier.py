"""Messages to people by apprise: mail, phones, chats, each by an address that is a secret.

Its plugins are foreign code that waits for foreign servers, so each message is sent from threads,
and what it says of itself is not logged: addresses hold tokens.
"""

from __future__ import annotations

import asyncio
import logging
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from ibkr_trader.adapters.secret_text import secret_of
from ibkr_trader.core.errors import ConfigError, NotifyFailed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ibkr_trader.adapters.secret_text import Secret

_TALKATIVE = ("apprise", "urllib3")  # they write addresses into the log
_INSTALL = "pip install 'ibkr-trader[notify]'"


class Way(NamedTuple):
    """One way to people: the variable that holds its address, and what sends there."""

    name: str
    service: str
    sender: Any


class AppriseNotifier:
    """The `Notifier` port over apprise.

    Args:
        addresses: The name of the variable of each address, and what it holds.

    Raises:
        ConfigError: If apprise is not installed, or an address is none that it knows.
    """

    def __init__(self, addresses: Iterable[tuple[str, Secret]]) -> None:
        apprise = _library()
        self._ways: list[Way] = []
        for name, secret in addresses:
            with _calmly():  # the first one brings in every plugin
                sender = apprise.Apprise.instantiate(secret.reveal(), suppress_exceptions=True)
            if sender is None:
                message = f"what {name} holds is no address that apprise knows"
                raise ConfigError(message, hint="such as mailto://…, tgram://…, ntfy://…")
            self._ways.append(Way(name, str(sender.service_name or "apprise"), sender))

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
        """Send one message every way, side by side; return which of them took it."""
        went = await asyncio.gather(*(_send(way, title, body) for way in self._ways))
        return list(zip(self._ways, went, strict=True))


def notifier_of(variables: Iterable[str]) -> AppriseNotifier:
    """Return what sends to the addresses that these variables of the environment hold.

    Raises:
        ConfigError: If one is not set, or holds no address; or apprise is not installed.
    """
    try:
        addresses = [(name, secret_of(name, key="notify.urls_env")) for name in variables]
    except ValueError as error:
        raise ConfigError(str(error), hint="set it, or correct [notify] in config.toml") from error
    return AppriseNotifier(addresses)


async def _send(way: Way, title: str, body: str) -> bool:
    try:
        return bool(await asyncio.to_thread(way.sender.notify, title=title, body=body))
    except Exception as error:  # noqa: BLE001 - a plugin is foreign: what it raises may name its address
        logging.getLogger(__name__).warning("%s failed with %s", way.name, type(error).__name__)
        return False


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
