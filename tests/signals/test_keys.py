"""Every instant is in the one step of time that holds it; rows are added up slot by slot, each as if it were alone."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from signals.atoms import atoms_of
from signals.keys import Buckets, Keys
from signals.slots import Slots
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


@given(st.integers(0, 2**32), st.integers(1, 6), st.integers(1, 3000))
def test_a_slot_adds_up_to_the_same_bits_as_it_does_alone(seed, slots, size):
    random = np.random.default_rng(seed)
    slot = np.sort(random.integers(0, slots, size))
    x, cell, kept = random.normal(size=size) ** 3, random.integers(0, 5, size), random.random(size) < 0.5
    starts = np.flatnonzero(np.diff(slot, prepend=-1))
    together = Keys(slot[starts], starts, size, slots)
    for run, number in enumerate(slot[starts].tolist()):
        rows = slot == number
        mine, alone = x[rows], Keys(np.array([number]), np.array([0]), int(rows.sum()), slots)
        sums, own = np.zeros((slots, 5)), np.zeros((slots, 5))
        np.add.at(sums.reshape(-1), together.index(cell, 5), x)
        np.add.at(own.reshape(-1), alone.index(cell[rows], 5), mine)
        assert together.squares(x)[run] == alone.squares(mine)[0]
        assert sums[number].tolist() == own[number].tolist() == np.bincount(cell[rows], mine, 5).tolist()
        assert (together.least(x)[run], together.greatest(x)[run]) == (mine.min(), mine.max())
        assert together.sizes[run] == alone.sizes[0] == len(mine)
        assert together.tally(kept)[run] == alone.tally(kept[rows])[0] == np.count_nonzero(kept[rows])
    few = together.where(kept)
    assert few.slots.tolist() == np.unique(slot[kept]).tolist()
    assert np.repeat(few.slots, few.sizes).tolist() == slot[kept].tolist()


@st.composite
def masks(draw):
    segments, size = draw(st.integers(1, 20)), draw(st.integers(0, 40))
    random = np.random.default_rng(draw(st.integers(0, 99)))
    return random.random((segments, size)) < draw(st.sampled_from([0.0, 0.02, 0.3, 1.0]))


@given(masks())
def test_an_atom_is_the_set_of_its_rows_segments(masks):
    (atoms,) = atoms_of(masks)
    np.testing.assert_array_equal(atoms.sets[atoms.codes].T, masks)


def test_segments_that_overlap_too_much_are_told_apart_in_several_passes():
    masks = np.random.default_rng(1).random((40, 5_000)) < 0.5
    passes = list(atoms_of(masks))
    assert len(passes) > 1
    np.testing.assert_array_equal(sum(atoms.sets[atoms.codes].astype(int) for atoms in passes).T, masks)


@given(masks(), st.integers(0, 99), st.integers(1, 4))
def test_slots_fold_to_the_rows_of_each_bucket_and_segment(masks, seed, batches):
    segments, size = masks.shape
    bucket = np.random.default_rng(seed).integers(-1, 3, size)
    slots, counts = Slots(segments), np.zeros(3 * segments * size + 1, np.int64)
    for rows in np.array_split(np.arange(size), batches):
        for atoms in atoms_of(masks[:, rows]):
            keys, order = slots.keys(bucket[rows], atoms, len(rows))
            if keys is not None:
                assert len(rows if order is None else order) == keys.size
                counts[keys.at] += keys.sizes
    fold = slots.fold()
    found = dict(zip(fold.keys.tolist(), fold.of(counts).tolist(), strict=True))
    pairs = [(b, s) for b in range(3) for s in range(segments)]
    expected = {b * segments + s: int(np.count_nonzero(masks[s] & (bucket == b))) for b, s in pairs}
    assert found == {key: count for key, count in expected.items() if count}
