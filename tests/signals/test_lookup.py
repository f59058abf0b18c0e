"""The look-up finds the same cell as a binary search, for any edges and any numbers but NaN."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from signals.lookup import Lookup, _make

finite = st.floats(allow_nan=False, allow_infinity=False)
usual = st.floats(-1e6, 1e6) | st.integers(-100, 100).map(float)
ODD = [0.0, -0.0, 5e-324, -5e-324, 2.2e-308, 1.7976931348623157e308, -1.7976931348623157e308, np.inf, -np.inf, 2.0**53]


def neighbours(numbers):
    """The numbers, and those right before and after each."""
    x = np.array(numbers, np.float64)
    with np.errstate(over="ignore"):
        return np.concatenate((x, np.nextafter(x, -np.inf), np.nextafter(x, np.inf)))


def increasing(numbers):
    found = np.unique(np.array(numbers, np.float64) + 0.0)
    return found[np.isfinite(found)]


@st.composite
def edges(draw):
    """Edges of any kind: anywhere, close together, adjacent, at quantiles of a sample, with a few far away."""
    kind = draw(st.sampled_from(["any", "usual", "adjacent", "quantiles", "powers", "mixed"]))
    if kind == "any":
        return increasing(draw(st.lists(finite, max_size=150)))
    if kind == "usual":
        return increasing(draw(st.lists(usual, max_size=150)))
    if kind == "adjacent":
        return increasing(neighbours(draw(st.lists(finite, min_size=1, max_size=40))))
    if kind == "powers":
        return increasing(
            [10.0**k for k in range(*sorted(draw(st.tuples(st.integers(-300, 300), st.integers(-300, 300)))))]
        )
    random = np.random.default_rng(draw(st.integers(0, 1000)))
    sample = draw(st.sampled_from([random.normal, random.standard_cauchy, random.exponential]))(size=5000)
    found = increasing(np.quantile(sample * 10.0 ** draw(st.integers(-300, 300)), np.linspace(0, 1, 129)))
    if kind == "quantiles":
        return found
    return increasing([*found, *neighbours(found[:20]), *draw(st.lists(finite, max_size=20))])


@given(edges(), st.lists(finite | usual, max_size=50))
@example(np.array([5.0]), [])
@example(np.array([-1.7e308, 1.7e308]), [])
@example(np.array([0.0, 5e-324, 1e-323]), [])
def test_any_number_falls_into_the_cell_that_a_binary_search_finds(edges, numbers):
    x = np.concatenate((neighbours([*edges, *numbers]), ODD))
    expected = np.searchsorted(edges, x, side="right")
    np.testing.assert_array_equal(Lookup.for_edges(edges).cells(x), expected)
    for logarithmic in (False, True):
        np.testing.assert_array_equal(_make(edges, logarithmic=logarithmic).cells(x), expected)


@pytest.mark.parametrize("scale", [1e-300, 1e-3, 1.0, 1e9, 1e300])
@pytest.mark.parametrize("shape", ["normal", "standard_cauchy", "lognormal", "exponential", "uniform"])
def test_hardly_a_value_of_the_usual_shapes_has_to_be_searched_for(shape, scale):
    random = np.random.default_rng(1)
    x = getattr(random, shape)(size=20_000) * scale
    edges = increasing(np.quantile(x, np.linspace(0, 1, 129)))
    lookup = Lookup.for_edges(edges)
    np.testing.assert_array_equal(lookup.cells(x), np.searchsorted(edges, x, side="right"))
    assert lookup.searched_edges <= len(edges) // 8


def test_the_numbers_looked_up_are_left_as_they_are():
    x = np.array([3.0, -1.0, np.inf])
    Lookup.for_edges(np.array([0.0, 2.0])).cells(x)
    np.testing.assert_array_equal(x, [3.0, -1.0, np.inf])
