"""The names of the keys that are no characters, as `inputs.Pressed` has them.

A character is its own name. Three controls have no name of their own, because a terminal sends
the same byte for them as for another key: Ctrl-H is backspace, Ctrl-I is tab, Ctrl-M is enter.
Ctrl-C and Ctrl-Z normally come as signals and not as keys.
"""

from __future__ import annotations

from string import ascii_lowercase

MOVES = frozenset({"up", "down", "left", "right", "home", "end", "pageup", "pagedown"})
EDITS = frozenset({"tab", "backtab", "enter", "escape", "backspace", "delete", "insert"})
CONTROLS = frozenset(f"ctrl-{letter}" for letter in ascii_lowercase if letter not in "him")
FUNCTIONS = frozenset(f"f{number}" for number in range(1, 13))

NAMES = MOVES | EDITS | CONTROLS | FUNCTIONS
