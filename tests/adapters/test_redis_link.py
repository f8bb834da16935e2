"""A link asks once, and says what is wrong in words that show no secret."""

from __future__ import annotations

import asyncio
import importlib
import os
import shutil
import signal
import socket
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import ModuleType

import pytest

from ibkr_trader.adapters.redis_address import RedisAddress, read_address
from ibkr_trader.adapters.redis_link import DOWN, GARBLED, SLOW, RedisLink, RedisTrouble
from ibkr_trader.core.errors import ConfigError
from tests.adapters.redis_parts import hand, impostor
from tests.redis_server import RedisServer, running

HIDDEN = "a-secret-word"


@asynccontextmanager
async def linked(address: RedisAddress, *, patience: float = 5.0) -> AsyncIterator[RedisLink]:
    link = RedisLink(address, patience=patience)
    try:
        await link.open()
        yield link
    finally:
        await link.close()


def address_of(server: RedisServer) -> RedisAddress:
    return read_address(server.url)


async def trouble_of(link: RedisLink, *words: str | bytes | int) -> RedisTrouble:
    with pytest.raises(RedisTrouble) as caught:
        await link.ask(*words)
    return caught.value


async def first_trouble(port: int) -> RedisTrouble:
    """What is wrong with whatever listens there, in connecting or at the first question."""
    link = RedisLink(RedisAddress(port=port))
    try:
        await link.open()
    except RedisTrouble as trouble:
        return trouble
    return await trouble_of(link, "PING")


async def test_questions_are_answered_as_the_server_words_it(redis_server: RedisServer) -> None:
    async with linked(address_of(redis_server)) as link:
        assert await link.ask("SET", "k", b"\x00\xff") == b"OK"
        assert await link.ask("GET", "k") == b"\x00\xff"
        assert await link.ask("GET", "nothing") is None
        assert await link.ask("RPUSH", "list", 1, "two") == 2
        assert await link.ask("LRANGE", "list", 0, -1) == [b"1", b"two"]


async def test_many_questions_are_answered_in_their_order(redis_server: RedisServer) -> None:
    async with linked(address_of(redis_server)) as link:
        commands = [("RPUSH", "list", n, b"x" * 10_000) for n in range(500)]
        assert await link.ask_all(commands) == [2 * n for n in range(1, 501)]
        assert await link.ask_all([]) == []


async def test_a_refusal_among_many_leaves_no_answer_over(redis_server: RedisServer) -> None:
    async with linked(address_of(redis_server)) as link:
        await link.ask("SET", "k", "v")
        commands = [("PING",), ("LPUSH", "k", 1), ("NOSUCH",), ("SET", "k", "w")]
        with pytest.raises(RedisTrouble) as caught:
            await link.ask_all(commands)
        assert (caught.value.code, caught.value.is_refusal) == ("WRONGTYPE", True)
        assert caught.value.words.startswith("WRONGTYPE: Operation")
        assert await link.ask("GET", "k") == b"w"


async def test_many_answers_that_stop_half_way_are_trouble() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while b"PING" not in await reader.read(65_536):
            writer.write(b"+OK\r\n" * 2)  # the client says who it is, in two commands
        writer.write(b"+OK\r\n")
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with linked(RedisAddress(port=port)) as link:
            with pytest.raises(RedisTrouble) as caught:
                await link.ask_all([("PING",), ("PING",)])
            assert (caught.value.code, link.is_open) == (DOWN, False)
            assert not caught.value.words.startswith(DOWN)


async def test_a_unix_socket_is_as_good(redis_server: RedisServer) -> None:
    async with linked(read_address(redis_server.socket_url)) as link:
        assert await link.ask("PING") == b"PONG"


async def test_a_refusal_leaves_the_connection_standing(redis_server: RedisServer) -> None:
    async with linked(address_of(redis_server)) as link:
        await link.ask("SET", "k", "v")
        trouble = await trouble_of(link, "XADD", "k", "*", "a", "b")
        assert (trouble.code, trouble.is_refusal) == ("WRONGTYPE", True)
        trouble = await trouble_of(link, "NOSUCH")
        assert (trouble.code, trouble.is_refusal) == ("ERR", True)
        trouble = await trouble_of(link, "XREADGROUP", "GROUP", "g", "c", "STREAMS", "s", ">")
        assert (trouble.code, trouble.is_refusal) == ("NOGROUP", True)
        assert await link.ask("PING") == b"PONG"


async def test_nobody_there(redis_server: RedisServer) -> None:
    redis_server.kill()
    link = RedisLink(address_of(redis_server))
    with pytest.raises(RedisTrouble) as caught:
        await link.open()
    assert (caught.value.code, caught.value.is_refusal) == (DOWN, False)


async def test_what_was_never_opened_asks_nobody(redis_server: RedisServer) -> None:
    link = RedisLink(address_of(redis_server))
    assert (await trouble_of(link, "PING")).code == DOWN
    await link.close()


async def test_a_server_that_dies_is_not_asked_again_by_itself(redis_server: RedisServer) -> None:
    async with linked(address_of(redis_server)) as link:
        redis_server.restart()
        assert (await trouble_of(link, "PING")).code == DOWN
        assert (await trouble_of(link, "PING")).message.startswith("not connected")
        await link.open()
        assert await link.ask("PING") == b"PONG"


