"""Which tables the registry has, and what each column means; `server.migrations` makes them.

Names and definitions change, and every change is in `audit_log`; ids do not.
"""

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import ForeignKey, Index, MetaData, Text, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from server.columns import Document, Instant, InstantNumber

__all__ = [
    "Alert", "ApiKey", "Application", "AuditEntry", "Base", "Claim", "Delivery", "Integration", "LibraryFile",
    "Mark", "Model", "MonitorRecord", "MonitorVersion", "Organization", "Space",
]  # fmt: skip


class Base(DeclarativeBase):
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar = {datetime: Instant(), str: Text(), dict[str, Any]: Document}


# ------------------------------------------------------------------------------------------------ what there is


class Organization(Base):
    """Who owns spaces and integration keys."""

    __tablename__ = "organizations"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    description: Mapped[str | None]
    created_at: Mapped[datetime]


class Space(Base):
    """A team's models and monitors; an API key may be bound to one."""

    __tablename__ = "spaces"
    __table_args__ = (UniqueConstraint("organization_id", "name"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    organization_id: Mapped[int] = mapped_column(ForeignKey(Organization.id))
    name: Mapped[str]
    description: Mapped[str | None]
    created_at: Mapped[datetime]


class Model(Base):
    """A model of a space. `definition` is its file in `models/`, as it is written; monitors may have none."""

    __tablename__ = "models"
    __table_args__ = (UniqueConstraint("space_id", "name"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    space_id: Mapped[int] = mapped_column(ForeignKey(Space.id))
    name: Mapped[str]
    definition: Mapped[str]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class LibraryFile(Base):
    """What monitors' names stand for and no model is: `assets.yaml` of a space."""

    __tablename__ = "library_files"
    __table_args__ = (UniqueConstraint("space_id", "path"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    space_id: Mapped[int] = mapped_column(ForeignKey(Space.id))
    path: Mapped[str]
    text: Mapped[str]
    updated_at: Mapped[datetime]


class MonitorRecord(Base):
    """A monitor, in its latest version. Nothing that was due until `watched_since` is made up for: until it was
    enabled, or, as `server.claims` notes now and then, until the latest of its times that was claimed.

    `evaluated_for` is the latest scheduled time of which there are results, and `breached` has by signal how many of
    its checks breached then.
    """

    __tablename__ = "monitors"
    id: Mapped[int] = mapped_column(primary_key=True)
    space_id: Mapped[int] = mapped_column(ForeignKey(Space.id), index=True)
    name: Mapped[str] = mapped_column(unique=True)
    model: Mapped[str | None]
    version: Mapped[int]
    enabled: Mapped[bool]
    muted_until: Mapped[datetime | None]
    mute_reason: Mapped[str | None]
    muted: Mapped[bool]
    watched_since: Mapped[datetime] = mapped_column(InstantNumber)
    evaluated_for: Mapped[datetime | None] = mapped_column(InstantNumber)
    breached: Mapped[dict[str, Any] | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    versions: Mapped[list["MonitorVersion"]] = relationship(
        cascade="all, delete-orphan", order_by="MonitorVersion.number"
    )


class MonitorVersion(Base):
    """What a monitor was told to do: its file's text, with paths from the root."""

    __tablename__ = "monitor_versions"
    __table_args__ = (UniqueConstraint("monitor_id", "number"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    monitor_id: Mapped[int] = mapped_column(ForeignKey(MonitorRecord.id, ondelete="CASCADE"))
    number: Mapped[int]
    text: Mapped[str]
    created_at: Mapped[datetime]
    created_by: Mapped[str]


class AuditEntry(Base):
    """Who changed what, when, from what to what."""

    __tablename__ = "audit_log"
    __table_args__ = (Index(None, "kind", "name"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    actor: Mapped[str]
    action: Mapped[str]
    kind: Mapped[str]
    name: Mapped[str]
    before: Mapped[dict[str, Any] | None]
    after: Mapped[dict[str, Any] | None]


class ApiKey(Base):
    """Who may ask the server. The key itself is shown once and never kept: only its digest is."""

    __tablename__ = "api_keys"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    digest: Mapped[str] = mapped_column(unique=True)
    role: Mapped[str]
    space_id: Mapped[int | None] = mapped_column(ForeignKey(Space.id))
    created_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class Integration(Base):
    """A place that messages go to: a webhook, or what Apprise knows (Slack, PagerDuty, OpsGenie, Teams, ...).

    `secret` is encrypted, and never read back by anybody but the sender.
    """

    __tablename__ = "integrations"
    __table_args__ = (UniqueConstraint("organization_id", "name"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    organization_id: Mapped[int] = mapped_column(ForeignKey(Organization.id))
    name: Mapped[str]
    provider: Mapped[str]
    settings: Mapped[dict[str, Any]]
    secret: Mapped[str]
    created_at: Mapped[datetime]


# ------------------------------------------------------------------------------------------- what is done with it


class Application(Base):
    """One Spark application: monitors of a model that were due at the same time, evaluated together.

    It is `queued` until somebody takes it, `running` while its owner gives signs of life (`alive_at` is the latest; the
    others look whether it changes), and then `done`, `failed` or `skipped`.
    """

    __tablename__ = "applications"
    __table_args__ = (Index(None, "state", "not_before"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    scheduled_for: Mapped[datetime] = mapped_column(InstantNumber, index=True)
    model: Mapped[str | None]
    origin: Mapped[str]
    state: Mapped[str]
    attempt: Mapped[int]
    not_before: Mapped[datetime] = mapped_column(InstantNumber)
    owner: Mapped[str | None]
    alive_at: Mapped[datetime | None] = mapped_column(InstantNumber)
    started_at: Mapped[datetime | None] = mapped_column(InstantNumber)
    finished_at: Mapped[datetime | None] = mapped_column(InstantNumber)
    exit_code: Mapped[int | None]
    error: Mapped[str | None]
    log: Mapped[str | None]


class Claim(Base):
    """A monitor's run for one scheduled time: it is there once, so that no window is evaluated twice.

    `skipped` says why it was not evaluated with the others of its application.

    The key begins with the time, so that new claims are written behind the others. They are also found by it: that of
    their application is the same. An index of applications, or a foreign key, would double what a claim costs.
    """

    __tablename__ = "claims"
    __table_args__: ClassVar = {"sqlite_with_rowid": False}
    scheduled_for: Mapped[datetime] = mapped_column(InstantNumber, primary_key=True)
    monitor_id: Mapped[int] = mapped_column(ForeignKey(MonitorRecord.id, ondelete="CASCADE"), primary_key=True)
    application_id: Mapped[int]
    skipped: Mapped[str | None]


class Mark(Base):
    """Up to which number something has been gone through: ``claims``, up to which application; see `server.claims`."""

    __tablename__ = "marks"
    name: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int]


class Delivery(Base):
    """A message to one address: `queued` until it was sent, or `dead` after too many tries, which people can see.

    `dedupe_key` is there once, so that nothing is told twice however often it is put into the outbox. Those of one
    `thread` reach an address in the order of their ids; an empty one holds nothing together.
    """

    __tablename__ = "deliveries"
    __table_args__ = (Index(None, "state", "not_before"), Index(None, "address", "thread", "state"))
    id: Mapped[int] = mapped_column(primary_key=True)
    dedupe_key: Mapped[str] = mapped_column(unique=True)
    channel: Mapped[str]
    address: Mapped[str]
    thread: Mapped[str]
    message: Mapped[dict[str, Any]]
    state: Mapped[str]
    attempts: Mapped[int]
    not_before: Mapped[datetime]
    created_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    answer: Mapped[str | None]


class Alert(Base):
    """How a check stands: what its last evaluations came to, and whether an alert goes on; see `signals.alerting`."""

    __tablename__ = "alerts"
    __table_args__ = (UniqueConstraint("monitor_id", "signal", "group", "dimension", "metric"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    monitor_id: Mapped[int] = mapped_column(ForeignKey(MonitorRecord.id, ondelete="CASCADE"))
    signal: Mapped[str]
    group: Mapped[str]
    dimension: Mapped[str]
    metric: Mapped[str]
    state: Mapped[str]
    since: Mapped[datetime | None]
    standing: Mapped[dict[str, Any]]
    value: Mapped[float | None]
    updated_at: Mapped[datetime]
