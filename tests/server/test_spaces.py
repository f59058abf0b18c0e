"""Organizations and spaces on both kinds of database: what is in use is never deleted, what is not goes whole."""

from __future__ import annotations

import pytest

from server.changes import Action, Change, Kind
from server.errors import RegistryError
from server.keys import Role, create_key, revoke_key
from server.places import Place
from server.registry import Registry
from server.spaces import create_organization, create_space, delete_space, list_organizations, list_spaces
from tests.server.conftest import NOW


def test_a_space_is_written_with_its_organization_or_without():
    assert Place.parse("fraud") == Place(None, "fraud")
    assert Place.parse("acme/fraud") == Place("acme", "fraud")


def test_spaces_of_two_organizations_may_have_one_name_and_are_apart(registry):
    create_organization(registry, "acme", None)
    ours, theirs = (Registry(registry.session, "test", NOW, name) for name in ("fraud", "acme/fraud"))
    for each, text in ((ours, "a: 1"), (theirs, "a: 2")):
        create_space(each, None)
        each.carry_out([Change(Action.CREATE, Kind.MODEL, "shop", None, text)])
    assert (ours.current().models["shop"].text, theirs.current().models["shop"].text) == ("a: 1", "a: 2")
    assert [(each.organization, each.space, each.models) for each in list_spaces(registry.session)] == [
        ("default", "default", 0),
        ("default", "fraud", 1),
        ("acme", "fraud", 1),
    ]
    assert [each.organization for each in list_organizations(registry.session)] == ["default", "acme"]


def test_a_space_is_deleted_with_what_no_monitor_needs_and_never_with_a_key_that_works(registry):
    own = Registry(registry.session, "test", NOW, "fraud")
    own.carry_out([
        Change(Action.CREATE, Kind.LIBRARY, "assets.yaml", None, "assets: []"),
        Change(Action.CREATE, Kind.MODEL, "shop", None, "name: shop"),
    ])  # fmt: skip
    create_key(own, "ci", Role.VIEWER, bound=True)
    with pytest.raises(RegistryError, match="still has the key ci"):
        delete_space(own)
    revoke_key(own, "ci")
    delete_space(own)
    assert list_spaces(registry.session) == []
    assert not own.current().models
    with pytest.raises(RegistryError, match="no space is named 'fraud'"):
        delete_space(own)


@pytest.mark.parametrize("name", ["", " ", "a/b/", "-", "a\nb", "x" * 256])
def test_what_is_no_name_is_refused(registry, name):
    with pytest.raises(RegistryError):
        create_space(Registry(registry.session, "test", NOW, name), None)
