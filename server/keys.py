"""Who may ask the server, and for what: API keys, of which only digests are kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from secrets import token_urlsafe

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.errors import RegistryError
from server.places import the_space
from server.registry import Registry
from server.tables import ApiKey

__all__ = ["PREFIX", "Role", "create_key", "key_of", "list_keys", "revoke_key"]

PREFIX = "driftline_"
"""Secret scanners know keys by how they begin."""
KIND = "api_key"


class Role(StrEnum):
    VIEWER = "viewer"
    """Sees monitors and results."""
    EDITOR = "editor"
    """Changes monitors, too."""
    ADMIN = "admin"
    """Makes keys and integrations, too."""

    def may(self, needed: "Role") -> bool:
        """Whether this role includes the other."""
        order = [*Role]
        return order.index(self) >= order.index(needed)


@dataclass(frozen=True)
class NewKey:
    """A key that was just made: the only time that it can be read."""

    name: str
    role: Role
    secret: str


def create_key(registry: Registry, name: str, role: Role, *, bound: bool) -> NewKey:
    """Make a key.

    Args:
        registry: the transaction.
        name: what people call it; unique, also among revoked ones.
        role: what it may do.
        bound: whether it sees the registry's space only.

    Raises:
        RegistryError: the name is taken, or there is no such space.
    """
    if registry.session.scalar(select(ApiKey.id).where(ApiKey.name == name)):
        raise RegistryError(f"a key named {name!r} is there already: keys keep their names when they are revoked")
    # 256 random bits: nothing that could be guessed, so that a plain digest is enough.
    secret = PREFIX + token_urlsafe(32)
    space = the_space(registry.session, registry.space) if bound else None
    registry.session.add(
        ApiKey(
            name=name,
            digest=_digest(secret),
            role=role.value,
            space_id=space.id if space else None,
            created_at=registry.now,
        )
    )
    registry.log("create", KIND, name, None, {"role": role.value, "space": registry.space if bound else None})
    return NewKey(name, role, secret)


def list_keys(session: Session) -> Sequence[ApiKey]:
    """All keys, the revoked ones too, by name."""
    return session.scalars(select(ApiKey).order_by(ApiKey.name)).all()


def revoke_key(registry: Registry, name: str) -> None:
    """Make a key worthless, at once and for good.

    Raises:
        RegistryError: there is no such key.
    """
    held = registry.session.scalar(select(ApiKey).where(ApiKey.name == name))
    if held is None:
        raise RegistryError(f"no key is named {name!r}")
    if held.revoked_at is None:
        held.revoked_at = registry.now
        registry.log("revoke", KIND, name, {"role": held.role}, None)


def key_of(session: Session, secret: str, now: datetime) -> ApiKey | None:
    """The key behind a secret, marked as used now; None where there is none, or it is revoked."""
    held = session.scalar(select(ApiKey).where(ApiKey.digest == _digest(secret), ApiKey.revoked_at.is_(None)))
    if held is not None:
        held.last_used_at = now
    return held


def _digest(secret: str) -> str:
    return sha256(secret.encode()).hexdigest()
