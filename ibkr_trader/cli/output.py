"""What a command says: lines and tables for people, one JSON document for scripts.

On a terminal tables are drawn by rich; elsewhere they are plain, aligned and never
shortened. Text from outside is stripped of control characters before it is shown.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import sys
import textwrap
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from math import ceil
from typing import TYPE_CHECKING, Any, TextIO

import msgspec

from ibkr_trader.adapters.secret_text import without_secrets
from ibkr_trader.cli.exits import Exit
from ibkr_trader.core.text import plain, undivided

if TYPE_CHECKING:
    from collections.abc import Sequence

SCHEMA_PREFIX = "ibkr-trader"
_HANG = 4  # columns by which what is left of a line that was broken stands further in
_WORDS = re.compile(r"ibkr-trader(?: \S+)+|\S+")  # a command, up to two blanks, is one word
_BAR = 8  # cells of a bar
_SHORT = 8  # a note of one word, such as `trigger`, is not worth a line of its own
_encoder = msgspec.json.Encoder(decimal_format="string")


class Table(msgspec.Struct, frozen=True):
    """Rows under headers.

    Attributes:
        right: The columns of figures.
        spare: The columns to leave out on a narrow terminal, the first one first. What the
            last column then had to say stands below the table, a line for each row.
        bars: The columns of percentages that a terminal shows with a bar.
        colours: How a terminal shows cells of exactly these texts, in rich's words.
    """

    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    right: frozenset[str] = frozenset()
    spare: tuple[str, ...] = ()
    bars: frozenset[str] = frozenset()
    colours: dict[str, str] = {}


class Reply(msgspec.Struct, kw_only=True):
    """The answer of a command, in both forms.

    Attributes:
        schema: The name of the document's shape, with its version.
        data: The document, without `schema` and `ok`.
        blocks: Lines and tables, in order, for people.
        exit: The exit code; with anything but `DONE` the document says `ok: false`.
    """

    schema: str
    data: dict[str, Any]
    blocks: list[str | Table]
    exit: Exit = Exit.DONE


def print_json(schema: str, data: dict[str, Any], *, ok: bool = True) -> None:
    """Write one JSON document and a newline to standard output."""
    sys.stdout.write(document(schema, data, ok=ok) + "\n")
    sys.stdout.flush()


def document(schema: str, data: dict[str, Any], *, ok: bool = True) -> str:
    """Return one JSON document, on one line."""
    whole = {"schema": f"{SCHEMA_PREFIX}/{schema}", "ok": ok, **data}
    return without_secrets(_encoder.encode(_with_plain_figures(whole)).decode())


def encode(data: dict[str, Any]) -> msgspec.Raw:
    """Return the text of a document's fields, as `print_json` would write them."""
    return msgspec.Raw(_encoder.encode(_with_plain_figures(data)))


def _with_plain_figures(value: Any) -> Any:
    """The same, with each figure in full: what a division leaves is for no reader."""
    if isinstance(value, Decimal):
        return _figure(value)
    if isinstance(value, msgspec.Struct):
        value = msgspec.to_builtins(value, builtin_types=(Decimal, datetime))
    if isinstance(value, Mapping):
        return {key: _with_plain_figures(one) for key, one in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_with_plain_figures(one) for one in value]
    return value


def _figure(value: Decimal) -> str:
    """A figure without an exponent, a division's rest, and zeros at its end beyond cents."""
    if not value.is_finite():
        return str(value)
    value = undivided(value)
    whole, point, rest = f"{value:f}".partition(".")
    rest = rest[:2] + rest[2:].rstrip("0")
    text = f"{whole}{point}{rest}"
    return text if value else text.lstrip("-")


def print_block(block: str | Table) -> None:
    """Write one line or table to standard output."""
    if isinstance(block, str):
        sys.stdout.write(on_screen(_line_of(block), sys.stdout) + "\n")
    elif sys.stdout.isatty():
        _print_rich(block)
    else:
        sys.stdout.write(aligned(block))
    sys.stdout.flush()


def print_text(text: str) -> None:
    """Write text of our own, as it is, to standard output."""
    sys.stdout.write(text.rstrip() + "\n")
    sys.stdout.flush()


def note(text: str) -> None:
    """Write a remark for people to standard error."""
    sys.stderr.write(on_screen(_line_of(text), sys.stderr) + "\n")
    sys.stderr.flush()


