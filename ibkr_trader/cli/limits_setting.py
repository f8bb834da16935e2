"""`set-symbol-limit` and `limits --restore`: the limits file, changed with or without a trader.

Neither needs a gateway. A running trader is asked to look at the file at once, so that what
is tighter is in force when the command ends.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from ibkr_trader.adapters.limits_file import LimitsFile
from ibkr_trader.adapters.limits_reader import EXAMPLES, amount_of
from ibkr_trader.adapters.private_files import private_folder
from ibkr_trader.cli import values
from ibkr_trader.cli.exits import UsageFault
from ibkr_trader.cli.face import DESK_COMMANDS, Face
from ibkr_trader.cli.output import Reply, Table
from ibkr_trader.cli.past_journal import past_journal
from ibkr_trader.cli.remote import at_the_trader
from ibkr_trader.config import Profile
from ibkr_trader.core.contracts import contract_of
from ibkr_trader.core.enums import SecType
from ibkr_trader.core.errors import ConfigError, TraderError
from ibkr_trader.core.events import CheckpointEvent, LimitsEvent
from ibkr_trader.core.text import UNKNOWN, money, quantity
from ibkr_trader.risk.limits import LIMIT_KEYS
from ibkr_trader.risk.tightening import EVERY_OTHER, changes

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from ibkr_trader.config import Place, Settings
    from ibkr_trader.risk.limits import RiskLimits
    from ibkr_trader.risk.tightening import Change

KEYS = {
    "--max-position": "max_position_size",
    "--max-loss": "max_daily_loss",
    "--max-order-exposure": "max_order_exposure",
    "--max-correlation-exposure": "max_correlation_exposure",
}


class _Heard(NamedTuple):
    """What a running trader says of the file; without `words` none runs."""

    words: str = ""
    pid: int | None = None
    waiting: tuple[dict[str, Any], ...] = ()

    def document(self) -> dict[str, Any] | None:
        """Return it as scripts see it."""
        return {"pid": self.pid, "waiting": list(self.waiting)} if self.words else None


class _Look(msgspec.Struct, frozen=True, kw_only=True):
    """The trader's answer, as `take_up` gives it."""

    pid: int | None = None
    fault: str = ""
    waiting: tuple[dict[str, Any], ...] = ()


def set_limits(
    face: Face, symbol: str, given: Mapping[str, str], *, is_default: bool, is_removal: bool
) -> Reply:
    """Write limits of one symbol (or the default) and say what is otherwise from now on.

    Raises:
        UsageFault: If the options do not fit together, or a limit is looser than the global one.
        ConfigError: If the file is damaged, or lost, or cannot be written.
    """
    name = _whose(symbol, is_default=is_default)
    if is_removal == bool(given):
        options = ", ".join(KEYS)
        message = f"--remove takes none of {options}" if given else f"give one of {options}"
        raise UsageFault(f"{message}, or --remove" if not given else message)
    settings = face.settings()
    limits = None if is_removal else _limits(given, settings.risk)
    file = LimitsFile(settings.data_dir, settings.risk)
    _refuse_if_lost(file, settings)
    before, after = file.would(name, limits)
    changed, heard = changes(before, after, settings.risk), None
    if not face.dry_run and before != after:
        if settings.profile is Profile.LIVE and any(one.is_looser for one in changed):
            face.confirm(f"This allows {_called(name)} more than now. Write it?")
        before, after = file.change(name, limits)
        changed, heard = changes(before, after, settings.risk), _tell_trader(face)
    table = _table(changed, settings.risk) if changed else None
    waits = settings.profile is Profile.LIVE and any(one.is_looser for one in changed)
    alone = _NEXT_LIVE if waits else _NEXT
    blocks = _blocks(f"{_called(name)} in {file.path}", table=table, heard=heard, alone=alone)
    data = {
        "symbol": name,
        "file": str(file.path),
        "written": heard is not None,
        "changes": [change_document(one) for one in changed],
        "trader": heard.document() if heard is not None else None,
    }
    return Reply(schema="symbol-limit/1", data=data, blocks=blocks)


