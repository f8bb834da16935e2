"""What the risk checks remark on and let pass: told beside what was done, or would be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from ibkr_trader.core.errors import RiskCheckError
from ibkr_trader.risk.verdict import Approved, Denied

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ibkr_trader.cli.output import Reply
    from ibkr_trader.core.commands import Command
    from ibkr_trader.core.events import Breach
    from ibkr_trader.execution.desk import Desk


def passed(desk: Desk, command: Command) -> tuple[Breach, ...]:
    """Return the remarks on a command that would pass; nothing is sent.

    Raises:
        RiskCheckError: If the checks would deny it, with every reason.
    """
    verdict = desk.trader.router.preview(command)
    if isinstance(verdict, Denied):
        raise RiskCheckError(verdict.reasons, breaches=verdict.breaches)
    return verdict.warnings


def remarks(desk: Desk, command: Command) -> tuple[Breach, ...]:
    """Return the remarks on a command that is about to be sent; a denial is left to that."""
    verdict = desk.trader.router.preview(command)
    if not isinstance(verdict, Approved):
        return ()
    # By then the desk is armed, if only for this command; or it is denied.
    return tuple(one for one in verdict.warnings if one.check != "armed")


def with_remarks(reply: Reply, warnings: Iterable[Breach], *, at: int | None = None) -> Reply:
    """Return `reply` with the remarks in it: before its block number `at`, or at its end."""
    found = list(warnings)
    reply.data["warnings"] = [document(one) for one in found]
    place = len(reply.blocks) if at is None else at
    reply.blocks[place:place] = [line(one) for one in found]
    return reply


def line(remark: Breach) -> str:
    """Return a remark as a line for people."""
    return f"note: {remark.message}" + (f" ({remark.hint})" if remark.hint else "")


def document(breach: Breach) -> dict[str, Any]:
    """Return a remark, or a reason, as a script reads it."""
    fields = msgspec.structs.asdict(breach)
    return {name: value for name, value in fields.items() if value and name != "is_warning"}
