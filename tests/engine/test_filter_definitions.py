"""What filters in a definition come to, and what is said of those that are wrong."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from engine.definitions import json_schema, monitor_from
from engine.errors import DefinitionError, Problem
from engine.monitor import Filter, FilterDimension, Signal
from signals.segments import FilterOperator

Dim, Op = FilterDimension, FilterOperator
DRIFT = """
type: data_drift
production_data: {input_data: {path: now}, data_column_names: {prediction: label, score: p}}
reference_data: {input_data: {path: then}, data_column_names: {prediction: label, score: p}}
"""
PERFORMANCE = """
type: model_performance
production_data: {input_data: {path: now}, data_column_names: {prediction: label, correlation_id: id}}
reference_data: {input_data: {path: truth}, data_column_names: {actual: label, correlation_id: id}}
metric_thresholds: {classification: {accuracy: 0.9}}
"""


def definition(keys: str) -> dict[str, Any]:
    return {
        "name": "m",
        "trigger": {"type": "recurrence", "frequency": "day", "interval": 1},
        "create_monitor": {"monitoring_signals": {"s": yaml.safe_load(keys)}},
    }


def signal(keys: str, of: str = DRIFT) -> Signal:
    return monitor_from(definition(of + keys), Path()).signals[0]


def outcome(written: dict[str, Any]) -> tuple[tuple[Filter, ...], tuple[Problem, ...]]:
    try:
        return monitor_from(written, Path()).signals[0].filters, ()
    except DefinitionError as error:
        return (), error.problems


def problems(keys: str, of: str = DRIFT) -> list[str]:
    with pytest.raises(DefinitionError) as error:
        signal(keys, of)
    return [
        str(problem).removeprefix("definition: create_monitor.monitoring_signals.s.")
        for problem in error.value.problems
    ]


def test_a_signal_without_filters_is_about_all_rows():
    assert signal("").filters == ()


@pytest.mark.parametrize(
    ("written", "filters"),
    [
        ("{feature: state, operator: equals, value: CA}", [Filter(Dim.FEATURE, "state", Op.EQUALS, ("CA",))]),
        ("{feature: state, value: CA}", [Filter(Dim.FEATURE, "state", Op.EQUALS, ("CA",))]),
        ("{tag: region, operator: in, values: [b, a]}", [Filter(Dim.TAG, "region", Op.IN, ("b", "a"))]),
        ("{dimension: prediction_score, operator: greater_than, value: 0.8}", [Filter(Dim.PREDICTION_SCORE, None, Op.GREATER_THAN, ("0.8",))]),  # noqa: E501
        ("{dimensionType: tagLabel, name: impact, operator: greaterThan, values: ['2']}", [Filter(Dim.TAG, "impact", Op.GREATER_THAN, ("2",))]),  # noqa: E501
        ("{dimensionType: predictionClass, operator: notEquals, values: [fraud]}", [Filter(Dim.PREDICTION_CLASS, None, Op.NOT_EQUALS, ("fraud",))]),  # noqa: E501
        ("{dimensionType: predictionValue, operator: <=, value: 3}", [Filter(Dim.PREDICTION_CLASS, None, Op.LESS_THAN_OR_EQUAL, ("3",))]),  # noqa: E501
        ("{feature: day, operator: '>=', value: 2013-07-01}", [Filter(Dim.FEATURE, "day", Op.GREATER_THAN_OR_EQUAL, ("2013-07-01",))]),  # noqa: E501
        ("{feature: late, value: false}", [Filter(Dim.FEATURE, "late", Op.EQUALS, ("false",))]),
        ("{feature: note, value: ''}", [Filter(Dim.FEATURE, "note", Op.EQUALS, ("",))]),
        ("{feature: note, operator: containsString, values: [a, b]}", [Filter(Dim.FEATURE, "note", Op.CONTAINS, ("a", "b"))]),  # noqa: E501
        ("[{feature: a, value: 1}, {feature: a, operator: '!=', value: 2}]", [Filter(Dim.FEATURE, "a", Op.EQUALS, ("1",)), Filter(Dim.FEATURE, "a", Op.NOT_EQUALS, ("2",))]),  # noqa: E501
    ],
)  # fmt: skip
def test_filters_are_read_in_our_words_in_arizes_and_with_signs(written, filters):
    assert signal(f"filters: {written}").filters == tuple(filters)


@pytest.mark.parametrize("kind", ["data_drift", "data_quality", "prediction_drift"])
def test_azures_segment_and_filters_have_to_hold_both(kind):
    keys = "data_segment: {feature_name: state, feature_values: [CA, NY]}\n"
    keys += "filters: {feature: age, operator: '>', value: 30}"
    assert signal(keys, DRIFT.replace("data_drift", kind)).filters == (
        Filter(Dim.FEATURE, "state", Op.IN, ("CA", "NY")),
        Filter(Dim.FEATURE, "age", Op.GREATER_THAN, ("30",)),
    )


def test_performance_is_filtered_by_what_turned_out_to_be_true():
    found = signal("filters: {dimensionType: actualClass, operator: equals, values: [fraud]}", PERFORMANCE)
    assert found.filters == (Filter(Dim.ACTUAL_CLASS, None, Op.EQUALS, ("fraud",)),)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("{feature: a, operator: equal, value: x}", ["filters.operator: 'equal' is not one of equals, not_equals, greater_than, greater_than_or_equal, less_than, less_than_or_equal, in, contains (did you mean equals?)"]),  # noqa: E501
        ("{feature: a, operator: topN, value: 3}", ["filters.operator: not supported yet: topN (one of: equals, not_equals, greater_than, greater_than_or_equal, less_than, less_than_or_equal, in, contains)"]),  # noqa: E501
        ("{feature: a, operator: '>', value: high}", ["filters.value: 'high' is neither a number nor a time (greater_than compares by size)"]),  # noqa: E501
        ("{feature: a, operator: '>', value: .nan}", ["filters.value: 'nan' is neither a number nor a time (greater_than compares by size)"]),  # noqa: E501
        ("{feature: a, operator: <, values: [1, 2]}", ["filters.values: are 2, and less_than takes one"]),
        ("{feature: a}", ["filters.value: is missing (what is the row's value compared with?)"]),
        ("{feature: a, values: []}", ["filters.values: is empty"]),
        ("[]", ["filters: is empty"]),
        ("{feature: a, values: [null]}", ["filters.values[0]: null is not a value (a null passes no filter but not_equals)"]),  # noqa: E501
        ("{feature: a, value: 1, values: [2]}", ["filters.values: cannot go with value (keep one of them)"]),
        ("{featur: a, value: 1}", ["filters.featur: unknown key (did you mean feature?)"]),
        ("{value: 1}", ["filters.feature: is missing (name a feature, a tag, or a dimension such as prediction_score)"]),  # noqa: E501
        ("{name: a, value: 1}", ["filters.dimension: is missing (is 'a' a feature or a tag?)"]),
        ("{feature: a, tag: b, value: 1}", ["filters.tag: cannot go with feature (keep one of them)"]),
        ("{feature: a, name: b, value: 1}", ["filters.name: cannot go with feature"]),
        ("{dimension: tag, value: 1}", ["filters.name: is missing (which column is the tag?)"]),
        ("{dimension: prediction_clas, value: 1}", ["filters.dimension: 'prediction_clas' is not one of feature, tag, prediction_class, prediction_score, actual_class, actual_score (did you mean prediction_class?)"]),  # noqa: E501
        ("{dimension: llmEval, value: 1}", ["filters.dimension: not supported yet: llmEval (one of: feature, tag, prediction_class, prediction_score, actual_class, actual_score)"]),  # noqa: E501
        ("{dimension: prediction_score, name: p, value: 1}", ["filters.name: cannot go with prediction_score"]),
        ("{dimension: prediction_score, values: [0.5, x]}", ["filters.values[1]: 'x' is not a number, and prediction_score is one"]),  # noqa: E501
        ("{dimension: prediction_score, operator: contains, value: 1}", ["filters.operator: contains needs text, and prediction_score is a number"]),  # noqa: E501
        ("[{feature: a, value: 1}, {feature: b}]", ["filters[1].value: is missing (what is the row's value compared with?)"]),  # noqa: E501
        ("[{feature: a, value: 1}, {dimension: actual_class, value: 1}]", [
            "filters[1].dimension: no column of production_data is the actual (name it in production_data.data_column_names.actual)",  # noqa: E501
            "filters[1].dimension: no column of reference_data is the actual (name it in reference_data.data_column_names.actual)",  # noqa: E501
        ]),
        ("state", ["filters: 'state' is not a mapping (key: value)"]),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_filter_is_said_where_it_is(written, said):
    assert problems(f"filters: {written}") == said


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("{feature_name: state}", ["data_segment.feature_values: is missing"]),
        ("{feature_values: CA}", ["data_segment.feature_name: is missing"]),
        ("{feature_name: state, feature_values: []}", ["data_segment.feature_values: is empty"]),
        ("{feature: state, feature_values: CA}", [
            "data_segment.feature: unknown key (did you mean feature_name?)", "data_segment.feature_name: is missing",
        ]),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_segment_is_said_where_it_is(written, said):
    assert problems(f"data_segment: {written}") == said


def test_a_score_that_no_column_is_cannot_be_filtered_by():
    assert problems("filters: {dimension: prediction_score, operator: '>', value: 0.5}", PERFORMANCE) == [
        "filters.dimension: no column of production_data is the score (name it in production_data.data_column_names.score)"  # noqa: E501
    ]


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3) | st.dates() | st.datetimes()
WORDS = st.sampled_from([*Dim, *Op, "featureLabel", ">", "topN"])
KEYS = st.sampled_from(["feature", "tag", "dimension", "dimensionType", "name", "operator", "value", "values", "other"])
ANYTHING = SCALARS | WORDS | st.lists(SCALARS, max_size=3) | st.dictionaries(KEYS, SCALARS, max_size=2)


@given(ANYTHING | st.lists(ANYTHING | st.dictionaries(KEYS, ANYTHING, min_size=1), max_size=2), ANYTHING)
def test_whatever_is_written_as_a_filter_is_one_or_a_problem(filters, segment):
    written = definition(DRIFT)
    written["create_monitor"]["monitoring_signals"]["s"] |= {"filters": filters, "data_segment": segment}
    found, wrong = outcome(written)
    assert all(one.values and {type(value) for value in one.values} == {str} for one in found)
    assert all(problem.key.startswith("create_monitor.monitoring_signals.s.") for problem in wrong)


def test_an_editor_can_complete_every_dimension_and_operator():
    keys = json_schema()["$defs"]["FilterKeys"]["properties"]
    (operators,) = (keys["operator"]["enum"],)
    assert {*Op, "greaterThan", "containsString", ">=", "!="} <= set(operators)
    (dimensions,) = (option["enum"] for option in keys["dimensionType"]["anyOf"] if "enum" in option)
    assert {*Dim, "featureLabel", "predictionScore", "actuals"} <= set(dimensions)
