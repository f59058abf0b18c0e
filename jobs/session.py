"""The command line's own Spark session: local, quiet, and started while Python is still importing.

Spark takes seconds to start, most of them in another process (its JVM). So it starts in a thread, at once, and
whoever needs the session waits for what is left.
"""

from __future__ import annotations

import os
import sys
import tempfile
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

import typer

from engine.errors import DriftlineError

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

__all__ = ["QUICK_JAVA", "STEADY_JAVA", "SparkOptions", "SparkStart", "SparkStartError", "starting"]

QUICK_JAVA = "-XX:+UseSerialGC -XX:TieredStopAtLevel=1"
"""For a JVM that lives for seconds: on two busy cores a run of one day takes about half as long with these."""
STEADY_JAVA = "-XX:+UseSerialGC"
"""For one that has work for minutes, which optimized code pays for."""
LAST_LINES = 12


class SparkStartError(DriftlineError):
    """Spark did not start; the message holds the end of what it said."""


@dataclass(frozen=True)
class SparkOptions:
    """What a user may say about the session.

    Attributes:
        master: Spark's master.
        remote: a Spark Connect server (``sc://host:port``); then there is no master.
        conf: ``key=value``, which win over everything that is set here.
        verbose: let Spark talk.
        java: options of a local driver's JVM; whoever gives `spark.driver.extraJavaOptions` replaces them.
    """

    master: str = "local[*]"
    remote: str | None = None
    conf: tuple[str, ...] = ()
    verbose: bool = False
    java: str = QUICK_JAVA

    @property
    def settings(self) -> dict[str, str]:
        """The session's whole configuration.

        Raises:
            typer.BadParameter: a `conf` without ``=``.
        """
        given = dict(_key_and_value(text) for text in self.conf)
        if self.remote:
            return {"spark.sql.session.timeZone": "UTC"} | given
        settings = {
            "spark.app.name": "driftline",
            "spark.master": self.master,
            "spark.sql.session.timeZone": "UTC",
            "spark.ui.enabled": "false",
            "spark.ui.showConsoleProgress": "false",
            "spark.log.level": "WARN" if self.verbose else "ERROR",
        }
        if given.get("spark.master", self.master).startswith("local"):
            settings |= _local(self.java)
        return settings | given


def _local(java: str) -> dict[str, str]:
    """What is right on one machine: few partitions, and nothing that listens beyond it."""
    return {
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.memory": f"{_memory_gigabytes()}g",
        "spark.sql.shuffle.partitions": str(os.cpu_count() or 2),
        "spark.driver.extraJavaOptions": java,
    }


def _memory_gigabytes() -> int:
    """A quarter of the machine's memory, 1 to 8 GB: Spark's own 1 GB is too little for a join of some million rows."""
    try:
        machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError, AttributeError):  # not every system tells
        return 1
    return max(1, min(8, machine // 4 // 2**30))


def _key_and_value(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals or not key:
        raise typer.BadParameter(f"{text!r} is not KEY=VALUE, such as spark.driver.memory=4g")
    return key, value


class SparkStart:
    """A session that is being started; `session` waits for it."""

    def __init__(self, options: SparkOptions) -> None:
        self._options = options
        self._settings = options.settings
        self._session: SparkSession | None = None
        self._error: Exception | None = None
        # Before the thread, so that no two threads import parts of pyspark at once.
        import pyspark.sql  # noqa: F401  # pyright: ignore[reportUnusedImport]

        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
        self._log: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - Spark's for as long as it lives
        self._thread = threading.Thread(target=self._start, name="spark-start")
        self._thread.start()

    def session(self) -> SparkSession:
        """The session, as soon as it is there.

        Raises:
            SparkStartError: it does not start.
        """
        self._thread.join()
        if self._session is None:
            raise SparkStartError(f"Spark did not start: {self._error}{self._said()}") from self._error
        return self._session

    def stop(self) -> None:
        """Let go of the session, also of one that is still starting.

        A JVM of our own ends with this process (its stdin closes) and cleans up after itself; nobody waits for it.
        """
        self._thread.join()
        if self._session is not None and self._options.remote:
            self._session.stop()

    def _start(self) -> None:
        try:
            self._session = self._connect() if self._options.remote else self._launch()
        except Exception as error:
            self._error = error

    def _connect(self) -> SparkSession:
        from pyspark.sql import SparkSession

        builder = SparkSession.builder.remote(str(self._options.remote))
        return builder.config(map=dict(self._settings)).getOrCreate()

    def _launch(self) -> SparkSession:
        from pyspark import SparkConf, SparkContext
        from pyspark.java_gateway import launch_gateway
        from pyspark.sql import SparkSession

        conf = SparkConf(loadDefaults=False).setAll(list(self._settings.items()))
        # What the JVM and its Python workers say goes to a file without a name; its end is told if they fail.
        quiet = {} if self._options.verbose else {"stdout": self._log, "stderr": self._log}
        gateway = launch_gateway(conf, popen_kwargs=dict(quiet))
        SparkContext(conf=conf, gateway=gateway)
        return SparkSession.builder.getOrCreate()

    def _said(self) -> str:
        self._log.seek(0)
        lines = self._log.read().decode(errors="replace").strip().splitlines()[-LAST_LINES:]
        hint = "\nSpark 4 needs Java 17 or later: JAVA_HOME names the one to use" if not self._options.remote else ""
        return "".join(f"\n  {line}" for line in lines) + hint


@contextmanager
def starting(options: SparkOptions) -> Generator[SparkStart]:
    """Start Spark in the background, and stop it in the end."""
    start = SparkStart(options)
    try:
        yield start
    finally:
        start.stop()
