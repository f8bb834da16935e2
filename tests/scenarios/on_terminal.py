"""Runs a program as a shell would on a terminal of its own: `python -m … PROGRAM ARGUMENTS`.

Standard input must be the terminal. It becomes the controlling one, so that Ctrl-C and Ctrl-Z
reach the program as signals, and a closed terminal as SIGHUP.
"""

from __future__ import annotations

import os
import sys

if __name__ == "__main__":
    os.login_tty(os.dup(0))
    os.execvp(sys.argv[1], sys.argv[1:])  # noqa: S606 - the program is the test's own
