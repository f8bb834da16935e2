"""Tickets on disk: private, used once by whoever comes first, and gone after a day."""

from __future__ import annotations

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ibkr_trader.adapters.clock import SystemClock
from ibkr_trader.adapters.ticket_file import TICKETS
from ibkr_trader.adapters.token_file import ALPHABET, LENGTH, TokenFolder
from ibkr_trader.core import codec
from ibkr_trader.core.commands import SubmitOrders
from ibkr_trader.core.enums import OcaType, OrderRole, OrderType, Side, TimeInForce
from ibkr_trader.core.errors import ConfigError, TicketRefused
from ibkr_trader.core.models import Contract, GroupId, OrderId, OrderSpec
from ibkr_trader.execution.placing import Wait
from ibkr_trader.execution.tickets import LIFETIME, Basis, Ticket

NOW = SystemClock().now()
GROUP = GroupId("k7qav-17")
BASIS = Basis(
    profile="sim",
    account="SIM0000001",
    config="c0ffee",
    limits="beef",
    held=Decimal("-5.5"),
    orders={"k7qav-3-stop": "SELL 10 STOP 145.00"},
    mark=Decimal("150.005"),
    state="ACTIVE",
)


def spec(**changes: Any) -> OrderSpec:
    values: dict[str, Any] = {
        "order_id": OrderId(f"{GROUP}-single"), "group_id": GROUP, "role": OrderRole.SINGLE,
        "contract": Contract(symbol="AAPL", con_id=265598), "account": "SIM0000001",
        "side": Side.BUY, "quantity": Decimal(10), "order_type": OrderType.LIMIT,
        "limit_price": Decimal("150.00"),
    }  # fmt: skip
    return OrderSpec(**(values | changes))


def ticket(*specs: OrderSpec, **changes: Any) -> Ticket:
    command = SubmitOrders(group_id=GROUP, orders=specs or (spec(),))
    values: dict[str, Any] = {
        "command": command, "basis": BASIS, "made_at": NOW, "expires_at": NOW + LIFETIME,
    }  # fmt: skip
    return Ticket(**(values | changes))


@pytest.fixture
def folder(tmp_path: Path) -> TokenFolder[Ticket]:
    return TokenFolder(tmp_path, TICKETS)


def path(tmp_path: Path, token: str, kind: str = "json") -> Path:
    return tmp_path / "tickets" / f"{token}.{kind}"


def test_what_is_kept_is_read_back(folder: TokenFolder[Ticket], tmp_path: Path) -> None:
    made = ticket(wait=Wait.FILLED, scales=True, joins=True)
    token = folder.keep(made, now=NOW)
    assert folder.read(token, now=NOW + LIFETIME - timedelta(seconds=1)) == made
    assert len(token) == LENGTH
    assert set(token) <= set(ALPHABET)
    assert stat.S_IMODE(path(tmp_path, token).stat().st_mode) == 0o600
    assert stat.S_IMODE(path(tmp_path, token).parent.stat().st_mode) == 0o700
    assert [p.name for p in path(tmp_path, token).parent.iterdir()] == [f"{token}.json"]


_PRICE = st.decimals(min_value="0.0001", max_value="99999", places=4)
_SPECS = st.builds(
    spec,
    side=st.sampled_from(Side),
    quantity=st.decimals(min_value="0.01", max_value="1e6", places=2),
    order_type=st.sampled_from(OrderType),
    limit_price=st.none() | _PRICE,
    stop_price=st.none() | _PRICE,
    trail_percent=st.none() | _PRICE,
    time_in_force=st.sampled_from(TimeInForce),
    outside_rth=st.booleans(),
    oca_group=st.sampled_from(["", "k7qav-17-1"]),
    oca_type=st.none() | st.sampled_from(OcaType),
    parent_id=st.none() | st.just(OrderId("k7qav-17-entry")),
    good_after=st.none() | st.datetimes(timezones=st.just(UTC)),
)


