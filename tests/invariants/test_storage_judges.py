"""S31 and S34: each judge catches the bugs planted for it."""

from __future__ import annotations

import logging
import random
import shutil
from typing import TYPE_CHECKING

import pytest

from ibkr_trader.adapters import journal_schema
from ibkr_trader.adapters.secret_text import Secret
from ibkr_trader.cli import logs
from ibkr_trader.core.errors import JournalError
from tests.adapters.journal_parts import note, open_journal, order, submit
from tests.invariants.storage_judges import s31_noticed, s34_no_secret

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    Patch = pytest.MonkeyPatch

FLIPS = 60
CANARIES = {
    "password": "kanarie-pw-77",
    "signing key": "kanarie-key-88",
    "account": "DU" + "7654321",
}


# -- S31 ------------------------------------------------------------------------------------------


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    """A journal of which most is what people have written."""
    path = tmp_path / "healthy" / "journal.db"
    with open_journal(path) as opened:
        opened.append([submit(order(opened.state.install, 1, 1)), *[note("x" * 900)] * 20])
    return path


def flipped(path: Path) -> Iterator[bytes]:
    """Yield copies with one bit that is not what it was, each somewhere else."""
    dice = random.Random(31)  # noqa: S311 - places, not a secret
    good = path.read_bytes()
    for _ in range(FLIPS):
        copy = bytearray(good)
        copy[dice.randrange(len(copy))] ^= 1 << dice.randrange(8)
        yield bytes(copy)


def said(path: Path) -> object:
    """Return what a journal says, all of it; None if it says that it is damaged."""
    try:
        with open_journal(path, read_only=True) as opened:
            return opened.state, list(opened.messages())
    except JournalError:
        return None


def misread(path: Path) -> list[str]:
    """Damage the journal in many ways, and say where nobody noticed."""
    copy = path.parent.parent / "copy" / "journal.db"

    def read(content: bytes) -> object:
        shutil.rmtree(copy.parent, ignore_errors=True)
        shutil.copytree(path.parent, copy.parent)
        copy.write_bytes(content)
        return said(copy)

    return s31_noticed(said(path), flipped(path), read)


def unread_chain(patch: Patch) -> None:
    """Each record's own word is taken for its hash."""
    patch.setattr(journal_schema.Record, "true_hash", property(lambda self: self.hash))


def test_s31_a_flipped_bit_is_noticed_or_harmless(journal: Path) -> None:
    assert misread(journal) == []


def test_s31_catches_a_chain_that_nobody_computes(journal: Path, monkeypatch: Patch) -> None:
    unread_chain(monkeypatch)
    assert misread(journal)


# -- S34 ------------------------------------------------------------------------------------------


def careless(folder: Path) -> dict[str, bytes]:
    """Log as somebody does who thinks of no secret: settings, an address, a failure."""
    level = logging.getLogger().level
    path = logs.start(folder)
    log = logging.getLogger("ibkr_trader.test")
    key = Secret(CANARIES["signing key"])
    try:
        log.warning("signing with %r for %s", key, CANARIES["account"])
        log.warning("dialling redis://desk:%s@127.0.0.1/0", CANARIES["password"])
        refused(f"password={CANARIES['password']} of {CANARIES['account']}")
    except OSError:
        log.exception("no link")
    finally:
        logs.stop()
        logging.getLogger().setLevel(level)
    return {path.name: path.read_bytes()}


def refused(what: str) -> None:
    """Fail, as whoever checks a password does."""
    raise OSError(f"{what} was refused")


def plain_words(patch: Patch) -> None:
    """The log says what it is told."""
    patch.setattr(logs, "redact", str)


def open_secret(patch: Patch) -> None:
    """A secret shows itself, and the log no longer knows which there are."""
    patch.setattr(Secret, "__repr__", Secret.reveal)
    patch.setattr(logs, "all_but_secrets", str)


def test_s34_a_log_tells_no_secret(tmp_path: Path) -> None:
    assert s34_no_secret(CANARIES, careless(tmp_path)) == []


@pytest.mark.parametrize("bug", [plain_words, open_secret])
def test_s34_catches_a_secret_that_is_told(bug: object, tmp_path: Path, monkeypatch: Patch) -> None:
    assert callable(bug)
    bug(monkeypatch)
    assert s34_no_secret(CANARIES, careless(tmp_path))
