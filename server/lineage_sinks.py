"""Where OpenLineage's events go: a file of JSON lines, or a URL. In a thread of their own: no run waits for them."""

import json
import logging
import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from errno import ENOSPC
from fcntl import LOCK_EX, flock
from pathlib import Path
from threading import BoundedSemaphore
from typing import Any

import httpx

from engine.store import Store
from server.channels.addresses import checked_url, guarded
from server.channels.patience import within
from server.lineage import events_of
from server.rows import run_rows

__all__ = ["Lineage", "Sink", "to_file", "to_url"]

log = logging.getLogger("driftline.server")

WAITING = 1_000
"""Runs whose events may wait; while there are as many, those of others are left out."""
PATIENCE = 10.0

Sink = Callable[[Sequence[Mapping[str, Any]]], None]
"""Takes a run's events; raises OSError where it cannot."""


class Lineage:
    """Tells OpenLineage of runs. Whatever goes wrong is logged, and harms nobody.

    Args:
        sink: where events go.
        store: where the runs' records are.
        namespace: of the jobs.
    """

    def __init__(self, sink: Sink, store: Store, namespace: str = "driftline") -> None:
        self.sink, self.store, self.namespace = sink, store, namespace
        self._room = BoundedSemaphore(WAITING)
        self._thread = ThreadPoolExecutor(1, "lineage")
        self._closing = self._given_up = False

    def ended(self, monitor: str, time: datetime, error: str | None, now: datetime) -> None:
        """Tell of a monitor's run that has ended, soon."""
        if not self._room.acquire(blocking=False):
            log.warning("openlineage: %s runs wait already, and this one is left out: %s", WAITING, monitor)
            return
        self._thread.submit(self._tell, monitor, time, error, now)

    def close(self) -> None:
        """Tell what is left to be told; but nothing more once somebody does not listen."""
        self._closing = True
        self._thread.shutdown()

    def _tell(self, monitor: str, time: datetime, error: str | None, now: datetime) -> None:
        if self._given_up:
            return
        try:
            run, rows = run_rows(self.store, monitor, time) or (None, ())
            self.sink(events_of(monitor, time, run, rows, self.store.uri, now, error, self.namespace))
        except Exception as failed:  # a thread that dies tells nobody
            log.warning("openlineage: %s at %s is not told: %s", monitor, time, failed)
            self._given_up = self._closing
        finally:
            self._room.release()


def to_file(path: Path) -> Sink:
    """Appends a line for each event; several processes may, each run's lines stay together."""

    def sink(events: Sequence[Mapping[str, Any]]) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = "".join(json.dumps(event, ensure_ascii=False) + "\n" for event in events).encode()
        with path.open("ab", buffering=0) as file:
            flock(file, LOCK_EX)  # until it is closed
            before = os.fstat(file.fileno()).st_size
            if file.write(lines) < len(lines):  # the disk is full; half a line would spoil the next one
                os.ftruncate(file.fileno(), before)
                raise OSError(ENOSPC, os.strerror(ENOSPC), str(path))

    return sink


def to_url(url: str, key: str | None = None, patience: float = 3 * PATIENCE) -> Sink:
    """Posts each event, as Marquez and other backends take them.

    Args:
        url: whole, such as ``http://marquez.example.com:5000/api/v1/lineage``.
        key: what is sent as `Authorization: Bearer`.
        patience: seconds that all of it may take.
    """

    def post(events: Sequence[Mapping[str, Any]]) -> None:
        headers = {"User-Agent": "driftline", **({"Authorization": f"Bearer {key}"} if key else {})}
        try:
            # A proxy would look the name up itself, and could be led anywhere.
            with httpx.Client(timeout=PATIENCE, headers=headers, trust_env=False) as client, guarded(private=True):
                for event in events:
                    with client.stream("POST", url, json=event) as answer:  # which is not read
                        answer.raise_for_status()
        except httpx.HTTPStatusError as error:
            raise OSError(f"the answer was {error.response.status_code}") from error
        except httpx.HTTPError as error:
            raise OSError(f"{type(error).__name__}: {error}") from error

    def sink(events: Sequence[Mapping[str, Any]]) -> None:
        checked_url(url)
        within(patience, lambda: post(events))

    return sink