@given(
    specs=st.lists(_SPECS, min_size=1, max_size=5),
    plan=st.dictionaries(st.text(max_size=9), st.text(max_size=9), max_size=3),
    reduces=st.booleans(),
)
def test_exactly_the_command_comes_back(
    specs: list[OrderSpec],
    plan: dict[str, str],
    reduces: bool,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    command = SubmitOrders(
        group_id=GROUP, orders=tuple(specs), kind="bracket", plan=plan, reduces=reduces
    )
    folder = TokenFolder(tmp_path_factory.getbasetemp() / "of-hypothesis", TICKETS)
    found = folder.read(folder.keep(ticket(command=command), now=NOW), now=NOW)
    assert codec.encode(found.command) == codec.encode(command)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("7k3m9qx", "7K3M9QX"),
        (" 7K3-M9QX ", "7K3M9QX"),
        ("oOiIlL0", "0011110"),
    ],
)
def test_what_looks_alike_is_the_same(typed: str, meant: str) -> None:
    assert TokenFolder(Path(), TICKETS).token_of(typed) == meant


@pytest.mark.parametrize(
    "typed", ["", "7K3M9Q", "7K3M9QXX", "7K3M9QU", "../../x", "7K3M9Q٣", "7K3M9Q\x00", "x" * 10_000]
)
def test_what_cannot_be_a_token_is_refused(typed: str) -> None:
    with pytest.raises(TicketRefused, match="is no ticket"):
        TokenFolder(Path(), TICKETS).token_of(typed)


def test_a_token_is_good_once(folder: TokenFolder[Ticket]) -> None:
    token = folder.keep(ticket(), now=NOW)
    folder.claim(token)
    with pytest.raises(TicketRefused, match=r"was used already: what it placed is k7qav-17"):
        folder.read(token, now=NOW)
    with pytest.raises(TicketRefused, match="was used already"):
        folder.claim(token)


def test_of_many_at_once_one_gets_it(folder: TokenFolder[Ticket]) -> None:
    token = folder.keep(ticket(), now=NOW)

    def claim(_: int) -> bool:
        try:
            folder.claim(token)
        except TicketRefused:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(claim, range(64))) == 1


def test_a_ticket_that_is_not_there(folder: TokenFolder[Ticket]) -> None:
    with pytest.raises(TicketRefused, match="there is no ticket 7K3M9QX"):
        folder.read("7K3M9QX", now=NOW)
    with pytest.raises(TicketRefused, match="there is no ticket 7K3M9QX"):
        folder.claim("7K3M9QX")


def test_its_minute_ends(folder: TokenFolder[Ticket]) -> None:
    token = folder.keep(ticket(), now=NOW)
    with pytest.raises(TicketRefused, match="expired 5 s ago: it was good for 60 s"):
        folder.read(token, now=NOW + LIFETIME + timedelta(seconds=5))
    with pytest.raises(TicketRefused, match="expired 0 s ago"):
        folder.read(token, now=NOW + LIFETIME)


@pytest.mark.parametrize(
    "changes",
    [
        {"expires_at": NOW + timedelta(days=1)},
        {"made_at": NOW + timedelta(hours=1), "expires_at": NOW + timedelta(hours=1) + LIFETIME},
        {"command": SubmitOrders(group_id=GROUP, orders=())},
        {
            "command": SubmitOrders(
                group_id=GROUP,
                orders=(spec(), spec(contract=Contract(symbol="MSFT", con_id=272093))),
            )
        },
    ],
    ids=["lasts longer", "from the future", "no orders", "two contracts"],
)
def test_a_ticket_that_no_preview_makes_is_refused(
    changes: dict[str, Any], folder: TokenFolder[Ticket]
) -> None:
    token = folder.keep(ticket(**changes), now=NOW)
    with pytest.raises(TicketRefused, match="is not one that --preview made"):
        folder.read(token, now=NOW)


