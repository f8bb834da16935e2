"""Text for a screen, made harmless as `core.text.plain` does it, where there is much of it.

`plain` looks at every character of every text. Nearly all of what a screen is sent are our own
sentences, which need none of that, and a screen is sent hundreds of them a second.
"""

from __future__ import annotations

from ibkr_trader.core.text import plain

LONGEST = 2_000  # characters: a denial names every reason


def harmless(text: str) -> str:
    """Return what `plain` would."""
    if len(text) <= LONGEST and text.isprintable() and "  " not in text and text.strip() == text:
        return text
    return plain(text, limit=LONGEST)
