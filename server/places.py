"""Which space is meant? ``fraud`` is one of the first organization, ``acme/fraud`` one of the organization `acme`.

Most registries have one organization and need not name it. Monitors, integrations and keys have names that are unique
in the whole registry, so that what names them (a run, a metric, a link) need not say whose they are.
"""

import re
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.errors import RegistryError
from server.tables import Organization, Space
from signals.catalogue import near_names

__all__ = ["DEFAULT", "Place", "checked_name", "find_organization", "find_space", "space_names", "the_space"]

DEFAULT = "default"
"""The organization and the space of those who name none."""
NAME = re.compile(r"\w[\w .-]{0,254}")


def checked_name(what: str, name: str) -> str:
    """The name, if an organization or a space may have it.

    Raises:
        RegistryError: it may not.
    """
    if not NAME.fullmatch(name) or name != name.strip():
        allowed = "letters, digits, ' ', '_', '-' and '.', starting with a letter or digit"
        raise RegistryError(f"{name!r} is not a name of {what}: {allowed}")
    return name


@dataclass(frozen=True)
class Place:
    """A space as it is written.

    Attributes:
        organization: its name; None: the first one that the registry had.
        space: its name.
    """

    organization: str | None
    space: str

    @classmethod
    def parse(cls, text: str) -> "Place":
        """``space`` or ``organization/space``."""
        organization, _, space = text.rpartition("/")
        return cls(organization or None, space)


def find_organization(session: Session, name: str | None) -> Organization | None:
    """The organization of that name, or the first one; None where there is none."""
    found = select(Organization).order_by(Organization.id).limit(1)
    return session.scalar(found if name is None else found.where(Organization.name == name))


def find_space(session: Session, text: str) -> Space | None:
    """The space that is written so; None where there is none."""
    place = Place.parse(text)
    organization = find_organization(session, place.organization)
    if organization is None:
        return None
    return session.scalar(select(Space).where(Space.organization_id == organization.id, Space.name == place.space))


def space_names(session: Session) -> dict[int, str]:
    """``organization/space`` of every space, by its id, in order."""
    found = select(Space.id, Organization.name, Space.name).join(Organization, Organization.id == Space.organization_id)
    ordered = session.execute(found.order_by(Organization.id, Space.name))
    return {number: f"{organization}/{space}" for number, organization, space in ordered}


def the_space(session: Session, text: str) -> Space:
    """The space that is written so.

    Raises:
        RegistryError: there is none; near names are told.
    """
    found = find_space(session, text)
    if found is not None:
        return found
    names = list(space_names(session).values())
    near = near_names(text, [*names, *(name.rpartition("/")[2] for name in names)])
    hint = f"; did you mean {near[0]}?" if near else ": driftline spaces list"
    raise RegistryError(f"no space is named {text!r}{hint}")
