"""Lines in a file: whole ones, private, bounded; and what a full disk or a dead reader does."""

from __future__ import annotations

import asyncio
import os
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from ibkr_trader.adapters.sinks.json_lines import JsonLines, JsonLinesSettings, json_lines
from ibkr_trader.core.errors import SinkUnavailable
from ibkr_trader.portfolio.payloads import decode, encode
from tests.adapters.disks import takes_only
from tests.adapters.sinks.samples import payloads

ROOT = Path(__file__).parents[3]


def sink_at(path: Path | str, **more: Any) -> JsonLines:
    return JsonLines(JsonLinesSettings(path=str(path), **more))


def ids(path: Path) -> list[str]:
    return [decode(line).event_id for line in path.read_text().splitlines()]


async def test_a_payload_is_a_line_and_more_are_appended(tmp_path: Path) -> None:
    path = tmp_path / "new" / "told.jsonl"
    sink = sink_at(path)
    assert sink.name == "told.jsonl"
    await sink.emit(payloads(5))
    await sink.emit(payloads(2, first=5))
    await sink.close()
    await sink.close()  # harmless
    await sink.emit(payloads(1, first=7))  # and it may begin again
    await sink.close()
    assert path.read_bytes().splitlines() == [encode(one) for one in payloads(8)]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


async def test_closing_leaves_no_thread_behind(tmp_path: Path) -> None:
    sink = sink_at(tmp_path / "told.jsonl")
    await sink.emit(payloads(1))
    thread = sink._thread
    assert thread is not None
    await sink.close()
    thread.join(5)
    assert not thread.is_alive()
    assert not any(one.name == "json-lines" for one in threading.enumerate())


async def test_a_full_file_is_put_aside_and_the_oldest_goes(tmp_path: Path) -> None:
    path, size = tmp_path / "told.jsonl", sum(len(encode(one)) + 1 for one in payloads(5))
    sink = sink_at(path, most_bytes=size, files=3)
    for first in range(0, 25, 5):
        await sink.emit(payloads(5, first=first))
    await sink.close()
    assert sorted(one.name for one in tmp_path.iterdir()) == [
        "told.jsonl", "told.jsonl.1", "told.jsonl.2",
    ]  # fmt: skip
    assert [ids(path)[0], ids(tmp_path / "told.jsonl.1")[0], ids(tmp_path / "told.jsonl.2")[0]] == [
        "20", "15", "10",
    ]  # fmt: skip


async def test_one_file_alone_begins_anew_and_a_large_batch_has_a_file_of_its_own(
    tmp_path: Path,
) -> None:
    path = tmp_path / "told.jsonl"
    sink = sink_at(path, most_bytes=10, files=1)
    await sink.emit(payloads(5))
    assert ids(path) == ["0", "1", "2", "3", "4"]
    await sink.emit(payloads(1, first=5))
    await sink.close()
    assert ids(path) == ["5"]
    assert list(tmp_path.iterdir()) == [path]


async def test_a_file_that_was_moved_away_is_made_again(tmp_path: Path) -> None:
    path = tmp_path / "told.jsonl"
    sink = sink_at(path)
    await sink.emit(payloads(1))
    path.rename(tmp_path / "moved")
    await sink.emit(payloads(1, first=1))
    path.unlink()
    await sink.emit(payloads(1, first=2))
    (tmp_path / "other").write_text("")
    (tmp_path / "other").replace(path)
    await sink.emit(payloads(1, first=3))
    await sink.close()
    assert (ids(tmp_path / "moved"), ids(path)) == (["0"], ["3"])


async def test_a_full_disk_gets_no_half_of_a_line(tmp_path: Path) -> None:
    path = tmp_path / "told.jsonl"
    sink = sink_at(path)
    await sink.emit(payloads(2))
    before = path.read_bytes()
    with takes_only(len(before) + 100), pytest.raises(SinkUnavailable, match=r"told\.jsonl: "):
        await sink.emit(payloads(3, first=2))
    assert path.read_bytes() == before
    await sink.emit(payloads(3, first=2))
    await sink.close()
    assert ids(path) == ["0", "1", "2", "3", "4"]


