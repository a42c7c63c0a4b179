"""Children that must not outlive the server."""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1
# Where it is set, the process of that id stands between the server and this one.
LAUNCHER = "ENGINE_LAUNCHER"


class Orphaned(Exception):
    """The server is gone."""


def die_with_parent():
    """On Linux the kernel kills this process when the thread that started it ends."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def check_parent(pid):
    """For other systems, and for a parent that died before we asked the kernel."""
    if os.getppid() != pid:
        raise Orphaned
