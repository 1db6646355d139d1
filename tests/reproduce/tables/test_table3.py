"""Table 3: which runs it is made of, how their results fold, and the figures drawn of them."""

import collections
import math

import cirq
import numpy as np
import pytest
import sympy

from reproduce.claims.rows import encode
from reproduce.experiments.expressivity.spectrum import largest_frequencies, spectrum
from reproduce.experiments.parameters.parameter_counts import count_parameters
from reproduce.report.page import write_table
from reproduce.sweep.runs import FINISHED, INTRACTABLE, RunResult
from reproduce.tables import table3
from tfq_fusion.circuits import ModelCircuit


def runs(profile="default", fusions=None, **arguments):
    return table3.TABLE.specs(table3.TABLE.plan(profile, **arguments), fusions, "compiled")


def options(spec):
    return dict(spec.options)


def test_polynomials_have_all_degrees_sizes_and_depths_and_no_sum_that_is_a_product():
    specs = runs(datasets=["polynomial"], fusions=["qfl"], seeds=1)
    assert {spec.degree for spec in specs} == {1, 2, 3, 4, 5, 6}
    depths = collections.defaultdict(set)
    for spec in specs:
        if not spec.arguments:
            chosen = options(spec)
            depths[chosen["form"], chosen["modalities"], chosen["degree"]].add(spec.degree)
    assert all(found == set(range(1, degree + 2)) for (_, _, degree), found in depths.items())
    targets = list(depths)
    assert sum(form == "product" for form, _, _ in targets) == 15
    sums = {(modalities, degree) for form, modalities, degree in targets if form == "sum"}
    assert sums == {(m, d) for m in (2, 3, 4) for d in (1, 2, 3, 4, 5) if d % m}
    assert {target for target in targets if target[0] == "difference"} == {("difference", m, 1) for m in (2, 3, 4)}


def test_more_blocks_are_tried_where_encodings_are_just_enough():
    specs = runs(datasets=["polynomial"], fusions=["qfl"], seeds=1)
    several = [spec for spec in specs if spec.arguments]
    assert {dict(spec.arguments)["blocks"] for spec in several} == {2, 4}
    assert all(spec.degree == options(spec)["degree"] for spec in several)
    assert len(several) == 2 * len({spec.options for spec in specs})


def test_qfl_is_searched_from_more_initial_weights_than_the_others():
    specs = runs(datasets=["polynomial"])
    assert {options(spec)["starts"] for spec in specs if spec.fusion == "qfl"} == {256}
    assert {options(spec)["starts"] for spec in specs if spec.fusion != "qfl"} == {8}
    assert {spec.seed for spec in specs} == {0}


def test_gcn_gets_the_targets_of_degree_one():
    specs = runs(datasets=["polynomial"], fusions=["gcn"])
    assert {(options(spec)["form"], options(spec)["degree"]) for spec in specs} == {
        ("product", 1),
        ("sum", 1),
        ("difference", 1),
    }


def test_lmf_has_about_as_many_weights_as_qfl_of_the_degree_of_the_target():
    for spec in runs(datasets=["polynomial"], fusions=["lmf"], seeds=1):
        modalities, degree = options(spec)["modalities"], options(spec)["degree"]
        qubits = math.ceil(math.log2(modalities + 1)) + 1
        qfl = 3 * qubits * (degree + 1) + 33
        rank = dict(spec.arguments)["rank"]
        assert rank * 3 * modalities + rank + 1 + 2 == pytest.approx(qfl, abs=(3 * modalities + 1) / 2)


def test_queries_go_from_one_to_eight_for_joint_and_separate_use():
    specs = runs(datasets=["discrimination"], seeds=2)
    assert sorted(spec.degree for spec in specs if spec.fusion == "qfl" and spec.seed == 0) == list(range(1, 9))
    apart = {(options(s)["uses"], options(s)["queries"]) for s in specs if s.fusion == "lmf"}
    assert apart == {(uses, queries) for uses in ("coherent", "measured") for queries in range(1, 9)}


def test_parameters_are_counted_once_from_2_to_256_modalities():
    specs = runs(datasets=["parameters"], seeds=5)
    assert {options(spec)["modalities"] for spec in specs} == {2, 4, 8, 16, 32, 64, 128, 256}
    assert {spec.seed for spec in specs} == {0}


@pytest.mark.parametrize(
    ("arguments", "fusions", "message"),
    [
        ({"profile": "quick"}, None, "Unknown profile quick.*smoke, default, paper"),
        ({"datasets": ["mfeat"]}, None, "Unknown data set or experiment mfeat.*polynomial.*parameters"),
        ({}, ["sum"], "Unknown fusion sum.*qfl.*gcn"),
    ],
)
def test_unknown_names_list_the_known(arguments, fusions, message):
    with pytest.raises(ValueError, match=message):
        runs(**arguments, fusions=fusions)


@pytest.mark.parametrize(
    ("fusion", "modalities", "count"),
    [("qfl", 256, 3 * 12 * 4), ("control", 16, 3 * 8 * 4), ("lmf", 8, 4 * 32 * 8 * 5 + 4 + 32), ("concat", 4, 0)],
)
def test_counts_are_those_of_the_layers(fusion, modalities, count):
    (spec,) = [s for s in runs(datasets=["parameters"], fusions=[fusion]) if options(s)["modalities"] == modalities]
    result = count_parameters(spec)
    assert (result.status, result.fusion_params, result.metrics["test"]) == (FINISHED, count, {"parameters": count})


