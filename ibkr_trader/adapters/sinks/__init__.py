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


SINKS: Registry[SinkKind] = Registry("sink", "ibkr_trader.adapters.sinks")
