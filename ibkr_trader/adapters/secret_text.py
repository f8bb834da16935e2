"""A secret: a text that nothing prints, and that only whoever needs it reads.

Secrets never stand in a settings file. It names the variable of the environment that holds one.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping

_VISIBLE = re.compile(r"[!-~]+")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}")
_TELLING = re.compile(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)+")  # nobody takes such a text for a secret

_TELLTALE = 6  # characters from which on a text is not met by chance
SURE = 16  # characters from which on it is in no word, name or figure of ours
_known: list[str] = []  # all that this process was ever told, the longest first: for what lasts


def without_secrets(text: str, *, least: int = SURE) -> str:
    """Return `text` with every secret that this process knows left out.

    It is for the places where text leaves us for good: whatever carried it there, by whatever
    mistake, it ends here. What would be read again by us must not lose a word of ours with a
    secret that is one, too: so only those of `least` characters are looked for.
    """
    for secret in _known:
        if len(secret) >= least:
            text = text.replace(secret, "***")
    return text


def all_but_secrets(text: str) -> str:
    """Return `text`, that only people read, without secrets of any length worth the name."""
    return without_secrets(text, least=_TELLTALE)


class Secret:
    """A text that nothing prints: not in a log, not in an error, not in what is shown of it."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text
        if len(text) >= _TELLTALE:
            # As it is, and as it would stand in JSON. One may be the beginning of another.
            told = {*_known, text, json.dumps(text)[1:-1]}
            _known[:] = sorted(told, key=len, reverse=True)

    def reveal(self) -> str:
        """Return the text, for the one place that sends it or signs with it."""
        return self._text

    def __bool__(self) -> bool:
        return bool(self._text)

    def __repr__(self) -> str:
        return "Secret(***)" if self._text else "Secret()"

    def __reduce__(self) -> str:
        raise TypeError("a secret is not written down")


NO_SECRET = Secret("")


def secret_if_named(variable: str, *, key: str, least: int = 1) -> Secret:
    """Return the secret that a variable of the environment holds; `NO_SECRET` if none is named.

    Raises:
        ValueError: As `secret_of`.
    """
    return secret_of(variable, key=key, least=least) if variable else NO_SECRET


def secret_of(
    variable: str, *, key: str, environ: Mapping[str, str] | None = None, least: int = 1
) -> Secret:
    """Return the secret that a variable of the environment holds.

    Where the name belongs, people write the secret itself by mistake. So what does not look
    like a name is refused, and what is not surely one is not shown.

    Args:
        variable: Its name.
        key: The setting that names it, for messages.
        environ: The environment; None is the process's own.
        least: How many characters it has at least.

    Raises:
        ValueError: If it is no name of a variable, not set, too short, or holds what cannot
            stand in a header.
    """
    if not _NAME.fullmatch(variable):
        raise ValueError(f"{key}: it must name a variable of the environment that holds the secret")
    shown = variable if _TELLING.fullmatch(variable) else "variable of the name that stands here"
    value = (os.environ if environ is None else environ).get(variable, "")
    if not value:
        raise ValueError(f"{key}: the environment has no {shown}")
    what = f"what {variable} holds"  # it is set: so it is a name
    if not _VISIBLE.fullmatch(value):
        raise ValueError(f"{key}: {what} is not all visible ASCII characters")
    if len(value) < least:
        raise ValueError(f"{key}: {what} is shorter than {least} characters")
    return Secret(value)
