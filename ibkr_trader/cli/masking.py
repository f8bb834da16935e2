"""What is handed on, without what names a person, a machine or an account."""

from __future__ import annotations

import re
import socket
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from ibkr_trader.adapters.user import user_name
from ibkr_trader.cli.logs import redact

if TYPE_CHECKING:
    from collections.abc import Iterable

_NAMED = re.compile(r'("(?:user|operator|by|seen_by|host)":")(?:[^"\\]|\\.)+(")')
_LEAST = 3  # letters of a name that is looked for: shorter ones are words, too


class Masker:
    """Takes names out of texts, and counts of what kind they were.

    Args:
        folders: Folders of this user, the innermost first, with what each is called instead.

    Attributes:
        counts: In how many texts something of a kind was masked.
    """

    def __init__(self, folders: Iterable[tuple[Path, str]] = ()) -> None:
        self.counts: Counter[str] = Counter()
        self._folders = [(str(folder), name) for folder, name in folders if len(folder.parts) > 1]
        names = {socket.gethostname(), socket.gethostname().partition(".")[0]}
        hosts = sorted(n for n in names if len(n) >= _LEAST and not n.startswith("localhost"))
        self._hosts = re.compile("|".join(rf"\b{re.escape(h)}\b" for h in hosts) or r"(?!)")
        self._at_host = re.compile(rf"\b{re.escape(user_name())}@")

    def mask(self, text: str) -> str:
        """Return `text` without them."""
        shown = text
        for folder, name in self._folders:
            shown = self._noted("path", shown, shown.replace(folder, name))
        shown = self._noted("name", shown, self._at_host.sub("***@", _NAMED.sub(r"\1***\2", shown)))
        shown = self._noted("host", shown, self._hosts.sub("***", shown))
        return self._noted("account or secret", shown, redact(shown))

    def _noted(self, kind: str, before: str, after: str) -> str:
        self.counts[kind] += before != after
        return after


class Unmasked(Masker):
    """Leaves everything as it is, for who was asked and wants it so."""

    def mask(self, text: str) -> str:
        """Return `text`."""
        return text
