"""Write the lock files beside this script: exact versions with the hash of every artifact.

`make lock` runs it. Each lock serves Python 3.11, 3.12 and 3.13 on every platform
(environment markers decide), names no package index, and holds no path of the machine that
made it. What is locked already stays as it is, unless `--upgrade` is given.

It relies on `uv` beside the interpreter that runs it (`requirements/lock.txt` pins it).
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

HERE = Path(__file__).resolve().parent
HEADER = (
    "# Made by `make lock` from pyproject.toml and requirements/lock.py; do not edit.\n"
    "# Install with: pip install --require-hashes -r requirements/{name}\n"
)
BUILD = ["editables", "hatchling", "setuptools", "wheel"]


def wanted() -> dict[str, list[str]]:
    """Return, for each lock file, the requirements that it pins."""
    project = tomllib.loads((HERE.parent / "pyproject.toml").read_text())["project"]
    runtime: list[str] = project["dependencies"]
    extras: dict[str, list[str]] = project["optional-dependencies"]
    dev = [*BUILD, *extras["dev"], *extras["redis"], *extras["notify"], *extras["bench"]]
    without_insync = [one for one in runtime if not one.startswith("ib_insync")]
    return {
        "runtime.txt": runtime,
        "build.txt": BUILD,
        "dev.txt": [*runtime, *dev],
        # ib_insync and ib_async install the same eventkit module: never in one environment.
        "ib_async.txt": [*without_insync, *extras["ib_async"], *dev],
        # Foreign clients that drive the gateway simulator. The two ibapi releases are one
        # module, so each has an environment of its own.
        "client_ibapi_9.txt": ["ibapi==9.81.1.post1"],
        "client_ibapi_10.txt": ["ibapi-stable==10.50.2"],
        "client_tools.txt": ["ibkr-cli", "ibkr-ops"],
        # A package that ships real daily prices; only its files are read, so it comes alone.
        "data_prices.txt": ["skfolio"],
        "mutants.txt": [*runtime, *dev, *extras["mutants"]],
        "lock.txt": ["uv"],
    }


def lock(name: str, requirements: list[str], *, upgrade: bool) -> None:
    """Write the lock `name`, in `requirements/`."""
    target = HERE / name
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "wanted.in")
        source.write_text("\n".join(requirements) + "\n")
        result = Path(folder, name)
        if target.exists() and not upgrade:
            result.write_bytes(target.read_bytes())  # uv keeps the versions that it finds here
        command = [str(Path(sys.executable).with_name("uv")), "pip", "compile", "--quiet"]
        command += ["--universal", "--python-version=3.11", "--generate-hashes"]
        command += ["--no-header", "--no-annotate", "--no-emit-index-url"]
        if name.startswith("data_"):
            command += ["--no-deps"]
        if name == "dev.txt":  # one environment serves `make demo` and `make test`
            command += [f"--constraints={HERE / 'runtime.txt'}"]
        subprocess.run([*command, f"--output-file={result}", str(source)], check=True)
        target.write_text(HEADER.format(name=name) + result.read_text())


def main() -> None:
    """Write every lock, runtime first: the others agree with it."""
    upgrade = "--upgrade" in sys.argv[1:]
    for name, requirements in wanted().items():
        print(f"requirements/{name}")
        lock(name, requirements, upgrade=upgrade)


if __name__ == "__main__":
    main()
