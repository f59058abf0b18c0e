"""The commands of `driftline spaces` and `driftline organizations`: whose monitors are whose, and in which words."""

from typing import Annotated

import typer

from jobs.exits import ending
from jobs.options import Form, RunFormat, Verbose
from jobs.registries import DEFAULT_DATABASE, DatabaseUrl

__all__ = ["organizations", "spaces"]

spaces = typer.Typer(help="Spaces, each a team's models and monitors: list, create, delete.", no_args_is_help=True)
organizations = typer.Typer(
    help="Organizations, which own spaces and integrations; most registries have one.", no_args_is_help=True
)

SPACE = "A space's name; `organization/name` where it is not the first organization's."
SpaceArgument = Annotated[str, typer.Argument(metavar="SPACE", show_default=False, help=SPACE)]
OrganizationName = Annotated[str, typer.Argument(metavar="NAME", show_default=False, help="An organization's name.")]
Description = Annotated[str | None, typer.Option("--description", metavar="TEXT", help="What it is for.")]


@spaces.command("list", epilog="Example: driftline spaces list")
@ending
def list_(*, database: DatabaseUrl = DEFAULT_DATABASE, form: Form = RunFormat.TABLE, verbose: Verbose = False) -> None:
    """List spaces: their organization, and how many monitors and models are in them."""
    from jobs.spaces import list_spaces

    list_spaces(database, as_json=form is RunFormat.JSON)


@spaces.command(epilog='Example: driftline spaces create fraud --description "card payments"')
@ending
def create(
    space: SpaceArgument,
    *,
    description: Description = None,
    database: DatabaseUrl = DEFAULT_DATABASE,
    verbose: Verbose = False,
) -> None:
    """Make a space. `driftline apply --space` makes one that is not there, too."""
    from jobs.spaces import make_space

    make_space(database, space, description)


@spaces.command(epilog="Example: driftline spaces delete fraud")
@ending
def delete(space: SpaceArgument, *, database: DatabaseUrl = DEFAULT_DATABASE, verbose: Verbose = False) -> None:
    """Delete a space that has neither monitors nor keys; models and assets that are left in it go with it."""
    from jobs.spaces import delete_space

    delete_space(database, space)


@organizations.command("list", epilog="Example: driftline organizations list")
@ending
def list_organizations(
    *, database: DatabaseUrl = DEFAULT_DATABASE, form: Form = RunFormat.TABLE, verbose: Verbose = False
) -> None:
    """List organizations; spaces that name none are those of the first."""
    from jobs.spaces import list_organizations

    list_organizations(database, as_json=form is RunFormat.JSON)


@organizations.command("create", epilog="Example: driftline organizations create acme")
@ending
def create_organization(
    name: OrganizationName,
    *,
    description: Description = None,
    database: DatabaseUrl = DEFAULT_DATABASE,
    verbose: Verbose = False,
) -> None:
    """Make an organization; its spaces are written `name/space`."""
    from jobs.spaces import make_organization

    make_organization(database, name, description)


@organizations.command(epilog="Example: driftline organizations rename default acme")
@ending
def rename(
    name: OrganizationName,
    new: Annotated[str, typer.Argument(metavar="NEW", show_default=False, help="Its name from now on.")],
    *,
    database: DatabaseUrl = DEFAULT_DATABASE,
    verbose: Verbose = False,
) -> None:
    """Give an organization another name."""
    from jobs.spaces import rename_organization

    rename_organization(database, name, new)


@organizations.command("delete", epilog="Example: driftline organizations delete acme")
@ending
def delete_organization(
    name: OrganizationName, *, database: DatabaseUrl = DEFAULT_DATABASE, verbose: Verbose = False
) -> None:
    """Delete an organization that has neither spaces nor integrations."""
    from jobs.spaces import delete_organization

    delete_organization(database, name)
