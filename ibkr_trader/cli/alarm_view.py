"""`alarms` and `ack`: what stands, how often it was told, and who has taken note."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ibkr_trader.adapters.user import user_name
from ibkr_trader.cli import output
from ibkr_trader.cli.exits import Exit, UsageFault
from ibkr_trader.cli.trading import desk_for, title
from ibkr_trader.cli.wording import counted, when
from ibkr_trader.core.text import plain

if TYPE_CHECKING:
    from ibkr_trader.cli.face import Face
    from ibkr_trader.core.events import AlarmEvent
    from ibkr_trader.execution.desk import Desk

_LONGEST_REASON = 200


async def alarms(face: Face) -> output.Reply:
    """Return what nobody has taken note of.

    Raises:
        TraderError: Whatever keeps the desk from being opened.
    """
    async with desk_for(face) as desk:
        return _reply(face, desk, schema="alarms/1", found=desk.trader.alarming.standing)


async def ack(face: Face, names: tuple[str, ...], *, everything: bool, reason: str) -> output.Reply:
    """Take note of alarms, and return what still stands.

    Raises:
        UsageFault: If none is named, or a name means none or several.
        TraderError: Whatever keeps it from being written down.
    """
    if everything == bool(names):
        message = "name the alarms, or give --all" if not names else "--all means every alarm"
        raise UsageFault(message, hint="ibkr-trader alarms")
    async with desk_for(face) as desk:
        alarming = desk.trader.alarming
        standing = {one.key: one for one in alarming.standing}
        keys = tuple(standing) if everything else tuple(_meant(one, standing) for one in names)
        found = tuple(standing[key] for key in keys)
        if not face.dry_run:
            words = plain(reason, limit=_LONGEST_REASON)
            alarming.acknowledge(keys, by=face.operator or user_name(), reason=words)
        return _reply(face, desk, schema="acknowledged/1", found=found)


def words_of(alarm: AlarmEvent) -> str:
    """Return what an alarm says: of one that waits for a person alone, that it is over."""
    return ("over: " if alarm.is_over else "") + alarm.message


def _meant(name: str, standing: dict[str, AlarmEvent]) -> str:
    found = [key for key in standing if key == name] or [
        key for key in standing if key.startswith(name)
    ]
    if len(found) != 1:
        what = "means several alarms" if found else "is no alarm that stands"
        raise UsageFault(f"{name} {what}", hint="ibkr-trader alarms")
    return found[0]


def _reply(face: Face, desk: Desk, *, schema: str, found: tuple[AlarmEvent, ...]) -> output.Reply:
    is_look = schema == "alarms/1"
    alarming = desk.trader.alarming
    rows = tuple(
        (
            one.key,
            when(one.since, utc=face.utc),
            str(one.count),
            str(alarming.told(one.key).times),
            words_of(one),
        )
        for one in found
    )
    head = title(face.settings(), desk)
    what = counted(len(found), "alarm")
    blocks: list[str | output.Table] = []
    if is_look:
        blocks.append(f"{head}  {what}" if found else f"{head}  no alarm stands")
    else:
        verb = "would be taken note of" if face.dry_run else "taken note of"
        blocks.append(f"{head}  {what} {verb}")
    if rows:
        right = frozenset({"SEEN", "TOLD"})
        blocks.append(output.Table(("ALARM", "SINCE", "SEEN", "TOLD", "WHAT"), rows, right))
    if alarming.trouble:
        blocks.append(f"The last message did not get through: {alarming.trouble}")
    if is_look and found:
        blocks.append("Next: ibkr-trader ack --all  ibkr-trader status")
    data: dict[str, Any] = {
        "account": desk.trader.account,
        "alarms": [_document(desk, one) for one in found],
        "is_sent": alarming.notifier is not None,
        "trouble": alarming.trouble or None,
    }
    code = Exit.INCOMPLETE if is_look and found else Exit.DONE
    return output.Reply(schema=schema, data=data, blocks=blocks, exit=code)


def _document(desk: Desk, alarm: AlarmEvent) -> dict[str, Any]:
    return {
        "key": alarm.key,
        "message": alarm.message,
        "since": alarm.since,
        "count": alarm.count,
        "told": desk.trader.alarming.told(alarm.key).times,
        "is_over": alarm.is_over,
        "must_be_seen": alarm.must_be_seen,
    }
