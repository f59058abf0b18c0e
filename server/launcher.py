"""A run is a process of its own: what crashes, hangs or eats all memory does so there.

Between it and the scheduler stands a guard (`server.guard`), so that it never outlives whoever started it.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Protocol

from server import guard
from server.queue import LEASE, Task
from server.secrets import VARIABLE as SECRET_KEY
from server.settings import OPENLINEAGE_KEY, SMTP_PASSWORD

__all__ = ["Launched", "Launcher", "SparkLauncher", "forget_logs"]

OUTPUT = 64_000
"""How much of a run's output, from its end, is looked at for why it failed."""
OWN_SECRETS = frozenset({
    SECRET_KEY, SMTP_PASSWORD, OPENLINEAGE_KEY, "DRIFTLINE_DATABASE", "PGPASSWORD", "PGPASSFILE", "PGSSLPASSWORD",
})  # fmt: skip
"""Variables of the server's that no run inherits: a run reads data and writes results, and runs people's components."""


class Launched(Protocol):
    """A run that was started."""

    @property
    def log(self) -> str:
        """Where its output is."""
        ...

    def poll(self) -> int | None:
        """Its exit code; None while it goes on."""
        ...

    def keep(self) -> None:
        """A sign of life: the run is still this process's own. Without one it ends by itself."""
        ...

    def end(self) -> None:
        """Ask it to end, with all that it started; `poll` tells when it is gone, which takes seconds at most."""
        ...

    def wait(self) -> None:
        """Wait until it is gone."""
        ...

    def output(self) -> str:
        """The end of what it said."""
        ...


class Launcher(Protocol):
    """How runs are started."""

    def start(self, task: Task, files: Sequence[Path]) -> Launched:
        """Start the evaluation of these monitor files for the task's time.

        Raises:
            OSError: it cannot be started.
        """
        ...


@dataclass(frozen=True)
class SparkLauncher:
    """Starts `spark-submit jobs/run_monitor.py`, on this machine's Spark or on a cluster's.

    Attributes:
        store: where results go.
        logs: the folder of the runs' output.
        master, deploy_mode: as spark-submit knows them; None: its own default.
        remote: a Spark Connect server (``sc://host:port``), and then no spark-submit.
        conf: settings of Spark's.
        environment: more variables for the process: credentials, which never stand on its command line.
        lease: without a sign of life for so long a run ends by itself.
        grace: between the question to end and the end.
    """

    store: str
    logs: Path
    master: str | None = "local[*]"
    deploy_mode: str | None = None
    remote: str | None = None
    conf: Mapping[str, str] = field(default_factory=dict[str, str])
    environment: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    lease: timedelta = LEASE
    grace: timedelta = timedelta(seconds=5)

    def start(self, task: Task, files: Sequence[Path]) -> Launched:
        """See `Launcher.start`."""
        self.logs.mkdir(parents=True, exist_ok=True)
        log = self.logs / f"{task.id}-{task.attempt}.log"
        seconds = [str(each.total_seconds()) for each in (self.lease, self.grace)]
        with log.open("ab") as output:
            process = subprocess.Popen(
                [sys.executable, "-I", "-S", guard.__file__, *seconds, *self.command(task, files)],
                stdin=subprocess.PIPE,  # closed in every other child, as Python opens it
                stdout=output,
                stderr=subprocess.STDOUT,
                env=self._environment(),
                start_new_session=True,  # so that it can be ended with everything that it starts
            )
        return _Process(process, log, 3 * self.grace.total_seconds())

    def command(self, task: Task, files: Sequence[Path]) -> list[str]:
        """The process's words."""
        from engine import __file__ as engine

        script = Path(engine).parent.parent / "jobs" / "run_monitor.py"
        asked = [word for file in files for word in ("--monitor", str(file))]
        asked += ["--at", task.time.isoformat(), "--store", self.store, "--format", "json"]
        if self.remote:
            return [sys.executable, str(script), *asked]
        options = ["--master", self.master] if self.master else []
        options += ["--deploy-mode", self.deploy_mode] if self.deploy_mode else []
        # The driver is here, whatever Python its workers have (`spark.pyspark.python`).
        here = {} if self.deploy_mode == "cluster" else {"spark.pyspark.driver.python": sys.executable}
        options += [word for name, value in {**here, **self.conf}.items() for word in ("--conf", f"{name}={value}")]
        return [_spark_submit(), "--name", f"driftline {task.model or task.monitors[0]}", *options, str(script), *asked]

    def _environment(self) -> dict[str, str]:
        inherited = {name: value for name, value in os.environ.items() if name not in OWN_SECRETS}
        found = {**inherited, **self.environment, "PYSPARK_PYTHON": sys.executable}
        found.setdefault("PYSPARK_DRIVER_PYTHON", sys.executable)
        return found | ({"SPARK_REMOTE": self.remote} if self.remote else {})


def forget_logs(folder: Path, before: datetime) -> None:
    """Remove what was written last before that time."""
    for log in folder.glob("*.log"):
        if log.stat().st_mtime < before.timestamp():
            log.unlink(missing_ok=True)


def _spark_submit() -> str:
    """SPARK_HOME's, or the one that comes with pyspark."""
    home = os.environ.get("SPARK_HOME")
    if home:
        return str(Path(home) / "bin" / "spark-submit")
    spec = find_spec("pyspark")
    assert spec is not None
    assert spec.origin is not None
    return str(Path(spec.origin).parent / "bin" / "spark-submit")


@dataclass(frozen=True)
class _Process:
    process: subprocess.Popen[bytes]
    path: Path
    patience: float

    def __post_init__(self) -> None:
        os.set_blocking(self._line.fileno(), False)

    @property
    def log(self) -> str:
        return str(self.path)

    @property
    def _line(self) -> IO[bytes]:
        assert self.process.stdin is not None
        return self.process.stdin

    def poll(self) -> int | None:
        code = self.process.poll()
        if code is None:
            return None
        if code < 0 and not self._line.closed:  # somebody has killed the guard, which cannot end its run any more
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
        self.end()
        return 128 - code if code < 0 else code

    def keep(self) -> None:
        if not self._line.closed:
            with suppress(BrokenPipeError, BlockingIOError):  # it is gone, or stopped by somebody
                os.write(self._line.fileno(), b".")

    def end(self) -> None:
        self._line.close()

    def wait(self) -> None:
        try:
            self.process.wait(self.patience)
        except subprocess.TimeoutExpired:  # somebody has stopped the guard (SIGSTOP)
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def output(self) -> str:
        with self.path.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - OUTPUT))
            return file.read().decode(errors="replace")
