"""Every instant is in the one step of time that holds it, and in none outside."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from signals.keys import Buckets, Keys
from signals.timestamps import UNDATED

instants = st.integers(-100, 100) | st.sampled_from([UNDATED, np.iinfo(np.int64).max])


@st.composite
def buckets(draw):
    edges = sorted(draw(st.sets(st.integers(-90, 90), min_size=0, max_size=8)))
    wanted = [draw(st.booleans()) for _ in edges[1:]]
    numbers = np.where(wanted, np.cumsum(wanted) - 1, -1) if wanted else []
    return Buckets(np.array(edges, np.int64), np.array(numbers, np.intp))


@given(buckets(), st.lists(instants, max_size=20))
def test_an_instant_is_in_the_step_that_begins_at_or_before_it(buckets, moments):
    steps = list(zip(buckets.edges[:-1], buckets.edges[1:], buckets.bucket, strict=True))
    expected = [next((bucket for start, end, bucket in steps if start <= at < end), -1) for at in moments]
    assert buckets.of(np.array(moments, np.int64)).tolist() == expected


@given(st.lists(st.tuples(st.integers(3, 6), st.floats(-1e3, 1e3), st.integers(0, 2)), min_size=1, max_size=30))
def test_sums_and_extremes_are_taken_bucket_by_bucket(rows):
    bucket, x, cell = (np.array(column) for column in zip(*rows, strict=True))
    keys = Keys(3, 4, bucket - 3)
    for number in range(4):
        mine = x[bucket == 3 + number]
        one = Keys(3 + number)
        for found, alone in (
            (keys.squares(x), one.squares(mine)),
            (keys.least(x), one.least(mine)),
            (keys.greatest(x), one.greatest(mine)),
            (keys.rows(len(x)), one.rows(len(mine))),
            (keys.tally(x > 0), one.tally(mine > 0)),
        ):
            np.testing.assert_allclose(found[number], alone)
        np.testing.assert_array_equal(
            keys.counts(cell, 3)[number], np.bincount(cell[bucket == 3 + number], minlength=3)
        )