def test_a_fusion_that_is_too_large_has_its_count_all_the_same():
    (spec,) = [s for s in runs(datasets=["parameters"], fusions=["tfn"]) if options(s)["modalities"] == 64]
    result = count_parameters(spec)
    assert (result.status, result.metrics, result.fusion_params) == (INTRACTABLE, {}, 32 * 5**64 + 32)


def test_frequencies_of_a_circuit_known_by_hand():
    """Z after two turns by x on one qubit and one by y on another: cos(2x) cos(y)."""
    x, y = sympy.symbols("x y")
    first, second = cirq.LineQubit.range(2)
    circuit = cirq.Circuit(cirq.ry(x)(first), cirq.ry(x)(first), cirq.rx(y)(second))
    operators = (cirq.PauliSum.from_pauli_strings(cirq.Z(first) * cirq.Z(second)),)
    assert largest_frequencies(ModelCircuit(circuit, (x, y), (), operators), np.zeros(0), degree=3) == (2, 3)


def test_the_spectrum_of_a_layer_ends_at_its_degree():
    (spec,) = [s for s in runs(datasets=["spectrum"], seeds=1) if (options(s)["modalities"], s.degree) == (2, 3)]
    assert spectrum(spec).metrics["test"] == {"largest_frequency": 3, "total_degree": 3}


def result(spec):
    """A made-up result, better with more encodings."""
    score = (spec.degree or 3) / 8 + 0.01 * spec.seed
    found = {
        "polynomial": {"r2": score, "r2_bound": 1.0},
        "spectrum": {"largest_frequency": float(spec.degree or 0), "total_degree": float(spec.degree or 0)},
        "discrimination": {"error": 0.5 * abs(1 - score) ** 3, "error_bound": 0.5 * abs(1 - score) ** 3 / 2},
        "parameters": {"parameters": 10.0 * options(spec).get("modalities", 0)},
    }[spec.experiment]
    if spec.experiment == "discrimination" and (spec.degree or 0) >= 6:
        found["error_explicit"] = 0.0
    modalities = options(spec).get("modalities", 2)
    if spec.fusion == "tfn" and modalities > 8:
        return RunResult(spec, INTRACTABLE, modalities, 5**modalities)
    return RunResult(spec, FINISHED, modalities, 10 * modalities, 10 * modalities, {"test": found})


@pytest.fixture(scope="module")
def frame():
    return table3.fold([result(spec) for spec in runs(seeds=2)])


def cells(frame, experiment, fusion, metric, options=None, arguments=None):
    found = frame[(frame["experiment"] == experiment) & (frame["fusion"] == fusion) & (frame["metric"] == metric)]
    return found[(found["options"] == encode(options or {})) & (found["arguments"] == encode(arguments or {}))]


def test_variants_are_cells_of_their_own(frame):
    found = cells(frame, "polynomial", "qfl", "r2", {"degree": 3, "form": "product"})
    assert sorted(found["modalities"]) == [2] * 4 + [3] * 4 + [4] * 4
    found = cells(frame, "polynomial", "qfl", "r2", {"degree": 3, "form": "product"}, {"blocks": 4})
    assert [*zip(found["modalities"], found["degree"], strict=True)] == [(2, 3), (3, 3), (4, 3)]
    coherent = {"uses": "coherent", "queries": 4}
    assert len(cells(frame, "discrimination", "lmf", "error", arguments=coherent)) == 1
    assert set(cells(frame, "discrimination", "qfl", "error_explicit")["degree"]) == {6, 7, 8}


def test_exponents_are_fitted_over_all_sizes_and_stand_at_the_last(frame):
    (row,) = cells(frame, "parameters", "qfl", "growth_exponent").to_dict("records")
    assert (row["modalities"], row["mean"]) == (256, pytest.approx(1))
    assert cells(frame, "parameters", "tfn", "growth_exponent").empty  # it ends before the others


def test_the_page_has_a_figure_for_each_experiment_but_the_exact_one(frame, tmp_path):
    table = table3.TABLE
    written, _ = write_table(frame, tmp_path / "table3", "T", "p", table.figures, table.notes(None), {}, {}, {})
    assert [path.name for path in written[2:-1]] == [
        "table3-polynomial.png",
        "table3-discrimination.png",
        "table3-parameters.png",
    ]
    page = (tmp_path / "table3.md").read_text()
    assert "LMF (queries = 4, uses = coherent)" in page
    assert "1.000" in page


@pytest.mark.parametrize("fusion", ["concat", "qfl"])
def test_some_of_the_fusions_make_a_figure_as_well(frame, fusion):
    assert set(table3.TABLE.figures(frame[frame["fusion"] == fusion], "p", {})) >= {"-polynomial"}


def test_targets_of_any_degree_make_a_figure(frame):
    frame = frame[frame["experiment"] == "polynomial"]
    renamed = frame["options"].str.replace('"degree":5', '"degree":11')
    assert set(table3.TABLE.figures(frame.assign(options=renamed), "p", {})) == {"-polynomial"}
