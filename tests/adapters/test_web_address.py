"""A web address is private on the way there or on this machine, and is not shown."""

from __future__ import annotations

import logging

import pytest

from ibkr_trader.adapters.web_address import check_web_address, hush


@pytest.mark.parametrize(
    "url",
    [
        "https://api.example.com", "https://api.example.com:8443/v1/", "http://127.0.0.1:8750",
        "http://localhost", "http://[::1]:80", "http://127.9.9.9",
    ],
)  # fmt: skip
def test_an_address_is_private_or_here(url: str) -> None:
    check_web_address(url)
    check_web_address(url, is_base=True)


@pytest.mark.parametrize(
    "url",
    [
        "", "api.example.com", "ftp://api.example.com", "http://api.example.com", "https://",
        "http://10.0.0.1", "http://127.0.0.1.example.com", "http://localhost.example.com",
        "https://user:hunter2@api.example.com", "https://user@api.example.com",
        "https://:hunter2@api.example.com", "https://api.example.com/hunter2#x",
        "https://api.exa mple.com/hunter2", "https:///hunter2", "https://[api/hunter2",
        "https://api.example.com:0", "https://api.example.com:99999", "https://\u00e9.example.com",
        "file:///etc/passwd", "http://127.0.0.1@example.com", "https://api.example.com:hunter2/",
    ],
)  # fmt: skip
def test_any_other_address_is_refused_and_not_shown(url: str) -> None:
    with pytest.raises(ValueError, match=r"want|token_env|port 0") as caught:
        check_web_address(url)
    assert "hunter2" not in str(caught.value)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_a_query_stands_where_no_path_is_put_behind_it() -> None:
    check_web_address("https://hooks.example.com/T0/x?k=v")
    with pytest.raises(ValueError, match="nothing behind them"):
        check_web_address("https://hooks.example.com/T0/x?k=v", is_base=True)


def test_another_machine_is_told_in_the_clear_only_if_one_says_so() -> None:
    check_web_address("http://hooks.example.com", allow_plain=True)
    with pytest.raises(ValueError, match=r"^hooks\.example\.com would be talked to in the clear"):
        check_web_address("http://hooks.example.com")


def test_the_library_logs_no_address(caplog: pytest.LogCaptureFixture) -> None:
    loggers = [logging.getLogger(name) for name in ("httpx", "httpcore")]
    with caplog.at_level(logging.DEBUG, "httpx"), caplog.at_level(logging.DEBUG, "httpcore"):
        hush()
        for one in loggers:
            one.info("GET https://hooks.example.com/hunter2")
    assert "hunter2" not in caplog.text
