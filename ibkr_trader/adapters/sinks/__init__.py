"""Who may be told what happens: one file a sink; adding a file adds a sink.

A sink is a class that takes its own settings and meets the port `PayloadSink`. Which of them a
trader has, and with which settings, is decided where the desk is put together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from ibkr_trader.core.registry import Registry

if TYPE_CHECKING:
    import msgspec

    from ibkr_trader.execution.ports import PayloadSink


class SinkKind(Protocol):
    """A kind of sink: called with its settings, it makes one. Nothing is opened by that."""

    @property
    def settings(self) -> type[msgspec.Struct]:
        """What it takes."""

    def __call__(self, settings: Any, /) -> PayloadSink:
        """Return a sink.

        Raises:
            ConfigError: If the settings cannot be used; no secret is in the message.
        """


class Secret:
    """A text that nothing prints: not in a log, not in an error, not in what is shown of it."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the text, for the one place that sends it or signs with it."""
        return self._text

    def __bool__(self) -> bool:
        return bool(self._text)

    def __repr__(self) -> str:
        return "Secret(***)" if self._text else "Secret()"

    def __reduce__(self) -> str:
        raise TypeError("a secret is not written down")


NO_SECRET = Secret("")
SINKS: Registry[SinkKind] = Registry("sink", "ibkr_trader.adapters.sinks")
