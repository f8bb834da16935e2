"""Tickets on disk: what a preview showed, until it is sent or too old; see `token_file.py`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibkr_trader.adapters import token_file
from ibkr_trader.adapters.token_file import ALPHABET, KEPT, LENGTH, Naming, TokenFolder
from ibkr_trader.execution.tickets import Ticket

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["ALPHABET", "KEPT", "LENGTH", "TicketFolder", "token_of"]
_NAMING = Naming(
    noun="ticket",
    folder="tickets",
    again="repeat the command with --preview",
    afterwards="ibkr-trader orders --all",
    used="look what it placed",
    source="it is the last line of what --preview prints",
)


def token_of(text: str) -> str:
    """Return what was typed as a ticket's token: see `token_file.token_of`.

    Raises:
        TicketRefused: If it cannot be one.
    """
    return token_file.token_of(text, _NAMING)


class TicketFolder(TokenFolder[Ticket]):
    """The tickets of one profile, in `tickets/` of its folder."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, Ticket, _NAMING)
