"""The settings of a source or sink, read strictly: a mistake is named by its key.

Secrets never stand in a settings file. It names the variable of the environment that holds
one, and what was found there shows itself only to whoever asks for it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Annotated, Any, TypeVar

import msgspec

from ibkr_trader.adapters.secret_text import secret_of

MOST_KEYS = 2  # the one in use, and the one before or after it
SHORTEST_KEY = 16  # characters of a secret that signs
_PLACE = re.compile(r"(?P<message>.*?)(?: - at `\$\.?(?P<place>.*)`)?")
_UNKNOWN = re.compile(r"Object contains unknown field `(.*)`")
_MISSING = re.compile(r"Object missing required field `(.*)`")
_OURS = re.compile(r"([a-z_.]+): (.*)")  # what a struct of ours says itself

Text = Annotated[str, msgspec.Meta(min_length=1, max_length=500)]
SourceName = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9_-]{0,31}$")]
Seconds = Annotated[float, msgspec.Meta(ge=0.1, le=86_400)]
T = TypeVar("T", bound=msgspec.Struct)


def read_settings(values: Mapping[str, Any], kind: type[T], *, path: str) -> T:
    """Return a table of the settings as a `kind`.

    Args:
        values: As TOML has them.
        kind: A struct that forbids unknown fields. A rule of its own raises a `ValueError`
            that begins with the key: `url: …`.
        path: Where the table stands, for messages: `signals.api`.

    Raises:
        ValueError: If it is none; the message begins with the key: `signals.api.url: …`.
    """
    try:
        return msgspec.convert(values, kind)
    except msgspec.ValidationError as error:
        raise ValueError(_named(str(error), path, kind.__struct_fields__)) from None


def keys_of(
    variables: Mapping[str, str], *, path: str, environ: Mapping[str, str] | None = None
) -> dict[str, bytes]:
    """Return the keys that may sign, by their id, from the variables that hold them.

    Raises:
        ValueError: If one cannot be had, or there are more than a rotation needs.
    """
    if len(variables) > MOST_KEYS:
        raise ValueError(f"{path}: {MOST_KEYS} keys at most, the one in use and the next")
    secrets = {
        name: secret_of(one, key=f"{path}.{name}", environ=environ, least=SHORTEST_KEY)
        for name, one in variables.items()
    }
    return {name: secret.reveal().encode() for name, secret in secrets.items()}


def _named(message: str, path: str, known: tuple[str, ...]) -> str:
    """What msgspec says, with the key in front."""
    parts = _PLACE.fullmatch(message)
    said, place = (parts["message"], parts["place"] or "") if parts else (message, "")
    where = f"{path}.{place}" if place else path
    if found := _UNKNOWN.fullmatch(said):
        near = get_close_matches(found[1], known if not place else (), n=1, cutoff=0.5)
        hint = f"; did you mean {near[0]}?" if near else ""
        if not place:
            hint += f"; there are: {', '.join(known)}"
        return f"{where}.{found[1]}: there is no such key{hint}"
    if found := _MISSING.fullmatch(said):
        return f"{where}.{found[1]}: it is missing"
    if found := _OURS.fullmatch(said):
        return f"{where}.{found[1]}: {found[2]}"
    return f"{where}: {said[:1].lower()}{said[1:]}"
