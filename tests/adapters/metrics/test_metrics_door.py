"""Figures over a real socket: told to programs of this machine, and to nobody else."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

import httpx
import pytest

from ibkr_trader.adapters.metrics.metrics_door import MetricsDoor
from ibkr_trader.execution.tasks import alongside
from ibkr_trader.portfolio.metric import Family, Kind, Sample
from tests.prometheus_text import read


class Book:
    """Figures that count how often they were asked for, and may fail."""

    def __init__(self) -> None:
        self.asked = 0
        self.error: Exception | None = None

    async def families(self) -> Iterable[Family]:
        self.asked += 1
        if self.error is not None:
            raise self.error
        sample = Sample(self.asked)
        return [Family(name="asked_total", kind=Kind.COUNTER, words="Asked.", samples=(sample,))]


@asynccontextmanager
async def opened(book: Book) -> AsyncIterator[int]:
    door = MetricsDoor(0, families=book.families)
    async with alongside(door.run()):
        yield await door.opened()
    await asyncio.sleep(0)  # the lines close only now


async def ask(port: int, request: str, *headers: str) -> tuple[int, dict[str, str], bytes]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    told = [*headers] if headers else [f"Host: 127.0.0.1:{port}"]
    writer.write("\r\n".join([f"{request} HTTP/1.1", *told, "", ""]).encode())
    try:
        data = await reader.read()
    finally:
        writer.close()
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    pairs = (line.partition(": ") for line in lines)
    return int(first.split()[1]), {name.lower(): value for name, _, value in pairs}, body


async def test_figures_are_told_as_they_are() -> None:
    async with opened(Book()) as port, httpx.AsyncClient(trust_env=False) as client:
        answers = [await client.get(f"http://127.0.0.1:{port}/metrics") for _ in range(3)]
    assert [one.status_code for one in answers] == [200] * 3
    assert answers[0].headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert [read(one.text).value("asked_total") for one in answers] == [1, 2, 3]


async def test_the_head_alone_may_be_asked_for() -> None:
    async with opened(Book()) as port:
        status, headers, body = await ask(port, "HEAD /metrics?name[]=x")
    assert (status, body) == (200, b"")
    assert int(headers["content-length"]) > 0


@pytest.mark.parametrize(
    ("request_line", "status"),
    [
        ("GET /", 404),
        ("GET /metrics/", 404),
        ("GET /signals", 404),
        ("POST /metrics", 405),
        ("DELETE /metrics", 405),
    ],
)
async def test_there_is_nothing_else(request_line: str, status: int) -> None:
    book = Book()
    async with opened(book) as port:
        assert (await ask(port, request_line))[0] == status
    assert book.asked == 0


@pytest.mark.parametrize(
    "headers",
    [
        ("Host: evil.example.com",),
        ("Host: 127.0.0.1:1",),
        ("Host: localhost", "Origin: http://localhost"),
    ],
)
async def test_web_pages_and_names_from_elsewhere_are_turned_away(headers: tuple[str, ...]) -> None:
    book = Book()
    async with opened(book) as port:
        assert (await ask(port, "GET /metrics", *headers))[0] == 403
    assert book.asked == 0


async def test_figures_that_fail_are_said_to_and_harm_nobody(
    caplog: pytest.LogCaptureFixture,
) -> None:
    book = Book()
    async with opened(book) as port:
        book.error = RuntimeError("of no use to whoever asks")
        with caplog.at_level(logging.ERROR):
            status, _, body = await ask(port, "GET /metrics")
        assert status == 500
        assert b"of no use" not in body
        assert "of no use" in caplog.text
        book.error = None
        assert (await ask(port, "GET /metrics"))[0] == 200


async def test_a_port_that_is_taken_keeps_nobody_from_trading(
    caplog: pytest.LogCaptureFixture,
) -> None:
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)
        first.cancel()
        await asyncio.wait([first])

    async with asyncio.TaskGroup() as tasks:
        door = MetricsDoor(0, families=Book().families)
        first = tasks.create_task(door.run())
        port = await door.opened()
        second = MetricsDoor(port, families=Book().families, sleep=sleep)
        running = tasks.create_task(second.run())
        assert await second.opened() == port
        assert (await ask(port, "GET /metrics"))[0] == 200
        running.cancel()
    assert waited == [1.0]
    assert f"port {port} cannot be listened at" in caplog.text
