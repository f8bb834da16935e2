"""How far a long command is: a bar on a terminal's standard error, and nothing elsewhere."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@contextmanager
def progress(what: str, *, is_shown: bool = True) -> Iterator[Callable[[int, int, str], None]]:
    """Yield what is told how far the command is: `(done, total, text)`; a total of 0 only says.

    Without `is_shown` nothing is drawn: the terminal here may be somebody else's.
    """
    if not (is_shown and sys.stderr.isatty()):
        yield lambda done, total, text: None  # noqa: ARG005 - nobody looks
        return
    from rich.console import Console  # noqa: PLC0415 - only a terminal needs it
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn  # noqa: PLC0415

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as shown:
        task = shown.add_task(what, total=None)

        def report(done: int, total: int, text: str) -> None:
            if total:
                shown.update(task, completed=done, total=total)
            shown.update(task, description=f"{what} {text}".strip())

        yield report
