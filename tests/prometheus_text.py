"""Reads Prometheus's exposition format 0.0.4, as strictly as its page allows.

https://prometheus.io/docs/instrumenting/exposition_formats/ - what a lenient reader would let
pass (a family in two pieces, a sample twice, buckets that do not add up) is an error here.
"""

from __future__ import annotations

import re
from decimal import Decimal
from itertools import pairwise

Labels = tuple[tuple[str, str], ...]
NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
_HELP = re.compile(rf"# HELP ({NAME}) ((?:[^\\\n]|\\\\|\\n)*)")
_TYPE = re.compile(rf"# TYPE ({NAME}) (counter|gauge|histogram)")
_VALUE = r"[+-]?(?:Inf|\d+(?:\.\d+)?)|NaN"
_SAMPLE = re.compile(rf"({NAME})(?:\{{(.*)\}})? ({_VALUE})")
_LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(,|$)')
_ESCAPES = {"\\\\": "\\", '\\"': '"', "\\n": "\n"}


class Figures:
    """What a text says: the kind of each family, and every sample by its name and labels."""

    def __init__(self) -> None:
        self.kinds: dict[str, str] = {}
        self.helps: dict[str, str] = {}
        self.samples: dict[tuple[str, Labels], Decimal] = {}

    def value(self, name: str, **labels: str) -> Decimal | None:
        """Return one figure; None if there is none."""
        wanted = set(labels.items())
        found = [v for (n, on), v in self.samples.items() if n == name and set(on) == wanted]
        assert len(found) <= 1
        return found[0] if found else None

    def texts(self) -> set[str]:
        """Return the texts of all labels."""
        return {text for _, labels in self.samples for _, text in labels}


def read(text: str) -> Figures:
    """Return what a text says.

    Raises:
        ValueError: If a line of it is not as the format wants it.
    """
    if text and not text.endswith("\n"):
        raise ValueError("the last line has no end")
    found, family = Figures(), ""
    for line in text.split("\n")[:-1]:
        if match := _HELP.fullmatch(line):
            family = match[1]
            if family in found.helps:
                raise ValueError(f"{family} comes in two pieces")
            found.helps[family] = match[2]
        elif match := _TYPE.fullmatch(line):
            if match[1] != family or family in found.kinds:
                raise ValueError(f"the type of {match[1]} is not behind its help")
            found.kinds[family] = match[2]
        else:
            _take(found, family, line)
    for name, kind in found.kinds.items():
        _check(found, name, kind)
    return found


def _take(found: Figures, family: str, line: str) -> None:
    match = _SAMPLE.fullmatch(line)
    if match is None:
        raise ValueError(f"no sample: {line!r}")
    name, labels, value = match[1], _labels(match[2] or ""), Decimal(match[3])
    ends = ("_bucket", "_sum", "_count") if found.kinds.get(family) == "histogram" else ("",)
    if name not in {family + end for end in ends}:
        raise ValueError(f"{name} is not of the family {family}")
    if (name, labels) in found.samples:
        raise ValueError(f"{name} {labels} comes twice")
    found.samples[name, labels] = value


def _labels(text: str) -> Labels:
    found, place = [], 0
    while place < len(text):
        match = _LABEL.match(text, place)
        if match is None:
            raise ValueError(f"no label: {text[place:]!r}")
        words = re.sub(r"\\.", lambda one: _ESCAPES[one[0]], match[2])
        found.append((match[1], words))
        place = match.end()
    if len({name for name, _ in found}) != len(found) or text.endswith(","):
        raise ValueError(f"labels that are none: {text!r}")
    return tuple(found)


def _check(found: Figures, name: str, kind: str) -> None:
    own = {key: v for key, v in found.samples.items() if key[0].startswith(name)}
    if kind == "counter" and any(value < 0 for value in own.values()):
        raise ValueError(f"{name} counts below nothing")
    if kind != "histogram":
        return
    series: dict[Labels, list[tuple[Decimal, Decimal]]] = {}
    for (sample, labels), value in own.items():
        if sample == f"{name}_bucket":
            (end,) = (Decimal(text) for label, text in labels if label == "le")
            rest = tuple(one for one in labels if one[0] != "le")
            series.setdefault(rest, []).append((end, value))
    for labels, buckets in series.items():
        counts = [count for _, count in buckets]
        if buckets[-1][0] != Decimal("Inf") or counts[-1] != found.samples[f"{name}_count", labels]:
            raise ValueError(f"{name} {labels} does not end with all of it")
        if any(a >= b for a, b in pairwise(end for end, _ in buckets)) or counts != sorted(counts):
            raise ValueError(f"{name} {labels} does not add up")
        if (f"{name}_sum", labels) not in found.samples:
            raise ValueError(f"{name} {labels} has no sum")
