"""A certificate for this machine that only its own file vouches for."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest


def make_certificate(folder: Path) -> Path:
    """Make a certificate for 127.0.0.1 in `folder`, its key beside it under `.key`."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("no openssl on this machine: `apt-get install openssl` brings it")
    path = folder / "here.pem"
    words = f"req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=here -keyout {path}.key"
    subprocess.run(
        [openssl, *words.split(), "-out", str(path), "-addext", "subjectAltName=IP:127.0.0.1"],
        check=True,
        capture_output=True,
        timeout=30,
    )
    return path
