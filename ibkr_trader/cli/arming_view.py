"""Whether the desk is armed, as `status` tells it: until when, or everything that is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ibkr_trader.cli.wording import when

if TYPE_CHECKING:
    from ibkr_trader.cli.face import Face
    from ibkr_trader.execution.desk import Desk


def arming_document(desk: Desk) -> dict[str, Any]:
    """Return it for scripts."""
    arming, view = desk.trader.arming.arming(as_typed=False), desk.trader.outlook.view()
    is_armed = arming.is_armed(view.now)
    return {
        "is_live": arming.is_live,
        "is_armed": is_armed,
        "until": arming.until if is_armed else None,
        "missing": [] if is_armed else [one.message for one in view.arming.missing(view.now)],
    }


def arming_rows(face: Face, desk: Desk) -> list[tuple[str, str]]:
    """Return it as rows for people; none where nobody has to arm anything."""
    arming, view = desk.trader.arming.arming(as_typed=False), desk.trader.outlook.view()
    if not arming.is_armed(view.now):
        return [
            ("NOT ARMED", f"{one.message}: {one.hint}") for one in view.arming.missing(view.now)
        ]
    return [("armed", f"until {when(arming.until, utc=face.utc)}")] if arming.is_live else []
