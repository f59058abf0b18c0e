"""The registry's own words: what is in a space, and every change of it with who made it, when, from what to what."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.wording import moment
from server.changes import Action, Change, Kind
from server.desired import Desired, Written
from server.errors import RegistryError
from server.places import DEFAULT, Place, checked_name, find_organization, find_space, the_space
from server.tables import AuditEntry, LibraryFile, Model, MonitorRecord, MonitorVersion, Organization, Space
from signals.catalogue import near_names

__all__ = ["Registry", "held_in"]


@dataclass(frozen=True)
class Registry:
    """One transaction's view of a space.

    Attributes:
        session: the transaction.
        actor: who makes the changes: ``cli:ada``, ``api:ci``, ``scheduler``.
        now: what the clock says.
        space: the space, as `server.places` reads it.
    """

    session: Session
    actor: str
    now: datetime
    space: str = DEFAULT

    # ---------------------------------------------------------------------------------------- what is there

    def current(self) -> Desired:
        """What the space holds, in the form in which files say it."""
        space = find_space(self.session, self.space)
        return Desired() if space is None else held_in(self.session, space.id)

    def monitors(self) -> Sequence[MonitorRecord]:
        """The space's monitors by name.

        Raises:
            RegistryError: there is no such space; but the one of those who name none need not be there yet.
        """
        if self.space == DEFAULT and find_space(self.session, self.space) is None:
            return ()
        space = the_space(self.session, self.space)
        found = select(MonitorRecord).where(MonitorRecord.space_id == space.id).order_by(MonitorRecord.name)
        return self.session.scalars(found).all()

    def monitor(self, name: str) -> MonitorRecord:
        """The monitor of that name.

        Raises:
            RegistryError: there is none; near names are told.
        """
        found = {each.name: each for each in self.monitors()}
        if name not in found:
            near = near_names(name, list(found), 3)
            hint = f"; did you mean {' or '.join(near)}?" if near else ""
            raise RegistryError(f"no monitor is named {name!r} in the space {self.space!r}{hint}")
        return found[name]

    def audit(
        self,
        kind: str | None = None,
        name: str | None = None,
        *,
        actor: str | None = None,
        since: datetime | None = None,
        limit: int | None = None,
    ) -> Sequence[AuditEntry]:
        """Changes in any space, the latest first: of one kind of thing, of things of that name, by somebody, since."""
        asked = {AuditEntry.kind: kind, AuditEntry.name: name, AuditEntry.actor: actor}
        found = select(AuditEntry).where(*(column == value for column, value in asked.items() if value is not None))
        if since is not None:
            found = found.where(AuditEntry.at >= since)
        return self.session.scalars(found.order_by(AuditEntry.id.desc()).limit(limit)).all()

    # ------------------------------------------------------------------------------------------ what changes

    def carry_out(self, changes: Sequence[Change]) -> None:
        """Carry out a plan, and write it into the audit log.

        Raises:
            RegistryError: the registry has changed since the plan was made, or a name belongs to another space.
        """
        space = self.own_space()
        for change in changes:
            match change.kind:
                case Kind.LIBRARY:
                    self._write_library(space, change)
                case Kind.MODEL:
                    self._write_model(space, change)
                case Kind.MONITOR:
                    self._write_monitor(space, change)
            before, after = _said(change.before), _said(change.after)
            self.log(change.action, change.kind, change.name, before, after)

    def set_enabled(self, name: str, *, enabled: bool) -> None:
        """Whether the monitor is evaluated when it is due."""
        monitor = self.monitor(name)
        if enabled and not monitor.enabled:
            monitor.watched_since = self.now
        self._set(monitor, "enable" if enabled else "disable", enabled=enabled)

    def mute(self, name: str, until: datetime | None, reason: str | None) -> None:
        """Evaluate the monitor and tell nobody, until a time or for good.

        Raises:
            RegistryError: that time is over.
        """
        if until is not None and until <= self.now:
            raise RegistryError(f"{moment(until)} is over already: muted until then, {name!r} would tell as before")
        self._set(self.monitor(name), "mute", muted=True, muted_until=until, mute_reason=reason)

    def unmute(self, name: str) -> None:
        """Tell people again."""
        self._set(self.monitor(name), "unmute", muted=False, muted_until=None, mute_reason=None)

    def delete(self, name: str) -> None:
        """Forget the monitor; its results stay in the store."""
        monitor = self.monitor(name)
        text = self.current().monitors[name].text
        self.carry_out([Change(Action.DELETE, Kind.MONITOR, monitor.name, before=text)])

    def log(
        self, action: str, kind: str, name: str, before: dict[str, Any] | None, after: dict[str, Any] | None
    ) -> None:
        """Write one change into the audit log."""
        entry = AuditEntry(
            at=self.now, actor=self.actor, action=action, kind=kind, name=name, before=before, after=after
        )
        self.session.add(entry)

    def _set(self, monitor: MonitorRecord, action: str, **values: Any) -> None:
        before = {name: getattr(monitor, name) for name in values}
        if before == values:
            return
        for name, value in values.items():
            setattr(monitor, name, value)
        monitor.updated_at = self.now
        self.log(action, Kind.MONITOR, monitor.name, _plain(before), _plain(values))

    def _write_library(self, space: Space, change: Change) -> None:
        held = self.session.scalar(
            select(LibraryFile).where(LibraryFile.space_id == space.id, LibraryFile.path == change.name)
        )
        _expect(change, held.text if held else None)
        if held is None:
            self.session.add(LibraryFile(space_id=space.id, path=change.name, text=change.after, updated_at=self.now))
        elif change.after is None:
            self.session.delete(held)
        else:
            held.text, held.updated_at = change.after, self.now

    def _write_model(self, space: Space, change: Change) -> None:
        held = self.session.scalar(select(Model).where(Model.space_id == space.id, Model.name == change.name))
        _expect(change, held.definition if held else None)
        if held is None:
            now = self.now
            self.session.add(
                Model(space_id=space.id, name=change.name, definition=change.after, created_at=now, updated_at=now)
            )
        elif change.after is None:
            self.session.delete(held)
        else:
            held.definition, held.updated_at = change.after, self.now

    def _write_monitor(self, space: Space, change: Change) -> None:
        held = self.session.scalar(select(MonitorRecord).where(MonitorRecord.name == change.name))
        if held is not None and held.space_id != space.id:
            raise RegistryError(f"the monitor {change.name!r} is in another space: names are unique among all monitors")
        _expect(change, held.versions[-1].text if held else None)
        if held is not None and change.after is None:
            self.session.delete(held)
            return
        if held is None:
            held = MonitorRecord(
                space_id=space.id,
                name=change.name,
                version=0,
                enabled=True,
                muted=False,
                watched_since=self.now,
                created_at=self.now,
            )
            self.session.add(held)
        held.version, held.model, held.updated_at = held.version + 1, change.model, self.now
        held.versions.append(
            MonitorVersion(number=held.version, text=change.after, created_at=self.now, created_by=self.actor)
        )

    # --------------------------------------------------------------------------------------------- the space

    def own_space(self, description: str | None = None) -> Space:
        """The space; made, and the first organization too, where it is not there yet.

        Raises:
            RegistryError: its organization is not there, or no space can be named so.
        """
        found = find_space(self.session, self.space)
        if found is not None:
            return found
        place = Place.parse(self.space)
        organization = find_organization(self.session, place.organization)
        if organization is None and place.organization is not None:
            hint = "driftline organizations create"
            raise RegistryError(f"no organization is named {place.organization!r}: {hint}")
        if organization is None:
            organization = Organization(name=DEFAULT, created_at=self.now)
            self.session.add(organization)
            self.session.flush()
            self.log("create", "organization", DEFAULT, None, {"description": None})
        space = Space(
            organization_id=organization.id,
            name=checked_name("a space", place.space),
            description=description,
            created_at=self.now,
        )
        self.session.add(space)
        self.session.flush()
        self.log("create", "space", f"{organization.name}/{space.name}", None, {"description": description})
        return space


def held_in(session: Session, space: int) -> Desired:
    """What a space holds, by its id."""
    monitors = session.execute(
        select(MonitorRecord.name, MonitorVersion.text, MonitorRecord.model)
        .join(MonitorVersion, MonitorVersion.monitor_id == MonitorRecord.id)
        .where(MonitorRecord.space_id == space, MonitorVersion.number == MonitorRecord.version)
    )
    models = session.execute(select(Model.name, Model.definition).where(Model.space_id == space))
    library = session.execute(select(LibraryFile.path, LibraryFile.text).where(LibraryFile.space_id == space))
    return Desired(
        {name: Written(text, model) for name, text, model in monitors},
        {name: Written(text) for name, text in models},
        {path: Written(text) for path, text in library},
    )


def _expect(change: Change, held: str | None) -> None:
    if held != change.before:
        raise RegistryError(f"the {change.kind} {change.name!r} has changed since the plan was made: apply again")


def _said(text: str | None) -> dict[str, Any] | None:
    return None if text is None else {"definition": text}


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in values.items()}
