"""Asking before something large: a command that uses much of a limit is looked at twice.

Only on the command line; a program knows what it does. What would be denied anyway is not
asked about, nor what a preview has shown already and a token sends.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibkr_trader.risk.largest_use import largest_use
from ibkr_trader.risk.verdict import Denied

if TYPE_CHECKING:
    from ibkr_trader.cli.face import Face
    from ibkr_trader.core.commands import SubmitOrders
    from ibkr_trader.execution.desk import Desk


async def confirm_large(face: Face, desk: Desk, command: SubmitOrders) -> None:
    """Ask whether `command` is meant, if it uses more of a limit than `confirm_above` says.

    Raises:
        Unconfirmed: If the answer is no, or there is nobody to ask.
    """
    trader = desk.trader
    if isinstance(trader.router.preview(command), Denied):
        return  # whoever sends it is told why
    view = trader.outlook.view()
    part = largest_use(command, view)
    if part is not None and part.share > view.limits.confirm_above:
        await face.ask(f"{part}. Place it?")