async def test_a_place_that_cannot_be_written_is_said_and_tried_again(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "link.jsonl").symlink_to(tmp_path / "file")
    inside = tmp_path / "file" / "told.jsonl"
    for path in (Path("/proc/told.jsonl"), inside, tmp_path / "link.jsonl", tmp_path):
        sink = sink_at(path)
        with pytest.raises(SinkUnavailable, match=path.name):
            await sink.emit(payloads(1))
        await sink.close()
    assert (tmp_path / "file").read_text() == ""
    sink = sink_at(tmp_path / "later" / "told.jsonl")
    (tmp_path / "later").write_text("")
    with pytest.raises(SinkUnavailable):
        await sink.emit(payloads(1))
    (tmp_path / "later").unlink()
    await sink.emit(payloads(1))
    await sink.close()
    assert ids(tmp_path / "later" / "told.jsonl") == ["0"]


# -- a write that hangs: standard output that nobody reads -----------------------------------------


async def hang(sink: JsonLines, told: Any) -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await sink.emit(told)


@contextmanager
def piped(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Put a pipe in the place of standard output, and yield its reading end."""
    reading, writing = os.pipe()
    with os.fdopen(writing, "w") as out, monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", out)
        yield reading
    os.close(reading)


def read(reading: int, size: int) -> bytes:
    found = b""
    while len(found) < size:
        found += os.read(reading, size - len(found))
    return found


async def test_a_write_that_hangs_is_not_begun_a_second_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sink, told = sink_at("-"), payloads(400)
    text = b"".join(encode(one) + b"\n" for one in told)
    assert sink.name == "standard output"
    assert len(text) > 100_000  # more than a pipe holds
    with piped(monkeypatch) as pipe:
        await hang(sink, told)
        await hang(sink, told)
        async with asyncio.timeout(20), asyncio.TaskGroup() as group:
            reading = group.create_task(asyncio.to_thread(read, pipe, len(text)))
            await sink.emit(told)
        assert reading.result() == text
        (late,) = payloads(1, first=400)
        await sink.emit([late])
        assert read(pipe, len(encode(late)) + 1) == encode(late) + b"\n"
        await sink.close()


async def test_something_else_waits_for_the_write_that_hangs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sink, told, late = sink_at("-"), payloads(400), payloads(1, first=400)
    text = b"".join(encode(one) + b"\n" for one in (*told, *late))
    with piped(monkeypatch) as pipe:
        await hang(sink, told)
        async with asyncio.timeout(20), asyncio.TaskGroup() as group:
            reading = group.create_task(asyncio.to_thread(read, pipe, len(text)))
            await sink.emit(late)
        assert reading.result() == text
        await sink.close()


async def test_closing_does_not_wait_for_a_write_that_hangs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sink, told = sink_at("-"), payloads(400)
    with piped(monkeypatch) as pipe:
        await hang(sink, told)
        thread = sink._thread
        assert thread is not None
        async with asyncio.timeout(1):
            await sink.close()
        assert thread.is_alive()
        read(pipe, sum(len(encode(one)) + 1 for one in told))
        thread.join(5)


async def test_a_reader_that_has_gone_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as out:
        monkeypatch.setattr(sys, "stdout", out)
        sink = sink_at("-")
        with pytest.raises(SinkUnavailable, match="standard output: Broken pipe"):
            await sink.emit(payloads(1))
        await sink.close()


def test_a_process_with_a_full_standard_output_goes_on_and_ends() -> None:
    program = """
import asyncio, sys
from ibkr_trader.adapters.sinks.json_lines import JsonLines, JsonLinesSettings, json_lines
from ibkr_trader.core.errors import SinkUnavailable
from tests.adapters.sinks.samples import payloads
async def main():
    sink = JsonLines(JsonLinesSettings(path="-"))
    try:
        await sink.emit(payloads(3))
    except SinkUnavailable as error:
        print(error, file=sys.stderr)
    await sink.close()
asyncio.run(main())
"""
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-c", program],
            stdout=full, stderr=subprocess.PIPE, cwd=ROOT, timeout=50, check=True, text=True,
        )  # fmt: skip
    assert done.stderr == "standard output: No space left on device\n"


@pytest.mark.parametrize(
    ("values", "fault"),
    [
        ({}, "path: it is missing"),
        ({"path": ""}, "path: expected `str` of length >= 1"),
        ({"path": "told.jsonl", "most_bytes": 0}, "most_bytes: expected `int` >= 1"),
        ({"path": "told.jsonl", "files": 0}, "files: expected `int` >= 1"),
        ({"path": "told.jsonl", "file": 3}, "file: there is no such key; did you mean files?"),
    ],
)
def test_what_cannot_be_used_is_named_by_its_key(values: dict[str, object], fault: str) -> None:
    with pytest.raises(ValueError, match=r"^sinks\.json_lines\.") as caught:
        json_lines(values)
    assert str(caught.value).startswith(f"sinks.json_lines.{fault}")
