"""What a shell finds as `ibkr-trader`: has the program forked by the nursery, and ends as it does.

`warm.shim` writes it down with the door's name in it. It runs without our packages, and imports
next to nothing, since that is what it is for.
"""

from __future__ import annotations

import array
import json
import os
import signal
import socket
import struct
import sys

DOOR = "@DOOR@"
STATUS = struct.Struct("i")


def main() -> None:
    """Ask, wait, and end in the same way."""
    told, tells = os.pipe()
    wish = {
        "module": "ibkr_trader",
        "arguments": sys.argv[1:],
        "cwd": os.getcwd(),  # noqa: PTH109 - pathlib costs as much as all of this
        "env": dict(os.environ),
        "session": False,
        "terminal": False,
    }
    words = json.dumps(wish).encode()
    rights = (socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [0, 1, 2, tells]))
    with socket.socket(socket.AF_UNIX) as asking:
        asking.connect(DOOR)
        sent = asking.sendmsg([STATUS.pack(len(words)), words], [rights])
        rest = (STATUS.pack(len(words)) + words)[sent:]
        if rest:  # nothing may be sent to who has all of it, and is gone
            asking.sendall(rest)
        os.close(tells)
        asking.recv(STATUS.size)
    (status,) = STATUS.unpack(os.read(told, STATUS.size))
    code = os.waitstatus_to_exitcode(status)
    if code < 0:
        signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    sys.exit(code)


if __name__ == "__main__":
    main()