def take_up(face: Face) -> Reply:
    """Have the trader that runs this look at its limits file now; say what has to wait."""
    watch = face.desk.trader.outlook.book.limits_watch if face.desk is not None else None
    waiting: list[dict[str, Any]] = []
    fault = ""
    if watch is not None:
        watch.look()
        watch.settle()
        waiting = [change_document(one) for one in watch.waiting()]
        fault = "; ".join(str(one) for one in watch.reading.faults)
    pid = face.trader.document()["pid"] if face.trader is not None else None
    data = {"pid": pid, "fault": fault, "waiting": waiting}
    return Reply(schema="limits-look/1", data=data, blocks=[])


def restore(face: Face) -> Reply:
    """Write the limits file as it was in force last, unless there is a sound one.

    Raises:
        ConfigError: If nobody knows of limits that were in force, or it cannot be written.
    """
    settings = face.settings()
    file = LimitsFile(settings.data_dir, settings.risk)
    reading = file.read()
    if reading.registry is not None:
        line = f"{file.path} is there and sound: nothing was changed"
        return Reply(schema="limits-restore/1", data=_restored(file, written=False), blocks=[line])
    content = _in_force(face, settings)
    if content is None:
        raise ConfigError(
            f"no limits are known that could be written to {file.path}",
            hint="mend it, or remove it: then the global limits hold",
        )
    aside = file.restore(content)
    if face.desk is not None:
        take_up(face)
    lines = [f"{file.path} is written as it was in force."]
    if aside is not None:
        lines.append(f"The damaged one is kept as {aside}.")
    return Reply(
        schema="limits-restore/1", data=_restored(file, written=True, aside=aside), blocks=[*lines]
    )


def change_document(change: Change) -> dict[str, Any]:
    """Return a change as scripts see it."""
    return msgspec.structs.asdict(change) | {"is_looser": change.is_looser}


def change_words(symbol: str, key: str, before: object, after: object) -> str:
    """Return a change in a line: `AAPL max_position_size 50 → 80`."""
    return f"{_called(symbol)} {key} {before or UNKNOWN} → {after or UNKNOWN}"


def shown_limit(key: str, value: Decimal | None) -> str:
    """Return a limit as people read it: shares as they are, money to the cent."""
    return quantity(value) if key == "max_position_size" else money(value)


def _called(symbol: str) -> str:
    return "every other symbol" if symbol == EVERY_OTHER else symbol.replace(" ", ".")


def _whose(symbol: str, *, is_default: bool) -> str:
    """The symbol as the limits have it; `*` is every symbol without its own."""
    if bool(symbol) == is_default and symbol != EVERY_OTHER:
        raise UsageFault("give --symbol SYMBOL, or --default for every symbol without its own")
    if is_default or symbol == EVERY_OTHER:
        return EVERY_OTHER
    contract = contract_of(values.symbol(symbol))
    if contract.sec_type is SecType.OPTION:
        message = f"--symbol {symbol!r} is an option: limits are those of its underlying"
        raise UsageFault(message, option="--symbol", typed=symbol, better=contract.symbol)
    return contract.symbol


def _limits(given: Mapping[str, str], cap: RiskLimits) -> dict[str, Decimal]:
    """The limits as they were typed, all of them tighter than the global ones."""
    found: dict[str, Decimal] = {}
    faults: list[str] = []
    right: dict[str, str] = {}  # of each option that is wrong
    for option, text in given.items():
        key = KEYS[option]
        most = getattr(cap, key, None)
        value, why = amount_of(text.strip(), key)
        if value is None:
            faults.append(f"{option}: {why}")
            right[option] = _within(EXAMPLES[key], most)
        elif most is not None and value > most:
            faults.append(
                f"{option} {shown_limit(key, value)} is looser than the global "
                f"{shown_limit(key, most)} ([risk] {key}): a symbol's limit can only be tighter"
            )
            right[option] = _within(text, most)
        else:
            found[key] = value
    if faults:
        raise UsageFault("; ".join(faults), remedies=(right,))
    return found


