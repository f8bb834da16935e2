"""An address of Redis is read strictly, and never shows its secrets."""

from __future__ import annotations

import traceback

import pytest
from msgspec import structs

from ibkr_trader.adapters.redis_address import RedisAddress, RedisTable, read_address

HIDDEN = "s3cret/pass"
VARIABLE = "DESK_REDIS"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("redis://127.0.0.1", RedisAddress()),
        ("redis://127.0.0.1:7000/3", RedisAddress(port=7000, database=3)),
        ("redis://[::1]:7000", RedisAddress(host="::1", port=7000)),
        ("redis://localhost/", RedisAddress(host="localhost")),
        ("redis://u%2Fv@127.9.9.9", RedisAddress(host="127.9.9.9", user="u/v")),
        ("rediss://redis.example.com", RedisAddress(host="redis.example.com", is_tls=True)),
        ("unix:///run/redis.sock", RedisAddress(host="", path="/run/redis.sock")),
        ("unix://u@/a%20b", RedisAddress(host="", path="/a b", user="u")),
    ],
)
def test_an_address_is_read(url: str, expected: RedisAddress) -> None:
    assert read_address(url) == expected


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("redis://redis.example.com", "in the clear"),
        ("redis://10.0.0.1", "in the clear"),
        ("redis://0.0.0.0", "in the clear"),
        ("redis://localhost.example.com", "in the clear"),
        ("redis://127.0.0.1.example.com", "in the clear"),
        ("http://127.0.0.1", "names no server"),
        ("redis://", "names no server"),
        ("127.0.0.1:6379", "names no server"),
        ("", "names no server"),
        ("unix://host/path", "names no server"),
        ("unix://", "names no server"),
        ("redis://127.0.0.1:70000", "cannot be read"),
        ("redis://127.0.0.1:x", "cannot be read"),
        ("redis://[::1", "cannot be read"),
        ("rediss://127.0.0.1?ssl_cert_reqs=none", "has options"),
        ("redis://127.0.0.1#1", "has options"),
        ("redis://127.0.0.1/one", "no number"),
        ("redis://127.0.0.1/-1", "no number"),
        ("redis://127.0.0.1/٣", "no number"),
        ("redis://127.0.0.1/99999999999999999999", "no number"),
    ],
)
def test_what_is_no_address_is_refused(url: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        read_address(url)


def test_the_password_comes_from_elsewhere() -> None:
    found = read_address("redis://me@127.0.0.1", password=HIDDEN, ca_file="ca.pem")
    assert found == RedisAddress(user="me", password=HIDDEN, ca_file="ca.pem")


@pytest.mark.parametrize(
    "url",
    [
        "redis://u:s3cret%2Fpass@127.9.9.9", "redis://:s3cret@127.0.0.1", "redis://u:@127.0.0.1",
        "unix://u:s3cret@/a", "rediss://u:s3cret@redis.example.com",
    ],
)  # fmt: skip
@pytest.mark.parametrize("password", ["", HIDDEN])
def test_a_password_in_an_address_is_refused_from_everybody(url: str, password: str) -> None:
    with pytest.raises(ValueError, match="it has a password in it: name its variable") as refused:
        read_address(url, password=password)
    assert "s3cret" not in str(refused.value)


def test_a_table_names_the_variable_of_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, HIDDEN)
    table = RedisTable(url="rediss://me@r.example", password_env=VARIABLE, ca_file="ca.pem")
    assert table.address(path="s") == RedisAddress(
        host="r.example", is_tls=True, user="me", password=HIDDEN, ca_file="ca.pem"
    )
    assert HIDDEN not in f"{table!r} {table.address(path='s')!r}"
    assert RedisTable().address(path="s") == RedisAddress()
    monkeypatch.delenv(VARIABLE)
    with pytest.raises(ValueError, match=r"^s\.password_env: the environment has no DESK_REDIS$"):
        table.address(path="s")
    with pytest.raises(ValueError, match=r"^url: it names no server"):
        RedisTable(url="")


@pytest.mark.parametrize(
    "url",
    [
        "redis://user:s3cret@redis.example.com",
        "redis://user:s3cret@127.0.0.1:port",
        "redis://user:s3cret@127.0.0.1/x",
        "redis://user:s3cret@127.0.0.1?a=b",
        "ftp://user:s3cret@127.0.0.1",
    ],
)
def test_no_refusal_shows_a_secret(url: str) -> None:
    with pytest.raises(ValueError, match=r"it|clear") as refused:
        read_address(url)
    assert "s3cret" not in "".join(traceback.format_exception(refused.value))


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        (RedisAddress(user="me", password=HIDDEN), "redis://127.0.0.1:6379/0"),
        (RedisAddress(host="::1", password=HIDDEN), "redis://[::1]:6379/0"),
        (RedisAddress(host="r.example.com", is_tls=True), "rediss://r.example.com:6379/0"),
        (RedisAddress(path="/run/r.sock", password=HIDDEN), "unix:///run/r.sock"),
    ],
)
def test_an_address_is_shown_without_its_secrets(address: RedisAddress, shown: str) -> None:
    assert str(address) == shown
    assert repr(address) == f"<RedisAddress {shown}>"
    assert address.__rich_repr__() == [("address", shown)]


def test_text_of_others_is_shown_without_the_password() -> None:
    address = RedisAddress(password=HIDDEN)
    assert address.hidden(f"no\x1b[2J {HIDDEN} here") == "no[2J *** here"
    assert structs.replace(address, password="").hidden("as it is") == "as it is"