async def test_a_server_that_hangs_is_waited_for_so_long(redis_server: RedisServer) -> None:
    async with linked(address_of(redis_server), patience=0.05) as link:
        os.kill(redis_server.process.pid, signal.SIGSTOP)
        try:
            assert (await trouble_of(link, "PING")).code == SLOW
            assert (await trouble_of(link, "PING")).code == DOWN  # whose answer would that be?
            with pytest.raises(RedisTrouble) as caught:  # connected, and silent
                await linked_with_database(redis_server)
            assert caught.value.code == SLOW
        finally:
            os.kill(redis_server.process.pid, signal.SIGCONT)


async def linked_with_database(server: RedisServer) -> None:
    address = read_address(server.url.removesuffix("/0") + "/1")
    await RedisLink(address, patience=0.05).open()


async def test_what_the_server_is_asked_to_wait_is_on_top(redis_server: RedisServer) -> None:
    async with linked(address_of(redis_server), patience=0.05) as link:
        assert await link.ask("BLPOP", "nothing", "0.2", wait=5) is None


async def test_an_answer_to_a_question_taken_back_is_not_the_next_ones(
    redis_server: RedisServer,
) -> None:
    async with linked(address_of(redis_server)) as link:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.02):
                await link.ask("BLPOP", "nothing", "10", wait=10)
        with hand(redis_server) as other:
            other.do("RPUSH", "nothing", "late")
        assert (await trouble_of(link, "PING")).code == DOWN
        await link.open()
        assert await link.ask("PING") == b"PONG"


@pytest.mark.parametrize(
    "answer",
    [b"HTTP/1.1 400 Bad Request\r\n\r\n", b":x\r\n", b"$x\r\n", b"*1\r\n?\r\n", b"\xff\xfe\r\n"],
)
async def test_what_is_no_redis_is_told_apart(answer: bytes) -> None:
    async with impostor(answer) as port:
        trouble = await first_trouble(port)
    assert trouble.code in {GARBLED, DOWN}
    assert trouble.message.isprintable()


async def test_a_dial_that_is_taken_back_leaves_nothing_open() -> None:
    async with impostor(b"") as port:
        link = RedisLink(RedisAddress(port=port, database=1))
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.02):
                await link.open()
    assert (await trouble_of(link, "PING")).code == DOWN


async def test_one_that_hangs_up_is_down() -> None:
    async with impostor(None) as port:
        trouble = await first_trouble(port)
    assert trouble.code == DOWN


async def test_a_server_that_loads_is_no_refusal_of_the_question() -> None:
    async with impostor(b"-LOADING Redis is loading the dataset in memory\r\n") as port:
        trouble = await first_trouble(port)
    assert (trouble.code, trouble.is_refusal) == ("LOADING", False)


async def test_a_password_is_needed_and_never_told(tmp_path: Path) -> None:
    with running(tmp_path, options=("--requirepass", HIDDEN)) as server:
        async with linked(address_of(server)) as link:
            assert (await trouble_of(link, "PING")).code == "NOAUTH"
        wrong = RedisAddress(port=server.port, password=f"{HIDDEN}-no")
        with pytest.raises(RedisTrouble) as caught:
            await RedisLink(wrong).open()
        assert caught.value.code == "WRONGPASS"
        assert HIDDEN not in f"{caught.value!r} {caught.value}"
        right = RedisAddress(port=server.port, password=HIDDEN, user="default", database=2)
        async with linked(right) as link:
            assert await link.ask("PING") == b"PONG"
            assert (await trouble_of(link, "GET", HIDDEN, HIDDEN)).code == "ERR"
            assert HIDDEN not in str(await trouble_of(link, HIDDEN))  # the server repeats it


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for 127.0.0.1 that nobody else knows, its key beside it."""
    if shutil.which("openssl") is None:
        pytest.skip("no openssl on this machine to make a certificate with")
    folder = tmp_path_factory.mktemp("tls")
    subprocess.run(
        [
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
            "-nodes", "-days", "2", "-subj", "/CN=redis", "-addext", "subjectAltName=IP:127.0.0.1",
            "-keyout", folder / "key.pem", "-out", folder / "cert.pem",
        ],
        check=True,
        capture_output=True,
    )  # fmt: skip
    return folder / "cert.pem"


async def test_a_certificate_is_checked(certificate: Path, redis_server: RedisServer) -> None:
    with hand(redis_server) as other:
        port = free_port()
        tls = {
            "tls-cert-file": str(certificate), "tls-key-file": str(certificate.parent / "key.pem"),
            "tls-auth-clients": "no", "tls-port": str(port),
        }  # fmt: skip
        other.do("CONFIG", "SET", *(word for pair in tls.items() for word in pair))
        try:
            known = RedisAddress(port=port, is_tls=True, ca_file=str(certificate))
            async with linked(known) as link:
                assert await link.ask("PING") == b"PONG"
            for wrong in (
                RedisAddress(port=port, is_tls=True),
                RedisAddress(port=port, is_tls=True, host="localhost", ca_file=str(certificate)),
                RedisAddress(port=port, is_tls=True, ca_file="/nowhere/ca.pem"),
            ):
                with pytest.raises(RedisTrouble) as caught:
                    await RedisLink(wrong).open()
                assert caught.value.code == DOWN
        finally:
            other.do("CONFIG", "SET", "tls-port", "0")


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def test_without_the_library_it_is_a_matter_of_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(name: str) -> ModuleType:
        raise ImportError(name)

    monkeypatch.setattr(importlib, "import_module", none)
    with pytest.raises(ConfigError, match="not installed"):
        RedisLink(RedisAddress())
