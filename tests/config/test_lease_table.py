"""The table that says which of several hosts trades."""

from __future__ import annotations

import pytest

from ibkr_trader.config.lease_table import LeaseTable, lease_family, lease_key, lease_name
from ibkr_trader.core.errors import ConfigError
from ibkr_trader.core.ids import family_named
from tests.config.conftest import Desk, origin, shown


def test_without_it_no_other_host_is_thought_of(desk: Desk) -> None:
    desk.toml("timeout_seconds = 5\n")
    settings = desk.load()
    assert settings.lease is None
    assert not [one for one in settings.effective if one.name.startswith("lease")]


def test_it_is_read_and_shown(desk: Desk) -> None:
    desk.toml('[lease]\nurl = "rediss://me@r.example.com"\nname = "main"\nttl_seconds = 7.5\n')
    settings = desk.load()
    assert settings.lease == LeaseTable(
        url="rediss://me@r.example.com", name="main", ttl_seconds=7.5
    )
    assert shown(settings, "lease.ttl_seconds") == "7.5"
    assert origin(settings, "lease.name").endswith("line 3")


def test_an_empty_one_has_its_defaults(desk: Desk) -> None:
    desk.toml("[lease]\n")
    assert desk.load().lease == LeaseTable()


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ('url = "redis://me:pw@127.0.0.1"', "lease.url has a password in it"),
        ('url = "redis://me:pw@[::1"', "lease.url cannot be read"),
        ('name = "two words"', "lease.name must be at most 100 visible"),
        ("ttl_seconds = 0.5", "lease.ttl_seconds must be from 1 to 3600"),
        ('ttl_seconds = "soon"', "lease.ttl_seconds: soon cannot be used"),
        ('family = "k7qav2"', "lease.family must be 5 letters"),
        ('family = "K7QAV"', "lease.family must be 5 letters"),
        ("ttl = 5", "lease.ttl is no setting"),
        ('password = "x"', "keeps none"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(desk: Desk, line: str, complaint: str) -> None:
    desk.toml(f"[lease]\n{line}\n")
    with pytest.raises(ConfigError, match="line 2") as refused:
        desk.load()
    assert complaint in refused.value.message
    assert "pw" not in refused.value.message.replace("password", "")


def test_hosts_of_one_lease_are_of_one_family(desk: Desk) -> None:
    desk.toml("timeout_seconds = 5\n")
    assert lease_family(desk.load()) == ""
    desk.toml("[lease]\n")
    plain = desk.load()
    assert lease_name(plain) == "sim:127.0.0.1:0:1"
    desk.toml('[lease]\nname = "main"\nttl_seconds = 7.5\n')
    named = desk.load()
    assert lease_name(named) == "main"
    assert lease_family(named) == family_named("main") != lease_family(plain)
    desk.toml('[lease]\nname = "main"\nfamily = "k7qav"\n')
    assert lease_family(desk.load()) == "k7qav"


@pytest.mark.parametrize("host", ["g" * 180, "g" * 253])
def test_a_key_that_not_every_host_could_keep_is_refused_before_it_is_written(
    desk: Desk, host: str
) -> None:
    """The file with the highest epoch took it once, and was damaged at every later start."""
    gateway = f'profile = "paper"\nhost = "{host}"\nallow_remote_gateway = true\n'
    path = desk.toml(f"{gateway}[lease]\n")
    with pytest.raises(ConfigError, match="called by the gateway's address") as refused:
        lease_key(desk.load())
    assert str(path) in refused.value.message
    assert "name = " in refused.value.hint
    desk.toml(f'{gateway}[lease]\nname = "main"\n')
    assert lease_key(desk.load()) == "ibkr-trader:lease:{main}"
