"""What people are told of a source: that it is in trouble, and that it works again.

The log has every change; a person is told of a source that comes and goes once a minute.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

QUIET = 60.0  # seconds


class Health:
    """How a source is, in the words of its own.

    Args:
        name: The source's.
        say: Tells people.
        monotonic: Seconds on a clock that never jumps.
    """

    def __init__(
        self,
        name: str,
        *,
        say: Callable[[str], None],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._name, self._say, self._monotonic = name, say, monotonic
        self._wrong: dict[str, str] = {}
        self._is_told = False
        self._told_at: float | None = None

    @property
    def trouble(self) -> str:
        """Why nothing comes of it, or of a part of it; empty while it is well."""
        return next(iter(self._wrong.values()), "")

    def worsen(self, why: str, *, of: str = "") -> None:
        """Take note of a failure; `of` is the part of the source that fails, if it has parts."""
        self._wrong[of] = why
        now = self._monotonic()
        if self._is_told or (self._told_at is not None and now - self._told_at < QUIET):
            return
        self._is_told, self._told_at = True, now
        self._say(f"signals of {self._name} do not come: {why}; it is tried again")

    def mend(self, *, of: str = "") -> None:
        """Take note that a part works; people are told once all of them do."""
        self._wrong.pop(of, None)
        if self._is_told and not self._wrong:
            self._is_told = False
            self._say(f"signals of {self._name} come again")

    def end(self, why: str) -> None:
        """Tell people that nothing will ever come any more."""
        self._wrong.clear()  # it is over, as was asked
        self._say(f"no more signals come from {self._name}: {why}")


def nobody(_: str) -> None:
    """Tell nobody."""
