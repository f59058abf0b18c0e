"""Is what a server stands on in order: the registry, its clock, its definitions, secrets, mail?"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from engine.wording import listed, plural
from jobs.checkup import Checkup, UnwellError, nearest, writable
from jobs.machine_checkups import agreed
from jobs.times import now

if TYPE_CHECKING:
    from engine.monitor import Monitor
    from server.database import Database
    from server.settings import ServerKeys

__all__ = ["server_checkups"]


def server_checkups(settings: ServerKeys) -> Iterator[Checkup]:
    """What is looked at, one after the other; of a registry that is not there yet, or out of reach, only that."""
    hint = "is its server up, the URL right, PGPASSWORD or PGPASSFILE set? Of a file: may this user write it?"
    place, found = _missing_file(settings.database), _Registry(settings)
    if place is None:
        yield Checkup("registry", 5, found.check, hint)
    else:
        yield Checkup("registry", 5, lambda: _to_be_made(place), hint)
    if found.revision is not None:
        yield Checkup("clock of the registry", 5, found.clock, hint)
        yield Checkup("definitions", 2, found.definitions, "put the files right, and driftline apply")
        yield Checkup("contacts", 5, found.contacts, hint)
        sealed = "DRIFTLINE_SECRET_KEY, or secret.key in the state folder, has to be the key that they were sealed with"
        yield Checkup("secrets", 5, found.secrets, sealed)
    found.close()
    hint = "smtp.host, smtp.port and smtp.security: is it reachable from here?"
    yield Checkup("mail", 5, lambda: _mail(settings, found.monitors), hint)


def _missing_file(url: str) -> Path | None:
    """The registry's file, where it is one that is not there."""
    path = Path(url.removeprefix("sqlite:///")).expanduser().absolute()
    is_file = url.startswith("sqlite:///") or "://" not in url
    return path if is_file and not path.exists() else None


def _to_be_made(path: Path) -> str:
    writable(nearest(path))
    return f"{path} is not there yet: driftline apply makes it"


class _Registry:
    """Looks at the registry."""

    def __init__(self, settings: ServerKeys) -> None:
        self.settings, self.monitors = settings, list["Monitor"]()
        self.revision: str | None = None
        self._database: Database | None = None

    def check(self) -> str:
        database = self._opened()
        self.revision, newest = database.check()
        if self.revision is None:
            return f"{database.name} is empty: driftline apply makes its tables"
        later = "" if self.revision == newest else f", which the next start brings to {newest}"
        return f"{database.name} can be read and written, revision {self.revision}{later}"

    def clock(self) -> str:
        from sqlalchemy import text

        database = self._opened()
        if database.is_sqlite:
            return "this machine's own"
        with database.reading() as session:
            said: datetime = session.execute(text("SELECT clock_timestamp()")).scalar_one()
        return agreed(said - now(), "the database's clock")

    def definitions(self) -> str:
        from sqlalchemy import select

        from server.loaded import load_from
        from server.tables import MonitorRecord

        with self._opened().reading() as session:
            enabled = session.scalars(select(MonitorRecord.name).where(MonitorRecord.enabled)).all()
            loaded = load_from(session, enabled)
        self.monitors += loaded.monitors.values()
        if loaded.broken:
            raise UnwellError("\n".join(map(str, loaded.problems)), "put the files right, and driftline apply")
        return f"{plural(len(loaded.monitors), 'enabled monitor')}, no problem"

    def contacts(self) -> str:
        from server.contacts import list_contacts

        with self._opened().reading() as session:
            found = list_contacts(session, None)
        missing = [each for each in found if each.kind is None]
        if missing:
            told = (f"{each.contact}, which {listed(each.monitors)} would tell, is no integration" for each in missing)
            raise UnwellError("\n".join(told), "driftline integrations create")
        return f"{plural(len(found), 'contact')} of definitions, no integration is missing"

    def secrets(self) -> str:
        from server.integrations import list_integrations
        from server.secrets import VARIABLE, Vault

        database, file, variable = self._opened(), Path(self.settings.state) / "secret.key", os.environ.get(VARIABLE)
        vault = Vault.opened(file, variable) if variable or file.exists() else None
        with database.reading() as session:
            sealed = {each.name: each.secret for each in list_integrations(session)}
        if not sealed:
            return "no integration has one"
        if vault is None:
            raise UnwellError(f"{VARIABLE} is not set, and {file} is not there", "give the key that sealed them")
        for secret in sealed.values():
            vault.open(secret)
        return f"those of {listed(list(sealed))} can be opened"

    def close(self) -> None:
        if self._database is not None:
            self._database.close()

    def _opened(self) -> Database:
        from server.database import Database

        self._database = self._database or Database(self.settings.database)
        return self._database


def _mail(settings: ServerKeys, monitors: Sequence[Monitor]) -> str:
    from server.outbox import DeliveryError
    from server.settings import SMTP_PASSWORD

    keys = settings.smtp
    if keys is None:
        mailed = [monitor.name for monitor in monitors if monitor.emails]
        if mailed:
            raise UnwellError(f"no server is set, but {listed(mailed)} would e-mail people", "set smtp in the settings")
        return "no server is set, and nobody is to be e-mailed"
    where = f"{keys.host}:{keys.port}"
    try:
        return f"{where} answers: {keys.server(os.environ.get(SMTP_PASSWORD)).check()}"
    except DeliveryError as error:
        raise UnwellError(f"{where}: {error}", f"smtp.user and {SMTP_PASSWORD} say who logs in") from error