def folded(line: str, width: int) -> str:
    """Return `line` broken between its words where it is longer than `width`.

    A command stays on one line, however long, because it is there to be copied.
    """
    margin = " " * (len(line) - len(line.lstrip(" ")) + _HANG)
    rows, row, end = [], "", 0
    for word in _WORDS.finditer(line):
        longer = row + line[end : word.start()] + word[0]
        end = word.end()
        if len(longer) > width and row.strip():
            rows.append(row)
            longer = margin + word[0]
        row = longer
    return "\n".join([*rows, row])


def on_screen(line: str, stream: TextIO) -> str:
    """Return `line` as `stream` shall have it: a terminal would break words in the middle."""
    return folded(line, shutil.get_terminal_size().columns) if stream.isatty() else line


def give_up(text: str) -> None:
    """Write nothing more to standard output, and say why on standard error."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    with contextlib.suppress(OSError, ValueError):
        note(text)


def aligned(table: Table) -> str:
    """Return `table` as text, every cell whole."""
    lines = [table.headers, *(tuple(map(_cell, row)) for row in table.rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(table.headers))]
    return "".join(_line(table, line, widths) for line in lines)


def _cell(text: str) -> str:
    return plain(without_secrets(text))


def _line_of(text: str) -> str:
    """A line as it is laid out, with nothing in it that could steer the terminal."""
    text = without_secrets(text)
    indent = len(text) - len(text.lstrip(" "))
    parts = re.split(r"( {2,})", text.strip())  # runs of blanks are columns, and stay
    return " " * indent + "".join(
        part if number % 2 else plain(part, limit=2_000) for number, part in enumerate(parts)
    )


def _line(table: Table, cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = (
        cell.rjust(width) if header in table.right else cell.ljust(width)
        for cell, width, header in zip(cells, widths, table.headers, strict=True)
    )
    return "  ".join(padded).rstrip() + "\n"


def fitted(table: Table, width: int) -> tuple[Table, list[str]]:
    """Return `table` without the columns that do not fit in `width`, and the lines for below."""
    notes: list[str] = []
    spare = list(table.spare)
    while spare and max(map(len, aligned(table).splitlines())) > width:
        column = table.headers.index(spare.pop(0))
        if column == len(table.headers) - 1:
            notes += [
                f"  {row[0]}: {row[column]}" for row in table.rows if len(row[column]) > _SHORT
            ]
        table = _without(table, column)
    return table, notes


def with_bars(table: Table) -> Table:
    """Return `table` with a bar before each percentage of its columns that have bars."""
    drawn = [header in table.bars for header in table.headers]
    rows = tuple(
        tuple(_bar(cell) if has else cell for cell, has in zip(row, drawn, strict=True))
        for row in table.rows
    )
    return msgspec.structs.replace(table, rows=rows)


def _bar(cell: str) -> str:
    number, _, sign = cell.replace(",", "").partition(" ")
    if sign != "%":
        return cell
    part = min(1.0, max(0.0, float(number) / 100))
    full = min(_BAR, ceil(part * _BAR))
    return f"{'█' * full}{'░' * (_BAR - full)} {cell}"


def _without(table: Table, column: int) -> Table:
    def kept(cells: tuple[str, ...]) -> tuple[str, ...]:
        return cells[:column] + cells[column + 1 :]

    rows = tuple(kept(row) for row in table.rows)
    return msgspec.structs.replace(table, headers=kept(table.headers), rows=rows)


def _coloured(text: str, colour: str | None) -> str:
    return f"[{colour}]{text}[/]" if colour else text


def _print_rich(table: Table) -> None:
    from rich.console import Console  # noqa: PLC0415 - only a terminal needs it
    from rich.markup import escape  # noqa: PLC0415 - as above
    from rich.table import Table as RichTable  # noqa: PLC0415 - as above

    console = Console()
    shown, notes = fitted(with_bars(table), console.width)
    drawn = RichTable(box=None, pad_edge=False, header_style="bold")
    for column, header in enumerate(shown.headers):
        drawn.add_column(
            escape(header),
            justify="right" if header in shown.right else "left",
            overflow="fold",
            no_wrap=not column,  # names stay whole: they are typed again
        )
    for row in shown.rows:
        drawn.add_row(*(_coloured(escape(_cell(cell)), table.colours.get(cell)) for cell in row))
    console.print(drawn)
    for line in notes:
        for part in textwrap.wrap(_line_of(line), console.width, subsequent_indent="    "):
            sys.stdout.write(part + "\n")
    told = table.headers[-1] if notes else ""
    left_out = [header for header in table.headers if header not in (*shown.headers, told)]
    if left_out:
        sys.stdout.write(f"  (narrow: without {', '.join(left_out)})\n")
