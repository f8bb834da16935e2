"""The keys that the footer names, for each panel, the most useful first.

What a key does is decided in `state.py` and explained by `?`; this is only what fits below.
"""

from __future__ import annotations

from ibkr_trader.dashboard.model import Panel

Hint = tuple[str, str]

HINTS: dict[Panel, tuple[Hint, ...]] = {
    Panel.POSITIONS: (
        ("x", "close"),
        ("t", "stop"),
        ("a", "cancel all"),
        ("tab", "panel"),
        ("h", "halt"),
        ("r", "resume"),
        ("u", "undo"),
        ("enter", "details"),
        ("/", "filter"),
        ("o", "sort"),
        ("d", "adopt"),
        ("n", "alarms"),
    ),
    Panel.ORDERS: (
        ("c", "cancel"),
        ("m", "modify"),
        ("a", "cancel all"),
        ("x", "close"),
        ("tab", "panel"),
        ("h", "halt"),
        ("t", "stop"),
        ("r", "resume"),
        ("u", "undo"),
        ("enter", "details"),
        ("/", "filter"),
        ("o", "sort"),
        ("d", "adopt"),
        ("n", "alarms"),
        ("0-9", "by number"),
    ),
    Panel.RISK: (
        ("h", "halt"),
        ("r", "resume"),
        ("a", "cancel all"),
        ("tab", "panel"),
        ("enter", "details"),
        ("n", "alarms"),
        ("/", "filter"),
    ),
    Panel.SIGNALS: (
        ("h", "halt"),
        ("r", "resume"),
        ("a", "cancel all"),
        ("tab", "panel"),
        ("enter", "details"),
        ("n", "alarms"),
        ("/", "filter"),
    ),
    Panel.FEED: (
        ("h", "halt"),
        ("r", "resume"),
        ("a", "cancel all"),
        ("tab", "panel"),
        ("enter", "details"),
        ("n", "alarms"),
        ("/", "filter"),
    ),
}
# Without a trader: a halt works by a file, so it is asked for all the same.
ALONE: tuple[Hint, ...] = (("h", "halt"), ("tab", "panel"), ("/", "filter"), ("o", "sort"))
TYPED: tuple[Hint, ...] = (("c", "cancel"), ("m", "modify"), ("esc", "leave it"))
ALWAYS: tuple[Hint, ...] = (("?", "help"), ("q", "quit"))
