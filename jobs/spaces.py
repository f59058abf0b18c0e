"""`driftline spaces …` and `driftline organizations …`: whose monitors are whose."""

from __future__ import annotations

from dataclasses import asdict

from jobs.consoles import out
from jobs.listings import print_rows
from jobs.registries import registry

__all__ = [
    "delete_organization", "delete_space", "list_organizations", "list_spaces", "make_organization", "make_space",
    "rename_organization",
]  # fmt: skip


def list_spaces(url: str, *, as_json: bool) -> None:
    """Every space, with how much is in it."""
    from server.spaces import list_spaces

    with registry(url, "default", reading=True) as held:
        rows = [asdict(each) for each in list_spaces(held.session)]
    print_rows(rows, "no space yet: driftline apply makes one", as_json=as_json)


def make_space(url: str, space: str, description: str | None) -> None:
    """Make a space."""
    from server.spaces import create_space

    with registry(url, space) as held:
        create_space(held, description)
    out().print(f"{space} is made; driftline apply conf/ --space {space} fills it")


def delete_space(url: str, space: str) -> None:
    """Delete a space that nothing is in."""
    from server.spaces import delete_space

    with registry(url, space) as held:
        delete_space(held)
    out().print(f"{space} is deleted")


def list_organizations(url: str, *, as_json: bool) -> None:
    """Every organization, with how much is in it."""
    from server.spaces import list_organizations

    with registry(url, "default", reading=True) as held:
        rows = [asdict(each) for each in list_organizations(held.session)]
    print_rows(rows, "no organization yet: driftline apply makes one", as_json=as_json)


def make_organization(url: str, name: str, description: str | None) -> None:
    """Make an organization."""
    from server.spaces import create_organization

    with registry(url, "default") as held:
        create_organization(held, name, description)
    out().print(f"{name} is made; its spaces are written {name}/space")


def rename_organization(url: str, name: str, new: str) -> None:
    """Give an organization another name."""
    from server.spaces import rename_organization

    with registry(url, "default") as held:
        rename_organization(held, name, new)
    out().print(f"{name} is called {new} now")


def delete_organization(url: str, name: str) -> None:
    """Delete an organization that nothing is in."""
    from server.spaces import delete_organization

    with registry(url, "default") as held:
        delete_organization(held, name)
    out().print(f"{name} is deleted")
