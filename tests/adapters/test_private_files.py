from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from ibkr_trader.adapters.private_files import (
    create_private,
    open_private,
    private_folder,
    replace_private,
    sync_folder,
)
from ibkr_trader.core.errors import ConfigError
from tests.adapters.disks import takes_only


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_folders_are_made_with_their_parents_and_private(tmp_path: Path) -> None:
    folder = private_folder(tmp_path / "a" / "b")
    assert mode(folder) == mode(folder.parent) == 0o700
    assert private_folder(folder) == folder
    sync_folder(folder)


def test_a_readable_folder_of_the_users_own_is_left_alone(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    assert mode(private_folder(tmp_path)) == 0o755


def test_a_file_in_the_way_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="cannot be used") as caught:
        private_folder(tmp_path / "file" / "sub")
    assert "--data-dir" in caught.value.hint
    with pytest.raises(ConfigError, match="not a folder"):
        private_folder(tmp_path / "file")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_what_belongs_to_somebody_else_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "theirs"
    folder.mkdir()
    os.chown(folder, 65534, 65534)
    with pytest.raises(ConfigError, match="another user"):
        private_folder(folder)
    file = tmp_path / "file"
    file.write_text("")
    os.chown(file, 65534, 65534)
    with pytest.raises(ConfigError, match="another user"):
        open_private(file, os.O_RDONLY)


def test_a_new_file_is_private_and_never_replaces_one(tmp_path: Path) -> None:
    path = tmp_path / "file"
    create_private(path, b"hello")
    assert path.read_bytes() == b"hello"
    assert mode(path) == 0o600
    with pytest.raises(FileExistsError):
        create_private(path, b"")


def test_a_file_takes_the_place_of_an_older_one(tmp_path: Path) -> None:
    path = tmp_path / "file"
    (tmp_path / f".file.{os.getpid()}.new").write_text("what one left who was killed")
    for content in (b"first", b"second"):
        replace_private(path, content)
        assert path.read_bytes() == content
    assert mode(path) == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_a_full_disk_leaves_the_older_one_and_nothing_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "file"
    replace_private(path, b"first")
    with takes_only(4), pytest.raises(OSError, match="No space left"):
        replace_private(path, b"another")
    assert path.read_bytes() == b"first"
    assert list(tmp_path.iterdir()) == [path]


def test_opening_makes_private_and_follows_no_link(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("")
    path.chmod(0o664)
    os.close(open_private(path, os.O_RDONLY))
    assert mode(path) == 0o600
    (tmp_path / "link").symlink_to(path)
    with pytest.raises(ConfigError, match="link"):
        open_private(tmp_path / "link", os.O_RDONLY)
    with pytest.raises(FileNotFoundError):
        open_private(tmp_path / "missing", os.O_RDONLY)


@pytest.mark.parametrize("flags", [os.O_RDONLY, os.O_RDWR, os.O_RDWR | os.O_CREAT])
def test_a_folder_in_the_place_of_a_file_is_refused_however_it_is_opened(
    tmp_path: Path, flags: int
) -> None:
    with pytest.raises(ConfigError, match="is not a file"):
        open_private(tmp_path, flags)
