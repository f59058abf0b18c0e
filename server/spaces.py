"""Organizations and their spaces: made, shown, renamed, and deleted once nothing is in them."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from engine.wording import plural
from server.changes import Action, Change, Kind
from server.errors import RegistryError
from server.places import checked_name, find_organization, find_space, space_names, the_space
from server.registry import Registry
from server.tables import ApiKey, Integration, Model, MonitorRecord, Organization, Space

__all__ = [
    "OrganizationView", "SpaceView", "create_organization", "create_space", "delete_organization", "delete_space",
    "list_organizations", "list_spaces", "rename_organization",
]  # fmt: skip

SPACE, ORGANIZATION = "space", "organization"


@dataclass(frozen=True)
class SpaceView:
    """A space, and how much is in it."""

    space: str
    organization: str
    description: str | None
    monitors: int
    models: int
    created: datetime


@dataclass(frozen=True)
class OrganizationView:
    """An organization, and how much is in it."""

    organization: str
    description: str | None
    spaces: int
    integrations: int
    created: datetime


def list_spaces(session: Session) -> list[SpaceView]:
    """All of them, by their organization and name."""
    monitors, models = (_counts(session, each) for each in (MonitorRecord.space_id, Model.space_id))
    found = session.execute(
        select(Space, Organization.name)
        .join(Organization, Organization.id == Space.organization_id)
        .order_by(Organization.id, Space.name)
    )
    return [
        SpaceView(
            each.name,
            organization,
            each.description,
            monitors.get(each.id, 0),
            models.get(each.id, 0),
            each.created_at,
        )
        for each, organization in found
    ]


def create_space(registry: Registry, description: str | None) -> None:
    """Make the registry's space.

    Raises:
        RegistryError: it is there already, its organization is not, or it cannot be named so.
    """
    if find_space(registry.session, registry.space) is not None:
        raise RegistryError(f"a space named {registry.space!r} is there already")
    registry.own_space(description)


def delete_space(registry: Registry) -> None:
    """Delete the registry's space, with models and assets that no monitor can name any more.

    Raises:
        RegistryError: there is none, or monitors or keys are in it.
    """
    session, space = registry.session, the_space(registry.session, registry.space)
    monitors = session.scalars(select(MonitorRecord.name).where(MonitorRecord.space_id == space.id)).all()
    bound = session.scalars(select(ApiKey.name).where(ApiKey.space_id == space.id, ApiKey.revoked_at.is_(None))).all()
    left = [f"the monitor {name}" for name in sorted(monitors)] + [f"the key {name}" for name in sorted(bound)]
    if left:
        named = ", ".join(left[:5]) + (f" and {len(left) - 5} more" if len(left) > 5 else "")
        hint = "driftline monitors delete, driftline keys revoke"
        raise RegistryError(f"the space {registry.space!r} still has {named}: {hint}")
    held = registry.current()
    registry.carry_out([
        *(Change(Action.DELETE, Kind.MODEL, name, before=each.text) for name, each in sorted(held.models.items())),
        *(Change(Action.DELETE, Kind.LIBRARY, name, before=each.text) for name, each in sorted(held.library.items())),
    ])  # fmt: skip
    session.execute(update(ApiKey).where(ApiKey.space_id == space.id).values(space_id=None))  # they are revoked
    registry.log("delete", SPACE, space_names(session)[space.id], {"description": space.description}, None)
    session.flush()
    session.execute(delete(Space).where(Space.id == space.id))


def list_organizations(session: Session) -> list[OrganizationView]:
    """All of them, the first one first: it is the one that need not be named."""
    spaces, integrations = (_counts(session, each) for each in (Space.organization_id, Integration.organization_id))
    return [
        OrganizationView(
            each.name, each.description, spaces.get(each.id, 0), integrations.get(each.id, 0), each.created_at
        )
        for each in session.scalars(select(Organization).order_by(Organization.id))
    ]


def create_organization(registry: Registry, name: str, description: str | None) -> None:
    """Make an organization.

    Raises:
        RegistryError: it is there already, or none can be named so.
    """
    _refuse_taken(registry.session, name)
    registry.own_space()  # of the first organization, which stays the first
    values = {"name": checked_name("an organization", name), "description": description}
    registry.session.add(Organization(**values, created_at=registry.now))
    registry.log("create", ORGANIZATION, name, None, {"description": description})


def rename_organization(registry: Registry, name: str, new: str) -> None:
    """Give an organization another name.

    Raises:
        RegistryError: there is none, or the new name is taken or none.
    """
    held = _organization(registry.session, name)
    _refuse_taken(registry.session, new)
    held.name = checked_name("an organization", new)
    registry.log("rename", ORGANIZATION, new, {"name": name}, {"name": new})


def delete_organization(registry: Registry, name: str) -> None:
    """Delete an organization.

    Raises:
        RegistryError: there is none, or spaces or integrations are in it.
    """
    held = _organization(registry.session, name)
    (view,) = (each for each in list_organizations(registry.session) if each.organization == name)
    if view.spaces or view.integrations:
        left = f"{plural(view.spaces, 'space')} and {plural(view.integrations, 'integration')}"
        raise RegistryError(f"the organization {name!r} still has {left}: delete them first")
    registry.session.delete(held)
    registry.log("delete", ORGANIZATION, name, {"description": held.description}, None)


def _organization(session: Session, name: str) -> Organization:
    found = find_organization(session, name)
    if found is None:
        raise RegistryError(f"no organization is named {name!r}: driftline organizations list")
    return found


def _refuse_taken(session: Session, name: str) -> None:
    if find_organization(session, name) is not None:
        raise RegistryError(f"an organization named {name!r} is there already")


def _counts(session: Session, owner: InstrumentedAttribute[int]) -> dict[int, int]:
    """How many rows each owner has."""
    return {row[0]: row[1] for row in session.execute(select(owner, func.count()).group_by(owner))}
