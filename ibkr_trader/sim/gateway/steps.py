"""Message tables compiled for one server version: what reads and writes the fields."""

from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any, Protocol

from ibkr_trader.sim.gateway.items import (
    Item,
    Literal,
    MalformedMessage,
    Many,
    Part,
    Row,
    Scope,
    Values,
    Variants,
    When,
)
from ibkr_trader.sim.gateway.kinds import int_or_none


class Step(Protocol):
    """One compiled piece of a layout."""

    def read(self, fields: Sequence[str], at: int, values: dict[str, Any]) -> int:
        """Read from `fields[at:]` into `values`; return where the next step starts."""

    def write(self, value: object, out: list[str]) -> None:
        """Append the fields of `value`."""


def read_all(steps: tuple[Step, ...], fields: Sequence[str], at: int) -> tuple[dict[str, Any], int]:
    """Return the attributes that `fields[at:]` hold, and where the next message part starts."""
    values: dict[str, Any] = {}
    for step in steps:
        at = step.read(fields, at, values)
    return values, at


class _Scalars:
    """A run of plain fields, the bulk of every message."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self._readers = [(row.name, row.kind.read) for row in rows]
        self._writers = [row.kind.write for row in rows]
        names = [row.name for row in rows]
        getter = attrgetter(*names)
        self._values: Callable[[Any], tuple[Any, ...]] = (
            getter if len(names) > 1 else lambda value: (getter(value),)
        )

    def read(self, fields: Sequence[str], at: int, values: dict[str, Any]) -> int:
        name = ""
        try:
            for name, reader in self._readers:
                values[name] = reader(fields[at])
                at += 1
        except ValueError as error:
            message = f"{name}: {error}"
            raise MalformedMessage(message) from None
        return at

    def write(self, value: object, out: list[str]) -> None:
        out.extend([write(v) for write, v in zip(self._writers, self._values(value), strict=True)])


class _Constant:
    def __init__(self, literal: Literal) -> None:
        self._text = literal.text

    def read(self, fields: Sequence[str], at: int, values: dict[str, Any]) -> int:  # noqa: ARG002 - one shape for all steps
        fields[at]
        return at + 1

    def write(self, value: object, out: list[str]) -> None:  # noqa: ARG002 - one shape for all steps
        out.append(self._text)


class _Nested:
    def __init__(self, part: Part, version: int) -> None:
        self._name = part.name
        self._struct = part.layout.struct
        self._steps = compile_rows(part.layout.rows, version)

    def read(self, fields: Sequence[str], at: int, values: dict[str, Any]) -> int:
        inner, at = read_all(self._steps, fields, at)
        values[self._name] = self._struct(**inner)
        return at

    def write(self, value: object, out: list[str]) -> None:
        inner = getattr(value, self._name)
        for step in self._steps:
            step.write(inner, out)


class _Counted:
    def __init__(self, many: Many, version: int) -> None:
        self._name = many.name
        self._struct = many.layout.struct
        self._steps = compile_rows(many.layout.rows, version)

    def read(self, fields: Sequence[str], at: int, values: dict[str, Any]) -> int:
        count = _count(fields[at], self._name)
        at += 1
        items = []
        for _ in range(count):
            inner, at = read_all(self._steps, fields, at)
            items.append(self._struct(**inner))
        values[self._name] = tuple(items)
        return at

    def write(self, value: object, out: list[str]) -> None:
        items = getattr(value, self._name)
        out.append(str(len(items)))
        for item in items:
            for step in self._steps:
                step.write(item, out)


class _Tuples:
    def __init__(self, row: Values) -> None:
        self._name = row.name
        self._kinds = row.kinds
        self._bare = len(row.kinds) == 1

    def read(self, fields: Sequence[str], at: int, values: dict[str, Any]) -> int:
        count = _count(fields[at], self._name)
        at += 1
        items: list[Any] = []
        try:
            for _ in range(count):
                item = tuple(kind.read(fields[at + i]) for i, kind in enumerate(self._kinds))
                items.append(item[0] if self._bare else item)
                at += len(self._kinds)
        except ValueError as error:
            message = f"{self._name}: {error}"
            raise MalformedMessage(message) from None
        values[self._name] = tuple(items)
        return at

    def write(self, value: object, out: list[str]) -> None:
        items = getattr(value, self._name)
        out.append(str(len(items)))
        for item in items:
            row = (item,) if self._bare else item
            out.extend(kind.write(v) for kind, v in zip(self._kinds, row, strict=True))


class _Tagged:
    def __init__(self, row: Variants, version: int) -> None:
        self._name = row.name
        self._cases = {
            tag: (layout.struct, compile_rows(layout.rows, version))
            for tag, layout in row.layouts.items()
        }
        self._tags = {layout.struct: str(tag) for tag, layout in row.layouts.items()}

    def read(self, fields: Sequence[str], at: int, values: dict[str, Any]) -> int:
        count = _count(fields[at], self._name)
        at += 1
        items = []
        for _ in range(count):
            case = self._cases.get(_count(fields[at], self._name))
            if case is None:
                message = f"{self._name}: unknown type {fields[at]}"
                raise MalformedMessage(message)
            inner, at = read_all(case[1], fields, at + 1)
            items.append(case[0](**inner))
        values[self._name] = tuple(items)
        return at

    def write(self, value: object, out: list[str]) -> None:
        items = getattr(value, self._name)
        out.append(str(len(items)))
        for item in items:
            tag = self._tags[type(item)]
            out.append(tag)
            for step in self._cases[int(tag)][1]:
                step.write(item, out)


class _Scoped:
    """Rows of a struct inside; its fields are kept, as one order is told several times in a row."""

    def __init__(self, scope: Scope, version: int) -> None:
        self._name = scope.name
        self._steps = compile_rows(scope.rows, version)
        self._told: object = None
        self._fields: list[str] = []

    def read(self, fields: Sequence[str], at: int, values: dict[str, Any]) -> int:
        inner = values.setdefault(self._name, {})
        for step in self._steps:
            at = step.read(fields, at, inner)
        return at

    def write(self, value: object, out: list[str]) -> None:
        inner = getattr(value, self._name)
        if inner is not self._told:
            fresh: list[str] = []
            for step in self._steps:
                step.write(inner, fresh)
            self._told, self._fields = inner, fresh
        out.extend(self._fields)


class _Conditional:
    def __init__(self, row: When, version: int) -> None:
        self._name = row.name
        self._test = row.test
        self._steps = compile_rows(row.rows, version)

    def read(self, fields: Sequence[str], at: int, values: dict[str, Any]) -> int:
        if self._test(values[self._name]):
            for step in self._steps:
                at = step.read(fields, at, values)
        return at

    def write(self, value: object, out: list[str]) -> None:
        if self._test(getattr(value, self._name)):
            for step in self._steps:
                step.write(value, out)


def _count(text: str, name: str) -> int:
    try:
        count = int_or_none(text) or 0
    except ValueError as error:
        message = f"{name}: {error}"
        raise MalformedMessage(message) from None
    if count < 0:
        message = f"{name}: a count below zero"
        raise MalformedMessage(message)
    return count


def compile_rows(rows: Sequence[Item], version: int) -> tuple[Step, ...]:
    """Return the steps of `rows` that exist at `version`, runs of plain fields made one."""
    steps: list[Step] = []
    run: list[Row] = []
    for row in rows:
        if not row.since <= version < row.until:
            continue
        if isinstance(row, Row):
            run.append(row)
            continue
        if run:
            steps.append(_Scalars(run))
            run = []
        steps.append(_step(row, version))
    if run:
        steps.append(_Scalars(run))
    return tuple(steps)


def _step(row: Literal | Part | Many | Values | Variants | Scope | When, version: int) -> Step:
    step: Step
    match row:
        case Literal():
            step = _Constant(row)
        case Part():
            step = _Nested(row, version)
        case Many():
            step = _Counted(row, version)
        case Values():
            step = _Tuples(row)
        case Variants():
            step = _Tagged(row, version)
        case Scope():
            step = _Scoped(row, version)
        case When():
            step = _Conditional(row, version)
    return step
