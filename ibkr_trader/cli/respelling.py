"""What a misspelt option was meant to be, if there is but one honest guess.

A guess is printed to be copied, so it may not answer a question that nobody has asked yet, and
it must be a line that the command takes.
"""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any

from ibkr_trader.cli.exits import UsageFault

if TYPE_CHECKING:
    from collections.abc import Sequence

# The only options without a value that a guess may put there: they choose what is shown, or make
# less happen. Each other one answers, forces or widens something, and so does `--waive`.
_HARMLESS_FLAGS = frozenset(
    {"--json", "--utc", "--dry-run", "--preview", "--outside-rth", "--plan", "--list"}
).union({"--deep", "--follow", "--full", "--headless", "--foreground", "--managed"})
_FORCING = frozenset({"--waive"})
_LIKENESS = 0.8  # of the letters: `--size` is not yet `--side`
_FEWEST = 3  # letters, for the beginning of a name to mean it


def near(name: str, context: Any) -> str:
    """Return the option of the command that a name which is none of them means; empty if none."""
    known = [
        one.removeprefix("--")
        for parameter in context.command.get_params(context)
        for one in parameter.opts
        if one.startswith("--") and one not in _FORCING
        if not getattr(parameter, "is_flag", False) or one in _HARMLESS_FLAGS
    ]
    word = name.removeprefix("--")
    begun = [one for one in known if len(word) >= _FEWEST and one.startswith(word)]
    found = begun if len(begun) == 1 else difflib.get_close_matches(word, known, 1, _LIKENESS)
    return f"--{found[0]}" if found else ""


def respelt(arguments: Sequence[str], context: Any) -> list[str]:
    """Return the command line with each option that does not exist replaced by the nearest one.

    Empty if one of them has none (what was given already cannot be what was meant), or if the
    command would not take the line even so.
    """
    words = list(arguments)
    start = _start(words, context)
    while (wrong := _complaint(words[start:], context)) is not None:
        name = getattr(wrong, "option_name", "") if hasattr(wrong, "possibilities") else ""
        better = near(name, context) if name.startswith("--") else ""
        if not better or better in {word.partition("=")[0] for word in words}:
            return []
        for index in range(start, len(words)):
            given, equals, value = words[index].partition("=")
            if given == name:
                words[index] = f"{better}{equals}{value}"
                break
        else:
            return []
    return words


def _start(words: Sequence[str], context: Any) -> int:
    """Where the command's own words begin: behind its name and those of its groups."""
    names, place = [], 0
    while context.parent is not None:
        names.append(context.info_name)
        context = context.parent
    for name in reversed(names):
        place = words.index(name, place) + 1
    return place


def _complaint(words: Sequence[str], context: Any) -> Exception | None:
    """What the command's parser says against the words; None if it takes them all."""
    command = context.command
    try:
        _, left, _ = command.make_parser(context).parse_args(list(words))
    except Exception as error:
        if not hasattr(error, "format_message"):  # none of Typer's
            raise
        return error
    is_too_much = left and not hasattr(command, "commands")
    return UsageFault(f"nothing takes {left[0]}") if is_too_much else None
