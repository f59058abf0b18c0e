"""`driftline keys …`: who may ask the server, and for what."""

from __future__ import annotations

from jobs.consoles import err, out
from jobs.listings import print_rows
from jobs.options import one_of
from jobs.registries import registry

__all__ = ["make_key", "show_keys"]


def make_key(url: str, space: str | None, name: str, role: str) -> None:
    """Make a key; the key alone is on stdout, so that it can be piped."""
    from server.keys import Role, create_key

    one_of(role, Role)
    with registry(url, space or "default") as held:
        made = create_key(held, name, Role(role), bound=space is not None)
    out().print(made.secret, soft_wrap=True)
    err().print("Keep it now: it cannot be shown again. It goes into the header x-api-key.", style="dim")


def show_keys(url: str, *, as_json: bool) -> None:
    """Every key without its secret."""
    from server.keys import list_keys
    from server.places import space_names

    with registry(url, "default", reading=True) as held:
        spaces = space_names(held.session)
        rows = [
            {
                "key": each.name,
                "role": each.role,
                "space": spaces[each.space_id] if each.space_id else None,
                "created": each.created_at,
                "last_used": each.last_used_at,
                "revoked": each.revoked_at,
            }
            for each in list_keys(held.session)
        ]
    print_rows(rows, "no key yet: driftline keys create", as_json=as_json)
