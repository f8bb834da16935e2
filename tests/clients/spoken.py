"""A driver's process as a test speaks to it: calls in, events out, each waited for."""

from __future__ import annotations

import json
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

Event = dict[str, Any]
PATIENCE = 15.0  # seconds that an answer may take; a machine under load is slow, not wrong
FAULTS = frozenset({"$log", "$crash"})


class Driver:
    """One client in a process of its own.

    Attributes:
        heard: Everything it has told so far, oldest first.
    """

    def __init__(self, command: Sequence[str | Path], environment: Mapping[str, str]) -> None:
        self.heard: list[Event] = []
        self._at = 0
        self._ended = False
        self._news = threading.Condition()
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=environment,
            text=True,
            encoding="utf-8",
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def call(self, name: str, *args: object) -> None:
        """Let the client make a call; `{"$Order": {...}}` stands for an object."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"call": name, "args": args}) + "\n")
        self._process.stdin.flush()

    def expect(self, event: str, **content: object) -> Event:
        """Wait for an event with this content, after the one that was expected last.

        Objects match by the fields named here; a price may be given as a number or its text.
        """
        deadline = time.monotonic() + PATIENCE
        with self._news:
            seen = self._at
            while True:
                for i in range(seen, len(self.heard)):
                    if self.heard[i]["event"] == event and matches(self.heard[i], content):
                        self._at = i + 1
                        return self.heard[i]
                seen = len(self.heard)
                left = deadline - time.monotonic()
                if self._ended or left <= 0 or not self._news.wait(left):
                    raise AssertionError(self._missed(event, content))

    def told(self, event: str, since: int = 0) -> list[Event]:
        """Return every event of this name up to the one that was expected last.

        What came after it is left out: how much of that is here already depends on the machine.
        """
        with self._news:
            return [e for e in self.heard[since : self._at] if e["event"] == event]

    @property
    def faults(self) -> list[Event]:
        """What the client complained or died of."""
        with self._news:
            return [e for e in self.heard if e["event"] in FAULTS]

    def close(self) -> int:
        """Let it disconnect and end; return its exit code."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            code = self._process.wait(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            code = self._process.wait(timeout=PATIENCE)
        self._reader.join(timeout=PATIENCE)
        assert self._process.stdout is not None
        self._process.stdout.close()
        return code

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            try:
                event: Event = json.loads(line)
            except ValueError:  # a traceback of the interpreter itself
                event = {"event": "$crash", "text": line.rstrip()}
            with self._news:
                self.heard.append(event)
                self._news.notify_all()
        with self._news:
            self._ended = True
            self._news.notify_all()

    def _missed(self, event: str, content: object) -> str:
        since = "\n  ".join(json.dumps(e)[:300] for e in self.heard[self._at :])
        return f"no {event} {content}; since the last one expected came:\n  {since or 'nothing'}"


def matches(value: object, wanted: object) -> bool:
    """Whether `value` is `wanted`, or has all that it names."""
    if isinstance(wanted, Mapping):
        return isinstance(value, Mapping) and all(
            key in value and matches(value[key], part) for key, part in wanted.items()
        )
    if isinstance(wanted, int | float) and isinstance(value, str):
        try:
            return float(value) == wanted
        except ValueError:
            return False
    return value == wanted