def damaged(content: bytes, how: str) -> bytes:
    """Return a ticket's file with something wrong in it."""
    plain = msgspec.json.decode(content)
    match how:
        case "half":
            return content[: len(content) // 2]
        case "empty":
            return b""
        case "unknown key":
            plain["surprise"] = 1
        case "missing key":
            del plain["basis"]["mark"]
        case "a number for a text":
            plain["command"]["orders"][0]["order_id"] = 5
        case "another command":
            plain["command"]["type"] = "CancelOrder"
        case "not UTF-8":
            return content.replace(b"AAPL", b"\xff\xff\xff\xff")
        case "NaN":
            plain["command"]["orders"][0]["quantity"] = "ten"
        case _:
            raise AssertionError(how)
    return msgspec.json.encode(plain)


@pytest.mark.parametrize(
    "how",
    [
        *("half", "empty", "unknown key", "missing key", "a number for a text"),
        *("another command", "not UTF-8", "NaN"),
    ],
)
def test_a_damaged_file_is_refused(how: str, folder: TokenFolder[Ticket], tmp_path: Path) -> None:
    token = folder.keep(ticket(), now=NOW)
    file = path(tmp_path, token)
    file.write_bytes(damaged(file.read_bytes(), how))
    with pytest.raises(TicketRefused, match=f"ticket {token} is damaged"):
        folder.read(token, now=NOW)


def test_a_used_one_is_used_however_it_looks(folder: TokenFolder[Ticket], tmp_path: Path) -> None:
    token = folder.keep(ticket(), now=NOW)
    folder.claim(token)
    path(tmp_path, token, "used").write_bytes(b"?")
    with pytest.raises(TicketRefused, match="was used already: look what it placed"):
        folder.read(token, now=NOW)


def test_a_link_is_not_followed(folder: TokenFolder[Ticket], tmp_path: Path) -> None:
    token = folder.keep(ticket(), now=NOW)
    elsewhere = tmp_path / "elsewhere"
    path(tmp_path, token).rename(elsewhere)
    path(tmp_path, token).symlink_to(elsewhere)
    with pytest.raises(TicketRefused, match="links are not followed"):
        folder.read(token, now=NOW)


@pytest.mark.parametrize("kind", ["folder", "pipe"])
def test_what_is_no_file_is_refused_at_once(
    kind: str, folder: TokenFolder[Ticket], tmp_path: Path
) -> None:
    token = folder.keep(ticket(), now=NOW)
    path(tmp_path, token).unlink()
    (os.mkfifo if kind == "pipe" else os.mkdir)(path(tmp_path, token))
    with pytest.raises(TicketRefused, match="damaged"):
        folder.read(token, now=NOW)


def test_old_ones_go_and_new_ones_stay(folder: TokenFolder[Ticket], tmp_path: Path) -> None:
    old, used, fresh = (folder.keep(ticket(), now=NOW) for _ in range(3))
    folder.claim(used)
    draft = path(tmp_path, old).parent / ".7K3M9QX.draft"
    draft.write_bytes(b"")
    yesterday = (NOW - timedelta(hours=25)).timestamp()
    for file in (path(tmp_path, old), path(tmp_path, used, "used"), draft):
        os.utime(file, (yesterday, yesterday))
    last = folder.keep(ticket(), now=NOW)
    names = {file.name for file in path(tmp_path, old).parent.iterdir()}
    assert names == {f"{fresh}.json", f"{last}.json"}


def test_a_folder_that_cannot_be_written_is_said(
    folder: TokenFolder[Ticket], tmp_path: Path
) -> None:
    (tmp_path / "tickets").write_text("a file")
    with pytest.raises(ConfigError, match="it is not a folder"):
        folder.keep(ticket(), now=NOW)


def test_no_two_have_one_token(
    folder: TokenFolder[Ticket], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = iter("AAAAAAAAAAAAAABBBBBBB")
    monkeypatch.setattr("secrets.choice", lambda _: next(drawn))
    assert folder.keep(ticket(), now=NOW) == "AAAAAAA"
    folder.claim("AAAAAAA")
    assert folder.keep(ticket(), now=NOW) == "BBBBBBB"
    monkeypatch.setattr("secrets.choice", lambda _: "B")
    with pytest.raises(ConfigError, match="full of tickets"):
        folder.keep(ticket(), now=NOW)
    assert path(tmp_path, "AAAAAAA", "used").exists()
