"""A profile with what it is the profile of, and what tells it apart in the store."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from engine.results import AGGREGATE
from engine.windows import Window
from signals.profile import Profile

__all__ = ["ProfileKey", "StoredProfile", "keys_of"]


class ProfileKey(NamedTuple):
    """What tells the profiles of one dataset apart."""

    column: str
    bins_id: str
    bucket: Window | None
    segment: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredProfile:
    """A profile with what it is the profile of.

    Attributes:
        dataset: the dataset's key.
        source: the dataset's title, for people.
        column: the column's name; empty for what is known of a bucket whatever the column.
        profile: what was counted.
        fingerprint: the state of the source that was read.
        bucket: the stretch of time; None: the whole dataset.
        segment: which rows.
    """

    dataset: str
    source: str
    column: str
    profile: Profile
    fingerprint: str
    bucket: Window | None = None
    segment: str = AGGREGATE

    @property
    def key(self) -> ProfileKey:
        return ProfileKey(self.column, self.profile.bins.id, self.bucket, self.segment)


def keys_of(stored: Sequence[StoredProfile]) -> list[ProfileKey]:
    """The key of each; the ids of bins, which are digests of all their edges, are worked out once."""
    bins = {id(each.profile.bins): each.profile.bins for each in stored}
    ids = {number: each.id for number, each in bins.items()}
    return [ProfileKey(each.column, ids[id(each.profile.bins)], each.bucket, each.segment) for each in stored]
