"""Sources and sinks as the settings name them: made, or refused with file, line and key."""

from __future__ import annotations

from pathlib import Path

import pytest

from ibkr_trader.cli.outside import made_sinks, made_sources
from ibkr_trader.config import Settings, load
from ibkr_trader.core.errors import ConfigError

HIDDEN = "s3cr3t-of-mine-and-of-nobody-else"


def settings(tmp_path: Path, text: str) -> Settings:
    path = tmp_path / "config.toml"
    path.write_text(text)
    return load({}, environ={"IBKR_CONFIG": str(path)}, cwd=tmp_path)


def refused(tmp_path: Path, text: str) -> ConfigError:
    found = settings(tmp_path, text)
    with pytest.raises(ConfigError) as caught:
        made_sources(found) or made_sinks(found)
    assert str(tmp_path / "config.toml") in caught.value.message
    return caught.value


def test_what_is_named_is_made_and_nothing_is_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DESK_KEY", HIDDEN)
    found = settings(
        tmp_path,
        '[signals.webhook]\nport = 0\nkeys = { k1 = "DESK_KEY" }\n'
        '[sinks.webhook]\nurl = "https://example.com/x"\nkey_env = "DESK_KEY"\n',
    )
    (source,), (sink,) = made_sources(found), made_sinks(found)
    assert source.name == "webhook"
    assert HIDDEN not in repr((source, sink, vars(sink)))
    nothing = settings(tmp_path, "")
    assert (made_sources(nothing), made_sinks(nothing)) == ([], [])


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("[signals.pigeon]\n", "line 1: signals.pigeon: there is no such source", "webhook"),
        ("\n[sinks.pigeon]\n", "line 2: sinks.pigeon: there is no such sink", "webhook"),
        ("[signals.webhook]\nprot = 1\n", "such key; did you mean port?", "correct [signals."),
        ("[signals.webhook]\nport = 99999\n", "line 2: signals.webhook.port: ", "correct [signals"),
        ("[signals.api]\nurl = 'https://x'\ntickers = [\n'A', 5]\n",
         "line 3: signals.api.tickers[1]: ", "correct [signals.api]"),
        (("[signals.api]\nurl = 'https://x'\ntickers = ['A']\n"
         "[signals.api.trades]\nthreshold = 'x'\n"),
         "line 5: signals.api.trades.threshold: ", "correct [signals.api]"),
        ("[sinks.webhook]\n\nurll = 'x'\n", "line 3: sinks.webhook.urll: there is no such key; did",
         "correct [sinks.webhook]"),
        ("[sinks.webhook]\n", "line 1: sinks.webhook.url: it is missing", "correct [sinks"),
        ("[sinks.json_lines]\nfiles = 2\n", "line 1: sinks.json_lines.path: it is missing",
         "correct [sinks.json_lines]"),
        ("[sinks.webhook]\nurl = 5\n", "line 2: sinks.webhook.url: ", "correct [sinks.webhook]"),
        ("[sinks.webhook]\nurl = 'https://x'\n\nkey_env = 'NOPE_X'\n",
         "line 4: sinks.webhook.key_env: the environment has no NOPE_X", "correct [sinks.webhook]"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_with_its_line_and_key(
    text: str, message: str, hint: str, tmp_path: Path
) -> None:
    error = refused(tmp_path, text)
    assert message in error.message
    assert error.hint is not None
    assert hint in error.hint


@pytest.mark.parametrize("secret", [HIDDEN, "AKIAEXAMPLEEXAMPLE", "hunter2"])
@pytest.mark.parametrize(
    "text",
    [
        "[sinks.webhook]\nurl = 'https://example.com'\nkey_env = '{}'\n",
        "[sinks.webhook]\nurl = 'https://example.com'\ntoken_env = '{}'\n",
        "[sinks.redis_streams]\nurl = 'redis://127.0.0.1'\npassword_env = '{}'\n",
        "[signals.webhook]\nkeys = {{ k1 = '{}' }}\n",
        "[signals.api]\nurl = 'https://example.com'\ntickers = ['A']\ntoken_env = '{}'\n",
    ],
)
def test_a_secret_in_a_settings_file_is_refused_and_never_shown(
    text: str, secret: str, tmp_path: Path
) -> None:
    error = refused(tmp_path, text.format(secret))
    assert secret not in f"{error.message} {error.hint} {error!r}"
    assert "variable" in error.message


def test_a_secret_that_is_no_text_is_refused(tmp_path: Path) -> None:
    text = "[sinks.webhook]\nurl = 'https://example.com'\nkey_env = 5\n"
    assert "line 3: sinks.webhook.key_env: expected `str`" in refused(tmp_path, text).message


def test_two_sources_of_one_name_are_refused(tmp_path: Path) -> None:
    """What came by one would be taken for a repetition at the other, signed or not."""
    error = refused(
        tmp_path,
        "[signals.file]\npath = '/tmp/x'\n[signals.redis]\nname = 'file'\n",
    )
    assert "line 4: signals.redis.name: [signals.file] is called file, too" in error.message


def test_with_real_money_nothing_is_polled_that_could_never_be_taken(tmp_path: Path) -> None:
    live = 'profile = "live"\naccount = "U0000000"\nallow_live = true\n'
    api = "[signals.api]\nurl = 'https://x'\ntickers = ['A']\n"
    error = refused(tmp_path, live + api)
    assert "line 4: signals.api: with real money every signal must be signed" in error.message
    assert [one.name for one in made_sources(settings(tmp_path, api))] == ["api"]
