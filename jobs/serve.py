"""`driftline serve`: the clock of a server. APScheduler wakes it; what is done then is `server.service`'s."""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from apscheduler.schedulers.background import BackgroundScheduler

from engine.definitions.components import ALLOWED
from engine.definitions.words import fixed_length
from engine.errors import DriftlineError, StoreError
from jobs.checkup import looked
from jobs.machine_checkups import java_checkup
from jobs.registries import opened_registry
from jobs.stores import opened_store
from jobs.times import now
from jobs.waking import wake_oversleepers

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from server.database import Database
    from server.lineage_sinks import Lineage
    from server.service import Service
    from server.settings import HttpKeys, ServerKeys

__all__ = ["serve"]

log = logging.getLogger("driftline.server")

PATIENCE = 30.0
"""For how many seconds running processes may go on after a stop before they are handed over."""


def serve(settings: ServerKeys, conf: Sequence[Path], space: str) -> int:
    """Evaluate what is due until somebody says stop; the exit code.

    Args:
        settings: how the server runs.
        conf: definitions that are applied at the start.
        space: where they are applied.
    """
    _log(as_json=settings.log == "json")
    os.environ[ALLOWED] = os.pathsep.join(settings.components)  # for this process, and for its runs
    store = opened_store(settings.store).uri
    if "://" not in store:
        _folder("store", Path(store), StoreError)
    _folder("state", Path(settings.state), DriftlineError, mode=0o700)  # logs may say what only this user should read
    if conf:
        from jobs.apply import apply_files

        apply_files(conf, settings.database, space, prune=False, yes=True)
    database = opened_registry(settings.database)
    lineage = _lineage(settings)
    service = _service(settings, database, lineage)
    if settings.launcher.remote is None:
        _look_for_java()
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    clock = BackgroundScheduler(timezone="UTC")
    # One step at a time; steps that were missed while one took long are one step.
    every: dict[str, Any] = {"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
    clock.add_job(lambda: service.step(now()), "interval", seconds=settings.poll, **every)
    clock.add_job(lambda: service.send(now()), "interval", seconds=settings.poll, **every)
    clock.add_job(lambda: service.tidy(now()), "interval", hours=1, **every)
    with _answering(settings.http, database, service):
        clock.start()
        log.info("driftline serves %s; results go to %s%s", database.name, settings.store, _where(settings.http))
        while not stopped.wait(settings.poll):
            wake_oversleepers(clock, now())
        if service.scheduler.going:
            log.info("stopping: what runs may finish for %.0f seconds", PATIENCE)
        service.stop_sending()
        clock.shutdown(wait=True)
        _finish(service)
        if lineage is not None:
            lineage.close()
    return 0


def _folder(key: str, folder: Path, kind: type[DriftlineError], mode: int = 0o777) -> None:
    """Make a folder that the server writes.

    Raises:
        DriftlineError: of this kind: it cannot; said at the start, and not after the first run's work.
    """
    try:
        folder.mkdir(mode=mode, parents=True, exist_ok=True)
    except OSError as error:
        raise kind(f"{key}: {folder} cannot be made: {error.strerror}") from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise kind(f"{key}: {folder} cannot be written by this user")


def _look_for_java() -> None:
    """Say that there is none before the first run fails; it may be installed meanwhile."""
    found = looked(java_checkup())
    if not found.well:
        log.error("no run can be started: %s; %s", found.said, found.hint)


def _where(keys: HttpKeys | None) -> str:
    if keys is None:
        return ""
    return f"; health and metrics are at http://{f'[{keys.host}]' if ':' in keys.host else keys.host}:{keys.port}"


def _log(*, as_json: bool) -> None:
    from server.json_logs import JsonLines

    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines() if as_json else logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("driftline").setLevel(logging.INFO)
    logging.getLogger("apscheduler").setLevel(logging.ERROR)  # a step that takes long is nothing to warn of


@contextmanager
def _answering(keys: HttpKeys | None, database: Database, service: Service) -> Generator[None]:
    """Answer over HTTP meanwhile, in a thread of its own."""
    if keys is None:
        yield
        return
    import uvicorn

    from server.web import application

    # Its own log lines are written as all others are; anybody can make it warn, as often as they like.
    quiet: dict[str, Any] = {"log_config": None, "log_level": "error", "access_log": False, "lifespan": "off"}
    config = uvicorn.Config(**_limited(application(database, service.pulse, now), keys), **quiet)
    server, door = uvicorn.Server(config), _door(keys)
    thread = threading.Thread(target=server.run, args=([door],), name="http", daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.should_exit = True
        thread.join(10)
        door.close()


def _limited(app: ASGIApp, keys: HttpKeys) -> dict[str, Any]:
    """The application and its connections, within the limits that are set."""
    from server.connections import Connections, connecting
    from server.limits import LARGEST_HEAD, Limited, Limits

    patience = fixed_length(keys.patience).total_seconds()
    limits = Limits(keys.largest_body, patience, keys.requests_per_minute, keys.wrong_keys_per_minute)
    return {
        "app": Limited(app, limits, time.monotonic),
        "http": connecting(Connections(keys.connections, frozenset(keys.proxies), patience)),
        "ws": "none",
        "server_header": False,
        "h11_max_incomplete_event_size": LARGEST_HEAD,
        "proxy_headers": bool(keys.proxies),
        "forwarded_allow_ips": list(keys.proxies),
    }


def _door(keys: HttpKeys) -> socket.socket:
    """Where it listens; said at the start, and not missed later, where it cannot.

    Raises:
        DriftlineError: it cannot.
    """
    try:
        return socket.create_server((keys.host, keys.port), family=_family(keys.host))
    except OSError as error:
        why = os.strerror(error.errno) if error.errno else str(error)
        raise DriftlineError(f"http: {keys.host}:{keys.port} cannot be listened at: {why}") from error


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def _finish(service: Service) -> None:
    """Let what goes on finish, for a while; hand over the rest."""
    until = time.monotonic() + PATIENCE
    while service.scheduler.going and time.monotonic() < until:
        service.finish(now())
        time.sleep(0.2)
    service.stop()


def _lineage(settings: ServerKeys) -> Lineage | None:
    from engine.store import Store
    from server.lineage_sinks import Lineage, to_file, to_url
    from server.settings import OPENLINEAGE_KEY

    keys = settings.openlineage
    if keys is None:
        return None
    sink = to_url(keys.url, os.environ.get(OPENLINEAGE_KEY)) if keys.url else to_file(Path(keys.file or ""))
    return Lineage(sink, Store(settings.store), keys.namespace)


def _service(settings: ServerKeys, database: Database, lineage: Lineage | None) -> Service:
    from engine.store import Store
    from server.broken import tell_broken
    from server.due import Timetable
    from server.integrations import Post
    from server.launcher import SparkLauncher
    from server.outbox import Outbox
    from server.picture import picture_of
    from server.queue import Queue
    from server.room import Room
    from server.scheduler import Scheduler
    from server.secrets import VARIABLE, Vault
    from server.service import Service
    from server.settings import SMTP_PASSWORD
    from server.teller import Teller
    from server.watching import Watching
    from server.workspace import Workspace

    state, policy, launcher = Path(settings.state).absolute(), settings.policy.policy(), settings.launcher
    # Another name after each start: what the former one owned is to be taken over, and not to be taken for alive.
    queue = Queue(database, f"{socket.gethostname()}/{os.getpid()}/{uuid4().hex[:8]}")
    watching = Watching(database, queue, Workspace(state / "definitions"))
    spark = SparkLauncher(
        settings.store,
        state / "logs",
        launcher.master,
        launcher.deploy_mode,
        launcher.remote,
        dict(launcher.conf),
    )
    store, link = Store(settings.store), settings.leads()
    teller = Teller(database, store, watching, picture=picture_of, link=link, lineage=lineage)
    most, room = settings.policy.max_concurrent_runs, Room(_places(settings, database), settings.room).look
    scheduler = Scheduler(queue, Timetable(policy), spark, watching.files, policy, most, room, teller.ended)
    vault = Vault.opened(state / "secret.key", os.environ.get(VARIABLE))
    smtp = settings.smtp.server(os.environ.get(SMTP_PASSWORD)) if settings.smtp else None
    outbox = Outbox(database, lambda parcel: Post(database, vault, smtp, now()).send(parcel))
    return Service(watching, scheduler, outbox, partial(tell_broken, database, store, link), state / "logs")


def _places(settings: ServerKeys, database: Database) -> dict[str, Path]:
    """What is on disks of this machine."""
    places = {"state folder": Path(settings.state)}
    if "://" not in settings.store:
        places["store"] = Path(settings.store).expanduser()
    if database.is_sqlite and database.engine.url.database:
        places["registry"] = Path(database.engine.url.database)
    return {name: place.absolute() for name, place in places.items()}
