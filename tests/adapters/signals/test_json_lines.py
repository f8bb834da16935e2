"""Lines are handed over in order, each once, from a file that ends, grows or is replaced."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path
from typing import Any

import pytest

from ibkr_trader.adapters.signals.envelope import signed
from ibkr_trader.adapters.signals.json_lines import FileSettings, JsonLines
from ibkr_trader.adapters.signals.json_reading import MAX_BYTES
from ibkr_trader.core.signals import Claim, Incoming, Malformed
from ibkr_trader.execution.tasks import alongside
from tests.adapters.signals.source_parts import DONE, LATER, Taker, at_once, envelope, now

KEY = b"0123456789abcdef"


def line(name: str) -> bytes:
    return json.dumps(envelope(id=name)).encode() + b"\n"


def source(path: Path | str, *, follow: bool | None = None, stdin: int = 0) -> JsonLines:
    settings = FileSettings(path=str(path), follow=follow)
    return JsonLines(settings, keys={"k1": KEY}, stdin=stdin)


def ids(taken: list[Incoming]) -> list[str]:
    """The ids of claims; of what is malformed, why."""
    return [one.signal_id if isinstance(one, Claim) else _why(one) for one in taken]


def _why(one: Incoming) -> str:
    assert isinstance(one, Malformed)
    assert len(one.excerpt) <= 200
    return one.message


def taken_of(content: bytes, tmp_path: Path, *replies: Any) -> Taker:
    path = tmp_path / "signals.jsonl"
    path.write_bytes(content)
    taker = Taker(*replies)
    at_once(source(path, follow=False).run(taker.take))
    return taker


# -- a file that ends -------------------------------------------------------------------------


def test_a_file_is_read_to_its_end(tmp_path: Path) -> None:
    taker = taken_of(line("a") + line("b") + line("c").rstrip(), tmp_path)
    assert ids(taker.taken) == ["a", "b", "c"]
    (first, *_) = taker.taken
    assert isinstance(first, Claim)
    assert (first.source, first.ticker, first.is_signed) == ("file", "AAPL", False)


def test_blank_lines_and_windows_ends_are_no_signals(tmp_path: Path) -> None:
    taker = taken_of(b"\n  \r\n" + line("a").replace(b"\n", b"\r\n") + b"\n\n", tmp_path)
    assert ids(taker.taken) == ["a"]
    assert taken_of(b"", tmp_path).taken == []


def test_a_line_that_is_none_is_told_and_skipped(tmp_path: Path) -> None:
    long = b'{"a": "' + b"x" * 10_000_000 + b'"}\n'
    bad = b"\xff\xfe\x00garbage\n" + long + b"[1]\n" + b'{"v": 1}\n' + b"\x00" * 100 + b"\n"
    taker = taken_of(line("a") + bad + line("b"), tmp_path)
    assert ids(taker.taken) == [
        "a",
        "it is not UTF-8 text at byte 0",
        f"it has more than {MAX_BYTES} bytes",
        "it is no JSON object",
        "id: missing",
        taker.taken[5].message if isinstance(taker.taken[5], Malformed) else "",
        "b",
    ]


def test_the_longest_line_fits(tmp_path: Path) -> None:
    short = line("a").rstrip()
    fits = short + b" " * (MAX_BYTES - len(short))
    assert ids(taken_of(fits + b"\n", tmp_path).taken) == ["a"]
    assert ids(taken_of(fits + b" \n", tmp_path).taken) == [f"it has more than {MAX_BYTES} bytes"]


def test_who_signed_is_checked(tmp_path: Path) -> None:
    good = signed({**envelope(source="file"), "confidence": 1}, key_id="k1", key=KEY)
    bad = signed({**envelope(), "confidence": 1}, key_id="k1", key=b"x")
    first, second = taken_of(good + b"\n" + bad + b"\n", tmp_path).taken
    assert isinstance(first, Claim)
    assert first.is_signed
    assert isinstance(second, Malformed)
    assert second.code == "forged"


def test_what_the_journal_did_not_take_is_handed_over_until_it_does(tmp_path: Path) -> None:
    taker = taken_of(line("a") + line("b"), tmp_path, LATER, LATER, LATER, DONE)
    assert ids(taker.taken) == ["a", "a", "a", "a", "b"]
    assert taker.times == [0, 0.5, 1.5, 3.5, 3.5]


def test_it_is_counted(tmp_path: Path) -> None:
    path = tmp_path / "signals.jsonl"
    path.write_bytes(line("a") + b"x\n")
    found = source(path, follow=False)
    at_once(found.run(Taker().take))
    assert found.counts == {"handed_over": 2, "malformed": 1}


# -- a file that is followed ------------------------------------------------------------------


class Followed:
    """A file, somebody who writes it, and what came of it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.taker = Taker()
        self.source = source(path)
        self.said: list[str] = []

    def write(self, data: bytes) -> None:
        with self.path.open("ab") as file:
            file.write(data)

    async def has(self, *expected: str) -> None:
        await self.taker.has(len(expected))
        await asyncio.sleep(5)
        assert ids(self.taker.taken) == list(expected)


