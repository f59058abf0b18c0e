"""Is this machine fit to evaluate monitors: Java, Spark, the store, room on its disks, the file system's clock?"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from jobs.checkup import Checkup, UnwellError, nearest, writable
from jobs.times import now

if TYPE_CHECKING:
    from server.settings import ServerKeys

__all__ = ["agreed", "java_checkup", "machine_checkups"]

JAVA = 17
"""The least version that Spark 4 runs on."""
ROOM = 1 << 30
"""Bytes below which a disk is as good as full: Spark spills, Delta rewrites."""
DRIFT = timedelta(seconds=10)
"""How far apart clocks may be: what is due is due by them."""
PROBE = ".driftline-doctor-"


def machine_checkups(settings: ServerKeys, *, spark: bool) -> list[Checkup]:
    """What is looked at, in order."""
    checkups = [java_checkup()]
    if spark:
        hint = "the lines above are Spark's own; launcher.master, launcher.remote and launcher.conf say which Spark"
        checkups.append(Checkup("spark", 1, lambda: _spark(settings), hint))
    hint = "it has to be there, and readable and writable for who runs the server; of a bucket, see its credentials"
    checkups.append(Checkup("store", 4, lambda: _store(settings.store), hint))
    for name, place in {"store": settings.store, "state": settings.state}.items():
        if "://" not in place:
            checkups.append(Checkup(f"disk of {name}", 4, lambda place=place: _room(Path(place)), "look at the disk"))
    hint = "the state folder has to be writable for who runs the server"
    checkups.append(Checkup("clock of files", 4, lambda: _file_clock(Path(settings.state)), hint))
    return checkups


def java_checkup() -> Checkup:
    """Whether Spark can be started here; it takes a fraction of a second."""
    return Checkup("java", 1, _java, f"install Java {JAVA} or later; JAVA_HOME names the one to use")


def _java() -> str:
    home = os.environ.get("JAVA_HOME")
    java = str(Path(home, "bin", "java")) if home else shutil.which("java")
    if java is None:
        raise UnwellError("there is no java on the PATH", f"install Java {JAVA} or later")
    try:
        done = subprocess.run([java, "-version"], capture_output=True, text=True, timeout=60, check=False)
    except subprocess.TimeoutExpired:
        raise UnwellError(f"{java} -version does not answer", "look at what the machine is busy with") from None
    said = done.stderr + done.stdout
    found = re.search(r'version "(\d+)', said)
    if done.returncode or found is None:
        raise UnwellError(f"{java} does not run: {said.strip()[:200]}", f"install Java {JAVA} or later")
    if int(found[1]) < JAVA:
        raise UnwellError(f"{java} is version {found[1]}", f"Spark 4 needs Java {JAVA} or later: JAVA_HOME names it")
    return f"version {found[1]}, {java}"


def _spark(settings: ServerKeys) -> str:
    from jobs.session import SparkOptions, starting

    keys = settings.launcher
    conf = tuple(f"{name}={value}" for name, value in keys.conf.items())
    with starting(SparkOptions(keys.master or "local[*]", keys.remote, conf)) as start:
        session = start.session()
        session.range(1).count()
        return f"version {session.version} on {keys.remote or keys.master or 'local[*]'}"


def _store(uri: str) -> str:
    from engine.store import Store

    store = Store(uri)
    store.load_bins("")
    if "://" not in store.uri and not Path(store.uri).exists():
        writable(nearest(Path(store.uri)))
        return f"{store.uri} is not there yet: the first run makes it"
    try:
        _write_and_read(store.uri)
    except Exception as error:  # delta-rs has errors of every kind
        first = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise UnwellError(f"{store.uri} can be read, but not written: {first}", "let this user write there") from error
    return f"{store.uri} can be read and written"


def _write_and_read(uri: str) -> None:
    """Commit a table of one row, as results are committed, and remove it."""
    import pyarrow as pa
    from deltalake import DeltaTable, write_deltalake
    from deltalake.fs import DeltaStorageHandler
    from pyarrow.fs import PyFileSystem

    name = f"{PROBE}{uuid4().hex}"
    try:
        write_deltalake(f"{uri}/{name}", pa.table({"written": [1]}))
        DeltaTable(f"{uri}/{name}").to_pyarrow_table()
    finally:
        if "://" in uri:
            PyFileSystem(DeltaStorageHandler(uri)).delete_dir(name)
        else:
            shutil.rmtree(Path(uri, name), ignore_errors=True)


def _room(path: Path) -> str:
    place = nearest(path)
    free = shutil.disk_usage(place).free
    said = f"{free / (1 << 30):,.1f} GiB free at {place}"
    if free < ROOM:
        raise UnwellError(said, "make room: driftline profiles prune --keep P90D, old logs in the state folder")
    return said


def _file_clock(state: Path) -> str:
    place = nearest(state)
    writable(place)
    with tempfile.NamedTemporaryFile(prefix=PROBE, dir=place) as probe:
        written = datetime.fromtimestamp(Path(probe.name).stat().st_mtime, UTC)
    return agreed(written - now(), f"the file system of {place}")


def agreed(apart: timedelta, other: str) -> str:
    """How far this machine's clock is from another one."""
    if abs(apart) <= DRIFT:
        return f"{other} agrees within {DRIFT.total_seconds():.0f} s"
    how = f"{abs(apart).total_seconds():,.0f} s {'behind' if apart < timedelta() else 'ahead of'} this machine's clock"
    raise UnwellError(f"{other} is {how}", "let both follow the same time server (NTP)")
