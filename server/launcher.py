"""A run is a process of its own: what crashes, hangs or eats all memory does so there."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol

from server.queue import Task
from server.secrets import VARIABLE as SECRET_KEY
from server.settings import OPENLINEAGE_KEY, SMTP_PASSWORD

__all__ = ["Launched", "Launcher", "SparkLauncher"]

LAST_LINES = 20
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

    def kill(self) -> None:
        """End it with all that it started, and wait until it is gone."""
        ...

    def last_lines(self) -> str:
        """The end of its output."""
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
    """

    store: str
    logs: Path
    master: str | None = "local[*]"
    deploy_mode: str | None = None
    remote: str | None = None
    conf: Mapping[str, str] = field(default_factory=dict[str, str])
    environment: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)

    def start(self, task: Task, files: Sequence[Path]) -> Launched:
        """See `Launcher.start`."""
        self.logs.mkdir(parents=True, exist_ok=True)
        log = self.logs / f"{task.id}-{task.attempt}.log"
        with log.open("ab") as output:
            process = subprocess.Popen(
                self.command(task, files),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=self._environment(),
                start_new_session=True,  # so that it can be ended with everything that it starts
            )
        return _Process(process, log)

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
        options += [word for name, value in self.conf.items() for word in ("--conf", f"{name}={value}")]
        return [_spark_submit(), "--name", f"driftline {task.model or task.monitors[0]}", *options, str(script), *asked]

    def _environment(self) -> dict[str, str]:
        inherited = {name: value for name, value in os.environ.items() if name not in OWN_SECRETS}
        found = {**inherited, **self.environment, "PYSPARK_PYTHON": sys.executable}
        found.setdefault("PYSPARK_DRIVER_PYTHON", sys.executable)
        return found | ({"SPARK_REMOTE": self.remote} if self.remote else {})


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

    @property
    def log(self) -> str:
        return str(self.path)

    def poll(self) -> int | None:
        code = self.process.poll()
        # A process that a signal has ended has no exit code of its own; shells say 128 and the signal's number.
        return 128 - code if code is not None and code < 0 else code

    def kill(self) -> None:
        for how, patience in ((signal.SIGTERM, 10.0), (signal.SIGKILL, None)):
            try:
                os.killpg(self.process.pid, how)
                self.process.wait(patience)
            except ProcessLookupError:
                break
            except subprocess.TimeoutExpired:
                continue
        self.process.wait()

    def last_lines(self) -> str:
        with self.path.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - 8_000))
            lines = file.read().decode(errors="replace").splitlines()
        return "\n".join(lines[-LAST_LINES:])