def follow(path: Path, steps: Any) -> None:
    """Take the steps while the file is followed."""

    async def work() -> None:
        followed = Followed(path)
        async with alongside(followed.source.run(followed.taker.take, say=followed.said.append)):
            await steps(followed)

    at_once(work())


def test_what_is_appended_is_handed_over_when_the_line_is_whole(tmp_path: Path) -> None:
    async def steps(file: Followed) -> None:
        file.write(line("a") + line("b")[:20])
        await file.has("a")
        file.write(line("b")[20:-1])
        await file.has("a")
        file.write(b"\n")
        await file.has("a", "b")

    follow(tmp_path / "signals.jsonl", steps)


def test_a_file_that_is_not_there_yet_is_waited_for(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def steps(file: Followed) -> None:
        await asyncio.sleep(600)
        file.write(line("a"))
        await asyncio.sleep(60)
        await file.has("a")
        why = "cannot be read: No such file or directory"
        assert file.said == [
            f"signals of file do not come: {file.path} {why}; it is tried again",
            "signals of file come again",
        ]

    follow(tmp_path / "signals.jsonl", steps)
    (message,) = caplog.messages
    assert "cannot be read: No such file or directory" in message


def test_a_file_that_takes_its_place_is_read_from_its_beginning(tmp_path: Path) -> None:
    async def steps(file: Followed) -> None:
        file.write(line("a"))
        await file.has("a")
        file.path.rename(tmp_path / "signals.1")
        with (tmp_path / "signals.1").open("ab") as old:
            old.write(line("b") + line("c").rstrip())  # the writer has not noticed yet
        await file.has("a", "b")
        file.write(line("d"))
        await file.has("a", "b", "c", "d")
        assert file.source.counts["restarts"] == 1

    follow(tmp_path / "signals.jsonl", steps)


def test_what_is_written_to_the_old_file_at_the_last_moment_is_not_lost(tmp_path: Path) -> None:
    async def steps(file: Followed) -> None:
        file.write(line("a"))
        await file.has("a")
        file.write(line("b"))
        file.path.rename(tmp_path / "signals.1")
        file.write(line("c"))
        await file.has("a", "b", "c")

    follow(tmp_path / "signals.jsonl", steps)


def test_a_file_that_is_cut_short_is_read_from_its_beginning(tmp_path: Path) -> None:
    async def steps(file: Followed) -> None:
        file.write(line("a") + line("b") + b'{"half": ')
        await file.has("a", "b")
        os.truncate(file.path, 0)
        file.write(line("c"))
        await file.has("a", "b", "c")

    follow(tmp_path / "signals.jsonl", steps)


def test_a_file_that_is_removed_may_come_back(tmp_path: Path) -> None:
    async def steps(file: Followed) -> None:
        file.write(line("a"))
        await file.has("a")
        file.path.unlink()
        await asyncio.sleep(60)
        file.write(line("b"))
        await file.has("a", "b")

    follow(tmp_path / "signals.jsonl", steps)


@pytest.mark.parametrize("kind", ["folder", "pipe"])
def test_what_is_no_file_is_not_waited_in(
    kind: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "signals.jsonl"
    path.mkdir() if kind == "folder" else os.mkfifo(path)

    async def steps(file: Followed) -> None:
        await asyncio.sleep(60)
        path.rmdir() if kind == "folder" else path.unlink()
        file.write(line("a"))
        await asyncio.sleep(60)
        await file.has("a")

    follow(path, steps)
    assert "it is no regular file" in caplog.messages[0]
    assert len(caplog.messages) == 1


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="needs a file that breaks")
def test_a_file_that_breaks_while_it_is_read_is_tried_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def work() -> int:
        broken = source("/proc/self/mem")  # it opens, and has nothing at its beginning
        async with alongside(broken.run(Taker().take)):
            await asyncio.sleep(600)
        return broken.counts["failures"]

    assert 10 < at_once(work()) < 25
    (message,) = caplog.messages
    assert "cannot be read: Input/output error" in message


def open_files() -> int:
    """How many files this process has open, where the system says so."""
    folder = Path("/proc/self/fd")
    return len(list(folder.iterdir())) if folder.exists() else 0


def test_no_file_is_left_open(tmp_path: Path) -> None:
    before = open_files()

    async def steps(file: Followed) -> None:
        for number in range(5):
            file.write(line(str(number)))
            await asyncio.sleep(5)
            file.path.unlink()

    follow(tmp_path / "signals.jsonl", steps)
    taken_of(line("a"), tmp_path)
    assert open_files() == before


def test_the_file_is_closed_also_if_somebody_is_busy_with_a_line(tmp_path: Path) -> None:
    path = tmp_path / "signals.jsonl"
    path.write_bytes(line("a"))

    async def busy(_: Incoming) -> Any:
        await asyncio.Event().wait()

    async def work() -> tuple[int, int]:
        before = open_files()
        async with alongside(source(path).run(busy)):
            await asyncio.sleep(5)
            during = open_files()
        return during - before, open_files() - before

    assert at_once(work()) in {(1, 0), (0, 0)}


def test_a_file_that_ends_says_so(tmp_path: Path) -> None:
    """Whoever appends to it later would wait for ever without a word."""
    path, said = tmp_path / "signals.jsonl", list[str]()
    path.write_bytes(line("a"))
    at_once(source(path, follow=False).run(Taker().take, say=said.append))
    assert said == [f"no more signals come from file: {path} is read to its end"]


# -- standard input ---------------------------------------------------------------------------


def test_standard_input_is_read_without_keeping_anybody_waiting() -> None:
    async def work() -> tuple[list[str], int]:
        read, write = os.pipe()
        taker, ticks = Taker(), 0

        async def tick() -> None:
            nonlocal ticks
            while True:
                await asyncio.sleep(1)
                ticks += 1

        async def say() -> None:
            await asyncio.sleep(10)
            os.write(write, line("a") + line("b")[:10])
            await asyncio.sleep(10)
            os.write(write, line("b")[10:] + line("c").rstrip())
            await asyncio.sleep(10)
            os.close(write)

        async with alongside(tick(), say()):
            await source("-", stdin=read).run(taker.take)
        assert os.get_blocking(read)  # who shares it finds it as it was
        os.close(read)
        return ids(taker.taken), ticks

    taken, ticks = at_once(work())
    assert taken == ["a", "b", "c"]
    assert 28 <= ticks <= 31


def test_standard_input_may_be_a_file_or_nothing(tmp_path: Path) -> None:
    path = tmp_path / "signals.jsonl"
    path.write_bytes(line("a"))
    for name, expected in ((str(path), ["a"]), (os.devnull, [])):
        taker = Taker()
        with Path(name).open("rb") as file:
            said: list[str] = []
            at_once(source("-", stdin=file.fileno()).run(taker.take, say=said.append))
        assert ids(taker.taken) == expected
        assert said == ["no more signals come from file: standard input is read to its end"]


def test_waiting_for_standard_input_can_be_given_up() -> None:
    async def work() -> float:
        read, write = os.pipe()
        async with alongside(source("-", stdin=read).run(Taker().take)):
            await asyncio.sleep(5)
        assert not asyncio.get_running_loop().remove_reader(read)
        os.close(read)
        os.close(write)
        return now()

    assert at_once(work()) == 5
