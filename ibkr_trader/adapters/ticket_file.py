"""Tickets on disk: what a preview showed, until it is sent or too old."""

from __future__ import annotations

from ibkr_trader.adapters.token_file import Naming
from ibkr_trader.execution.tickets import Ticket

TICKETS = Naming(
    kind=Ticket,
    noun="ticket",
    folder="tickets",
    again="repeat the command with --preview",
    afterwards="ibkr-trader orders --all",
    used="look what it placed",
    source="it is the last line of what --preview prints",
)
