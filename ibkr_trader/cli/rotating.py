"""`audit rotate`: seal the journal's file before it is large, as before an archive is made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibkr_trader.adapters.journal import SqliteJournal
from ibkr_trader.cli.exits import Incomplete
from ibkr_trader.cli.output import Reply
from ibkr_trader.cli.trading import desk_for, title
from ibkr_trader.core.errors import JournalError

if TYPE_CHECKING:
    from collections.abc import Callable

    from ibkr_trader.cli.face import Face


async def rotate(face: Face) -> Reply:
    """Mark a resting point and go on in a new file; reply with the names of both.

    Raises:
        JournalError: If the journal cannot be written.
        Incomplete: If the file could not be sealed at this moment.
        TraderError: Whatever keeps the desk from being opened.
    """
    async with desk_for(face, looks=True) as desk:
        journal, head = desk.trader.journal, title(face.settings(), desk)
        if not isinstance(journal, SqliteJournal):
            raise JournalError("this journal is no file", hint="ibkr-trader doctor")
        before = journal.file
        if face.dry_run:
            data = {"sealed": before.name, "follows": None}
            lines = [f"{head}  would seal {before.name}", "Nothing was changed."]
            return Reply(schema="rotated/1", data=data, blocks=[*lines])
        _turn(desk.trader.recovery.checkpoint, journal)
        if journal.file == before:
            message = f"{before.name} could not be sealed: somebody reads it, or the disk is full"
            raise Incomplete(message, hint="ibkr-trader audit rotate, a little later")
        data = {"sealed": before.name, "follows": journal.file.name}
        text = f"{head}  {before.name} is sealed, and {journal.file.name} follows on it"
        more = f"It stays where it is, and is read as before: {before}"
        return Reply(schema="rotated/1", data=data, blocks=[text, more])


def _turn(checkpoint: Callable[[], None], journal: SqliteJournal) -> None:
    usual, journal.segment_bytes = journal.segment_bytes, 0
    try:
        checkpoint()
    finally:
        journal.segment_bytes = usual
