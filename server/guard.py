"""Between a scheduler and a run: however the scheduler ends, or falls silent, everything that the run started ends too.

    python -I -S guard.py PATIENCE GRACE COMMAND...

The scheduler holds this process's stdin and writes a byte into it whenever the run is still its own. When none has come
for PATIENCE seconds, somebody else may have taken the run over; when stdin ends, the scheduler is gone, or has let go.
Then the run's processes are asked to end, and killed after GRACE seconds. Otherwise the run's exit code is passed on.

It leads the process group and the session of the run, and imports nothing but the standard library: it is there in
milliseconds. Elapsed time is counted by a clock that nobody can set.
"""

import ctypes
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

__all__ = ["NOT_STARTED", "SILENCE", "main"]

SILENCE = 75
"""The exit code of a run that was ended since its scheduler gave no sign of life (`EX_TEMPFAIL`)."""
NOT_STARTED = 127
"""The exit code where the command cannot be started, as shells have it."""
PR_SET_CHILD_SUBREAPER = 36


def main(patience: float, grace: float, command: Sequence[str]) -> int:
    """Start the command, and be there until nothing of it is left; its exit code."""
    _adopt_orphans()
    # A handler and not SIG_IGN, which the run would inherit: what the group is told is not meant for this process.
    signal.signal(signal.SIGTERM, lambda *_: None)
    try:
        run = subprocess.Popen(command, stdin=subprocess.DEVNULL).pid
    except OSError as error:
        print(f"{command[0]} cannot be started: {error.strerror}", flush=True)
        return NOT_STARTED
    silent = threading.Event()
    threading.Thread(target=_watch, args=(patience, grace, silent), daemon=True).start()
    code = 0
    while True:
        try:
            ended, status = os.waitpid(-1, 0)
        except ChildProcessError:
            return SILENCE if silent.is_set() else code
        if ended == run:
            code = os.waitstatus_to_exitcode(status)
            # What a signal has ended has no exit code of its own; shells say 128 and the signal's number.
            code = 128 - code if code < 0 else code
            threading.Thread(target=_end, args=(grace,), daemon=True).start()  # of what it leaves behind


def _watch(patience: float, grace: float, silent: threading.Event) -> None:
    while select.select([0], [], [], patience)[0]:
        if not os.read(0, 1024):
            break
    else:
        silent.set()
        with suppress(OSError):  # a full disk
            print(f"ended: the scheduler gave no sign of life for {patience:g} seconds", flush=True)
    _end(grace)


def _end(grace: float) -> None:
    """Ask everything to end, and then end it; this process ends when there is nothing left."""
    os.killpg(0, signal.SIGTERM)
    time.sleep(grace)
    if not Path(f"/proc/self/task/{os.getpid()}/children").exists():
        os.killpg(0, signal.SIGKILL)  # this process too: the system does not say what else there is
    while True:  # its children's children become its own, and may be in groups of their own
        for file in Path("/proc/self/task").glob("*/children"):
            for pid in file.read_text().split():
                with suppress(ProcessLookupError):
                    os.kill(int(pid), signal.SIGKILL)
        time.sleep(0.01)


def _adopt_orphans() -> None:
    """Linux makes it the parent of whatever the run leaves behind, so that all of it can be ended and waited for."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]), float(sys.argv[2]), sys.argv[3:]))
