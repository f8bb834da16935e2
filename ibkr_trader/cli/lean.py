"""Keeps pydantic out of a command's start: a tenth of a second that no command needs.

Typer builds a pydantic adapter for each parameter, even for plain text. Ours are all text,
flags or lists of text, and `values.py` reads them strictly afterwards; so here each is
given a converter that hands the text on. Where Typer has no such place, nothing changes.
"""

from __future__ import annotations

from typing import Any, get_origin


class _AsTyped:
    """Hands on what was typed: text as text, lists as lists, flags as truth values."""

    def __init__(self, *, is_list: bool, is_flag: bool) -> None:
        self._is_list, self._is_flag = is_list, is_flag

    def coerce(self, value: Any, param: Any, ctx: Any) -> Any:  # noqa: ARG002 - Typer's signature
        if self._is_list:
            return [str(one) for one in value or ()]
        if self._is_flag and isinstance(value, str):
            return value.strip().lower() in {"1", "true", "yes", "on"}
        return value


def without_pydantic(command: Any) -> Any:
    """Return `command`, its own parameters converted by us."""
    for parameter in command.params:
        as_typed(parameter)
    return command


def as_typed(parameter: Any) -> Any:
    """Return `parameter`, which from now on hands on what was typed."""
    descriptor = getattr(parameter, "type_descriptor", None)
    if descriptor is not None and hasattr(parameter, "_runtime_param"):
        annotation = descriptor.annotation
        is_list, is_flag = get_origin(annotation) is list, annotation is bool
        if is_list or is_flag or annotation is str:
            parameter._runtime_param = _AsTyped(is_list=is_list, is_flag=is_flag)  # noqa: SLF001 - the only place to put it
    return parameter