def _within(text: str, most: Decimal | None) -> str:
    """An amount as one would type it, no looser than the global limit."""
    if most is None or Decimal(text) <= most:
        return text
    return quantity(most).replace(",", "")


def _refuse_if_lost(file: LimitsFile, settings: Settings) -> None:
    """Refuse to begin a new file where one is missing that was in force."""
    if file.mark() is not None:
        return
    content = known_to_journal(settings.place)
    registry = file.parse(content).registry if content is not None else None
    if content is not None and (registry is None or not registry.is_empty):
        message = f"{file.path} is missing, and its limits were in force: a new one would lose them"
        raise ConfigError(message, hint="ibkr-trader limits --restore")


def known_to_journal(place: Place) -> str | None:
    """Return the limits that were in force last, by the journal of a profile; None if none were.

    Raises:
        JournalError: If it is damaged.
    """
    known: LimitsEvent | None = None
    with past_journal(place) as journal:
        for message in journal.resume() if journal is not None else ():
            if isinstance(message, LimitsEvent):
                known = message
            elif isinstance(message, CheckpointEvent):
                known = message.limits
    return known.content if known is not None else None


def _in_force(face: Face, settings: Settings) -> str | None:
    if face.desk is not None:
        watch = face.desk.trader.outlook.book.limits_watch
        if watch is not None and not watch.in_force.is_empty:
            return watch.source.text(watch.in_force)
        return None
    private_folder(settings.place.folder)
    return known_to_journal(settings.place)


def _tell_trader(face: Face) -> _Heard:
    """Ask a running trader to look at the file, and return what it says."""
    asking = Face(json=True, arguments=face.arguments)
    asking.flags = face.flags
    try:
        reply = at_the_trader(asking, DESK_COMMANDS["risk.limits-look"], {})
    except TraderError as error:
        return _Heard(f"A trader runs and did not answer ({error.message}): it looks by itself.")
    if reply is None:
        return _Heard()
    raw = {key: msgspec.json.decode(value) for key, value in reply.data.items()}
    look = msgspec.convert(raw, _Look)
    words = f"The running trader (process {look.pid}) goes by it from now on."
    if look.waiting:
        words = (
            f"The running trader (process {look.pid}) goes by what is tighter from now on; what is "
            "looser waits until the desk is disarmed or the trader is started again:"
        )
    return _Heard(words, look.pid, look.waiting)


def _blocks(
    where: str, *, table: Table | None, heard: _Heard | None, alone: str
) -> list[str | Table]:
    if heard is None:
        text = "Nothing was written" if table is not None else "Nothing is otherwise than it is"
        head = f"The limits of {where} would be"
        return [head, table, f"{text}."] if table is not None else [f"{text}: {where}."]
    blocks: list[str | Table] = [f"The limits of {where} are written."]
    if table is not None:
        blocks.append(table)
    blocks.append(heard.words or alone)
    for one in heard.waiting:
        words = change_words(one["symbol"], one["key"], one["before"], one["after"])
        blocks.append(f"  {words}")
    return blocks


_NEXT = "No trader runs: it holds from the next command on."
_NEXT_LIVE = f"{_NEXT} If the desk is armed, what is looser waits for: ibkr-trader disarm"


def _table(found: Iterable[Change], cap: RiskLimits) -> Table:
    rows = tuple(
        (
            one.symbol.replace(" ", "."),
            one.key,
            shown_limit(one.key, one.before),
            shown_limit(one.key, one.after),
            shown_limit(one.key, getattr(cap, one.key, None)),
        )
        for one in sorted(found, key=lambda one: (one.symbol, LIMIT_KEYS.index(one.key)))
    )
    right = frozenset({"WAS", "IS", "GLOBAL"})
    return Table(("SYMBOL", "LIMIT", "WAS", "IS", "GLOBAL"), rows, right)


def _restored(file: LimitsFile, *, written: bool, aside: Path | None = None) -> dict[str, Any]:
    return {
        "file": str(file.path),
        "written": written,
        "aside": str(aside) if aside is not None else None,
    }
