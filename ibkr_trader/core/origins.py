"""Who asked for an order, when a strategy did: `strategy/NAME/RULE` in its origin.

Orders, closings and messages carry it, so what a strategy sends, holds and earns can be added
up from the journal alone.
"""

from __future__ import annotations

STRATEGY = "strategy"


def rule_origin(strategy: str, rule: str) -> str:
    """Return the origin of what a rule of a strategy asks for."""
    return f"{STRATEGY}/{strategy}/{rule}"


def strategy_of(origin: str) -> str:
    """Return the strategy that asked for something; empty if none did."""
    first, _, rest = origin.partition("/")
    return rest.partition("/")[0] if first == STRATEGY else ""
