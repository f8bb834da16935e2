"""The log: JSON lines in the profile's folder, never on the terminal, accounts masked.

Redaction happens at the sink, on the finished text, so that no caller can forget it.
"""

from __future__ import annotations

import json
import logging
import logging.handlers
import os
import re
import traceback
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ibkr_trader.adapters.secret_text import all_but_secrets
from ibkr_trader.cli import output
from ibkr_trader.core.accounts import without_accounts

FILE = "ibkr-trader.log"
_MAX_BYTES, _KEPT = 10_000_000, 10
# Also within JSON, where a quote has a backslash before it.
_SECRET = re.compile(
    r"(?i)\b(password|passwd|secret|token|api_?key)(\\?[\"']?\s*[=:]\s*\\?[\"']?)"
    r"(?:\\[^\"']|[^\s\"'\\,;&])+"
)
_BEARER = re.compile(r"(?i)\b(bearer|basic)(\s+)[A-Za-z0-9._~+/=-]{6,}")
_URL_SECRET = re.compile(r"(\w+://[^:/\s]*):[^@/\s]+@")


def redact(text: str) -> str:
    """Return `text` with account ids shortened (`DU***567`) and secrets masked."""
    text = without_accounts(all_but_secrets(text))
    text = _BEARER.sub(r"\1\2***", text)
    text = _SECRET.sub(r"\1\2***", text)
    return _URL_SECRET.sub(r"\1:***@", text)


class _JsonLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname,
            "logger": record.name,
            "pid": record.process,
            "message": redact(record.getMessage()),
        }
        if record.exc_info:
            line["traceback"] = redact("".join(traceback.format_exception(*record.exc_info)))
        return json.dumps(line)


class _PrivateFile(logging.handlers.RotatingFileHandler):
    def _open(self) -> Any:
        # A pipe has no reader: it is refused at once instead of being waited for.
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
        kept_out = os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(self.baseFilename, flags | kept_out, 0o600)
        return os.fdopen(descriptor, "a", encoding="utf-8")

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's own name
        """Let a full disk cost the line, not the command (and print nothing)."""


def start(folder: Path, *, level: str = "info") -> Path:
    """Send what is logged from `level` on to the file in `folder`, and return its path.

    A log that cannot be written must not keep anybody from closing: then nothing is logged.
    """
    path = folder / FILE
    root = logging.getLogger()
    if not any(isinstance(handler, _PrivateFile) for handler in root.handlers):
        try:
            handler = _PrivateFile(path, maxBytes=_MAX_BYTES, backupCount=_KEPT, delay=False)
        except OSError as error:
            output.note(f"warning: nothing is logged: {path}: {error.strerror}")
            return path
        handler.setFormatter(_JsonLines())
        root.addHandler(handler)
        root.setLevel(level.upper())
        # The client libraries format whole trades into their lines, at a cost and to no use.
        for name in ("ib_insync", "ib_async", "asyncio"):
            logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
    return path


def current() -> Path | None:
    """Return where it is written, or None while nothing is."""
    for handler in logging.getLogger().handlers:
        if isinstance(handler, _PrivateFile):
            return Path(handler.baseFilename)
    return None


def stop() -> None:
    """Close the file, for a folder that is about to go."""
    root = logging.getLogger()
    for handler in [one for one in root.handlers if isinstance(one, _PrivateFile)]:
        root.removeHandler(handler)
        handler.close()
