"""Monitors that are in the registry without definitions: for what looks at their runs only."""

from __future__ import annotations

from server.database import Database
from server.tables import MonitorRecord, Organization, Space
from tests.server.conftest import NOW

__all__ = ["NOW", "make_monitors"]


def make_monitors(database: Database, count: int, models: int = 2) -> list[int]:
    """Monitors `m0`, `m1`, ... of models `model0`, `model1`, ... in turns; their ids."""
    with database.session() as session:
        organization = Organization(name="o", created_at=NOW)
        session.add(organization)
        session.flush()
        space = Space(organization_id=organization.id, name="s", created_at=NOW)
        session.add(space)
        session.flush()
        made = [
            MonitorRecord(
                space_id=space.id,
                name=f"m{number}",
                model=f"model{number % models}",
                version=1,
                enabled=True,
                muted=False,
                watched_since=NOW,
                created_at=NOW,
                updated_at=NOW,
            )
            for number in range(count)
        ]
        session.add_all(made)
        session.flush()
        return [each.id for each in made]
