"""Starts `python -m MODULE …` from the nursery: a `subprocess.Popen` in all but the way it begins.

One nursery serves a test process, from the first program on, and ends with it.
"""

from __future__ import annotations

import array
import atexit
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.processes.nursery import STATUS

ROOT = Path(__file__).parents[2]
_TERMINAL = "tests.scenarios.on_terminal"


class _Nurse:
    """Who speaks with the nursery, one request at a time."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._asking: socket.socket | None = None
        self._of = 0  # the process that opened it: one that was forked has to have its own
        self._folder = Path()

    def door(self) -> Path:
        """Return the name of the nursery's own socket."""
        with self._turn:
            self._opened()
        return self._folder / "door"

    def bear(self, wish: Mapping[str, Any], streams: Sequence[int]) -> int:
        """Have a program started; return its pid."""
        words = json.dumps(wish).encode()
        rights = (socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", streams))
        with self._turn:
            asking = self._opened()
            sent = asking.sendmsg([STATUS.pack(len(words)), words], [rights])
            rest = (STATUS.pack(len(words)) + words)[sent:]
            if rest:
                asking.sendall(rest)
            return _number(asking)

    def _close(self, process: subprocess.Popen[bytes]) -> None:
        if self._asking is not None and self._of == os.getpid():
            self._asking.close()
            process.wait()
            shutil.rmtree(self._folder, ignore_errors=True)

    def _opened(self) -> socket.socket:
        if self._asking is None or self._of != os.getpid():
            ours, theirs = socket.socketpair()
            env = os.environ | {"PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1"}
            self._folder = Path(tempfile.mkdtemp(prefix="nursery-"))  # a socket's name is short
            words = [str(theirs.fileno()), str(self._folder / "door")]
            program = [sys.executable, "-m", "tests.processes.nursery", *words]
            self._process = subprocess.Popen(
                program, cwd=ROOT, env=env, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL
            )
            theirs.close()
            _number(ours)
            atexit.register(self._close, self._process)
            self._asking, self._of = ours, os.getpid()
        return self._asking


def _number(asking: socket.socket) -> int:
    heard = b""
    while len(heard) < STATUS.size:
        more = asking.recv(STATUS.size - len(heard))
        if not more:
            raise ChildProcessError("the nursery has ended")
        heard += more
    return int(STATUS.unpack(heard)[0])


_NURSE = _Nurse()


class Popen(subprocess.Popen[Any]):
    """`subprocess.Popen([sys.executable, "-m", …])`, from the nursery.

    Anything else is started as ever: another program, a preexec_fn, descriptors to pass on.
    """

    _told: int | None = None  # where the nursery tells how it ended

    def __del__(self, *rest: Any) -> None:
        told, self._told = self._told, None
        if told is not None:
            os.close(told)
        super().__del__(*rest)

    def _execute_child(self, args: Any, *rest: Any) -> None:
        wish = _wish(args, rest)
        if wish is None:
            super()._execute_child(args, *rest)  # type: ignore[misc]  # typeshed leaves it out
            return
        given = enumerate((rest[9], rest[12], rest[14]))  # the child's ends of its three streams
        streams = [own if stream == -1 else stream for own, stream in given]
        self._told, tells = os.pipe()
        try:
            self.pid = _NURSE.bear(wish, [*streams, tells])
            self._child_created = True
        finally:
            os.close(tells)
            self._close_pipe_fds(*rest[9:15])  # type: ignore[attr-defined]  # as above

    def _try_wait(self, flags: int) -> tuple[int, int]:
        if self._told is None:
            return super()._try_wait(flags)  # type: ignore[misc,no-any-return]  # as above
        os.set_blocking(self._told, not flags & os.WNOHANG)
        try:
            heard = os.read(self._told, STATUS.size)
        except BlockingIOError:
            return 0, 0
        os.close(self._told)
        self._told = None
        if not heard:
            raise ChildProcessError("the nursery ended first")
        return self.pid, int(STATUS.unpack(heard)[0])

    def _internal_poll(self, *_: Any, **__: Any) -> int | None:
        if self._told is None:
            return super()._internal_poll()  # type: ignore[misc,no-any-return]  # as above
        if self.returncode is None and self._waitpid_lock.acquire(blocking=False):  # type: ignore[attr-defined]
            try:
                if self.returncode is None:
                    pid, status = self._try_wait(os.WNOHANG)
                    if pid == self.pid:
                        self._handle_exitstatus(status)  # type: ignore[attr-defined]
            finally:
                self._waitpid_lock.release()  # type: ignore[attr-defined]
        return self.returncode


def run(args: Sequence[str], **options: Any) -> subprocess.CompletedProcess[Any]:
    """Do what `subprocess.run` does, from the nursery; `input` is not taken."""
    timeout, check = options.pop("timeout", None), options.pop("check", False)
    if options.pop("capture_output", False):
        options |= {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with Popen(args, **options) as process:
        try:
            out, err = process.communicate(timeout=timeout)
        except BaseException:
            process.kill()
            raise
    done = subprocess.CompletedProcess(args, process.returncode, out, err)
    if check:
        done.check_returncode()
    return done


def shim(folder: Path) -> Path:
    """Put an `ibkr-trader` into `folder` that comes from the nursery, for a shell's PATH."""
    program = folder / "ibkr-trader"
    text = Path(__file__).with_name("shim.py").read_text(encoding="utf-8")
    program.write_text(
        f"#!{sys.executable} -IS\n{text.replace('@DOOR@', str(_NURSE.door()))}", encoding="utf-8"
    )
    program.chmod(0o700)
    return folder


def _wish(args: Any, rest: tuple[Any, ...]) -> dict[str, Any] | None:
    """What to ask the nursery for; None if it cannot do it."""
    _, preexec_fn, _, pass_fds, cwd, env = rest[:6]
    start_new_session = rest[20]
    words = [os.fsdecode(word) for word in args] if not isinstance(args, str | bytes) else []
    is_terminal = words[:3] == [sys.executable, "-m", _TERMINAL]
    words = words[3:] if is_terminal else words
    if words[:2] != [sys.executable, "-m"] or preexec_fn is not None or pass_fds:
        return None
    found = dict(os.environ if env is None else env)
    if found.get("PYTHONPATH", str(ROOT)) != str(ROOT):
        return None  # what lies there may change how an interpreter starts
    if found.keys() & {"PYTHONIOENCODING", "PYTHONUTF8", "LC_ALL", "PYTHONHASHSEED"}:
        return None
    return {
        "module": words[2],
        "arguments": words[3:],
        "cwd": str(cwd or Path.cwd()),
        "env": {os.fsdecode(key): os.fsdecode(value) for key, value in found.items()},
        "session": bool(start_new_session),
        "terminal": is_terminal,
    }
