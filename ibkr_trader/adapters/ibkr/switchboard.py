"""Who hears which message of the gateway."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from ibkr_trader.adapters.ibkr import messages as m

M = TypeVar("M")


class Switchboard:
    """Passes each message to those who asked for its kind, and each error to its owner."""

    def __init__(self) -> None:
        self._handlers: dict[type, list[Callable[[Any], None]]] = {}
        self._claims: list[Callable[[m.ErrorReport], bool]] = []

    def on(self, kind: type[M], handler: Callable[[M], None]) -> None:
        """Call `handler` with each message of `kind`."""
        self._handlers.setdefault(kind, []).append(handler)

    def claim_errors(self, claim: Callable[[m.ErrorReport], bool]) -> None:
        """Offer each error to `claim`, which says whether it is its own."""
        self._claims.append(claim)

    def pass_on(self, message: m.Message) -> None:
        """Give `message` to everyone who asked for its kind."""
        for handler in self._handlers.get(type(message), ()):
            handler(message)

    def is_claimed(self, error: m.ErrorReport) -> bool:
        """Whether somebody took `error` as theirs."""
        return any(claim(error) for claim in self._claims)
