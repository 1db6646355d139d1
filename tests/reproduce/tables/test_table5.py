"""Table 5: which runs it is made of, how they fold into rows, and its figures; on invented results."""

import dataclasses
import itertools
import math

import numpy as np
import pytest
from scipy import stats

from reproduce.claims.papers import load_papers, verdicts
from reproduce.claims.rows import encode, read_table, read_tables, write_csv
from reproduce.report.page import write_table
from reproduce.sweep.runs import DIVERGED, FINISHED, RunResult
from reproduce.tables import table5
from reproduce.tables.table5.fits import crossing


def runs(profile="default", fusions=None, **arguments):
    return table5.TABLE.specs(table5.TABLE.plan(profile, **arguments), fusions, "tfq")


def invented(spec):
    """A result as it might be: figures have to show it."""
    rng = np.random.default_rng(spec.seed)
    options, arguments = dict(spec.options), dict(spec.arguments)
    qubits = (options.get("modalities", 1) * spec.protocol.features).bit_length() + 1
    scale = arguments.get("scale", 1) / math.pi
    accuracy = 0.9 + 0.01 * rng.normal()
    metrics = {"accuracy": accuracy, "roc_auc": 0.99}
    match spec.experiment:
        case "feature-map-rank":
            metrics = {"rank_outputs": min(spec.protocol.units, 84), "rank_states": 84 if spec.degree == 1 else 255}
        case "encoding":
            lost = min(1.0, scale / (3 if options["inputs"] == "tanh" else 2))
            metrics = {"accuracy": accuracy - 0.7 * lost, "reconstruction_error": lost,
                       "reconstruction_error_untrained": 0.8 * lost, "saturation": 0.25}  # fmt: skip
        case "gradient-variance":
            slope = -0.2 if arguments["initial"] == "small" and "locality" in arguments else -1
            metrics = {"gradient_variance_log2": slope * qubits - 1 + 0.05 * rng.normal()}
        case "noise":
            metrics = {"accuracy@0": accuracy if spec.fusion == "qfl" else 0.7}
            if options["trained"] != "noiseless":
                metrics = {}
            for rate in options["rates"]:
                metrics[f"accuracy@{rate:g}"] = 0.1 + 0.8 * math.exp(-100 * rate * (spec.degree or 1))
        case "device-circuit":
            routed = 1 if options["processor"] == "unrouted" else 2
            metrics = {"two_qubit_gates": 2.0**qubits * spec.degree * routed, "depth": 3.0**qubits * routed}
        case "device":
            metrics = {f"accuracy@{shots}": 0.7 - 2 / math.sqrt(shots) for shots in options["shots"]}
            metrics |= {"accuracy@exact": 0.7, "contraction@exact": 0.3}
    modalities = options.get("modalities", dict(spec.dataset_options).get("channels", 12))
    return RunResult(spec, FINISHED, modalities, fusion_params=10, total_params=100, metrics={"test": metrics})


@pytest.fixture(scope="module")
def frame():
    return table5.fold([invented(spec) for spec in runs()])


def cell(frame, experiment, metric, options=None, fusion="qfl", arguments=None, **where):
    settings = {"options": encode(options or {}), "arguments": encode(arguments or {})}
    chosen = (frame["experiment"] == experiment) & (frame["fusion"] == fusion) & (frame["metric"] == metric)
    for column, value in (settings | where).items():
        chosen &= frame[column] == value
    (found,) = frame[chosen].to_dict("records")
    return found


def test_measurements_are_compared_at_as_many_outputs_as_there_are_single_qubit_paulis():
    specs = [spec for spec in runs() if spec.experiment == "training" and "measurement" in dict(spec.arguments)]
    assert {(spec.dataset, spec.protocol.units) for spec in specs} == {("japanese-vowels", 3 * 7), ("mfeat", 3 * 6)}
    assert {spec.seed for spec in specs} == set(range(20))
    assert len({spec.arguments for spec in specs}) == 5


def test_gradients_go_from_3_to_12_qubits_from_2_to_64_modalities_and_to_p_of_8():
    specs = [spec for spec in runs() if spec.experiment == "gradient-variance"]
    one = {dict(spec.options)["modalities"] for spec in specs if spec.protocol.features == 1}
    assert {size.bit_length() + 1 for size in one} == set(range(3, 13))
    four = {dict(spec.options)["modalities"] for spec in specs if spec.protocol.features == 4}
    assert four == {2, 4, 8, 16, 32, 64}
    assert {spec.degree for spec in specs} == {1, 2, 3, 4, 8}


def test_no_run_is_there_twice():
    specs = runs()
    assert len({spec.id for spec in specs}) == len(specs)


def test_runs_can_be_chosen_by_data_set_experiment_and_fusion():
    specs = runs(datasets=["noise", "device"], fusions=["qfl"], seeds=1)
    assert {(spec.experiment, spec.fusion, spec.seed) for spec in specs} == {("noise", "qfl", 0), ("device", "qfl", 0)}


@pytest.mark.parametrize(
    ("arguments", "fusions", "message"),
    [
        ({"profile": "quick"}, None, "Unknown profile quick.*smoke, default, paper"),
        ({"datasets": ["emoji"]}, None, "Unknown data set or experiment emoji.*japanese-vowels.*device"),
        ({}, ["concat"], "Unknown fusion concat.*qfl, lmf, gcn"),
    ],
)
def test_unknown_names_list_the_known(arguments, fusions, message):
    with pytest.raises(ValueError, match=message):
        runs(**arguments, fusions=fusions)


def test_a_cell_has_the_setting_of_its_experiment_and_the_change_of_its_fusion(frame):
    assert cell(frame, "training", "accuracy", arguments={"entangler": "ring"})["seeds"] == 20
    scale = {"scale": 0.25 * math.pi}
    assert cell(frame, "encoding", "saturation", {"inputs": "linear"}, arguments=scale)["mean"] == 0.25
    paulis = {"locality": 2, "measurement": "random_pauli"}
    ranks = cell(frame, "feature-map-rank", "rank_outputs", {"outputs": 54}, arguments=paulis, degree=1)
    assert (ranks["mean"], ranks["dataset"]) == (54, "")
    setting = {"features": 4, "processor": "weber", "gates": "cz"}
    assert cell(frame, "device-circuit", "depth", setting, degree=2)["seeds"] == 1


def test_a_run_with_noise_becomes_a_row_per_rate_and_one_on_a_device_a_row_per_number_of_shots(frame):
    setting = {"channel": "phase_damping", "rate": 0.003}
    row = cell(frame, "noise", "accuracy", setting, arguments={"trained": "noiseless"}, degree=2)
    assert row["mean"] == pytest.approx(0.1 + 0.8 * math.exp(-0.6))
    assert row["dataset"] == "japanese-vowels"
    assert cell(frame, "noise", "accuracy", {"channel": "none", "rate": 0.0}, "gcn")["mean"] == pytest.approx(0.7)
    rates = {encode({"channel": "depolarizing", "rate": rate}) for rate in (1e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1)}
    for trained in ("noisy", "noisy head"):
        rows = frame[(frame["arguments"] == encode({"trained": trained})) & (frame["metric"] == "accuracy")]
        assert set(zip(rows["options"], rows["degree"], strict=True)) == set(itertools.product(rates, (1, 2, 3)))
    row = cell(frame, "device", "accuracy", {"processor": "rainbow", "shots": 10_000})
    assert row["mean"] == pytest.approx(0.68)
    assert cell(frame, "device", "contraction", {"processor": "weber", "shots": "exact"})["mean"] == pytest.approx(0.3)
    assert frame["mean"].notna().all()


def test_decays_are_fitted_per_seed(frame):
    one, four, uniform = {"features": 1}, {"features": 4}, {"initial": "uniform"}
    row = cell(frame, "gradient-variance", "decay_per_qubit", one, arguments=uniform)
    assert (row["mean"], row["seeds"], row["modalities"]) == (pytest.approx(-1), 3, 2047)
    row = cell(frame, "gradient-variance", "decay_per_qubit", one, arguments={"initial": "small", "locality": 1})
    assert row["mean"] == pytest.approx(-0.2)
    row = cell(frame, "gradient-variance", "exponent_in_modalities", four, arguments=uniform)
    assert (row["mean"], row["modalities"]) == (pytest.approx(-1), 64)  # a qubit per doubling
    row = cell(frame, "gradient-variance", "decay_per_degree", four, arguments=uniform)
    assert (row["mean"], row["degree"]) == (pytest.approx(0), 8)


@pytest.mark.parametrize("trained", ["noiseless", "noisy", "noisy head"])
def test_the_noise_at_break_even_lies_between_the_rates_around_it(frame, trained):
    row = cell(frame, "noise", "break_even_lmf", {"channel": "depolarizing"}, arguments={"trained": trained}, degree=1)
    exact = math.log10(-math.log(0.6 / 0.8) / 100)
    assert row["mean"] == pytest.approx(exact, abs=0.1)
    assert row["seeds"] == 20


def test_break_even_has_the_interval_of_the_rates_at_which_each_seed_falls_to_the_level_of_its_own():
    found, levels = [invented(spec) for spec in runs(datasets=["noise"], seeds=3)], (0.45, 0.5, 0.6)
    for result in found:
        if result.spec.fusion == "lmf":
            result.metrics["test"]["accuracy@0"] = levels[result.spec.seed]
    options, arguments = {"channel": "depolarizing"}, {"trained": "noiseless"}
    row = cell(table5.fold(found), "noise", "break_even_lmf", options, arguments=arguments, degree=1)
    scores = [0.1 + 0.8 * math.exp(-100 * rate) for rate in (1e-2, 3e-3)]
    rates = np.interp(levels, scores, np.log10([1e-2, 3e-3]))
    low, high = stats.t.interval(0.95, 2, rates.mean(), stats.sem(rates))
    assert (row["mean"], row["ci95_low"], row["ci95_high"]) == pytest.approx((rates.mean(), low, high))


@pytest.mark.parametrize(
    ("curve", "expected"),
    [
        ({0.0: 0.9, 1e-3: 0.9, 1e-2: 0.7, 1e-1: 0.1}, -2.5),
        ({0.0: 0.9, 1e-3: 0.8, 1e-2: 0.1}, -3.0),
        ({1e-3: 0.9, 1e-2: 0.7, 1e-1: 0.1}, -2.5),  # trained with noise
        ({0.0: 0.7, 1e-3: 0.9, 1e-2: 0.1}, None),  # below from the beginning
        ({0.0: 0.9, 1e-3: 0.7, 1e-2: 0.1}, None),  # somewhere below the smallest rate
        ({0.0: 0.9, 1e-3: 0.9, 1e-2: 0.8}, None),  # never
    ],
)
def test_the_crossing_of_a_curve_and_a_level(curve, expected):
    found = crossing(curve, 0.8)
    assert found is None if expected is None else found == pytest.approx(expected)


def test_a_diverged_run_is_a_cell_without_a_mean():
    specs = runs(datasets=["noise", "encoding"], seeds=1)
    results = [RunResult(spec, DIVERGED, 6, fusion_params=10, total_params=100) for spec in specs]
    folded = table5.fold(results)
    assert folded["mean"].isna().all()
    assert "break_even_lmf" not in set(folded["metric"])


def test_the_page_has_one_table_per_experiment_and_a_figure_per_part(frame, tmp_path):
    table = table5.TABLE
    written, _ = write_table(frame, tmp_path / "table5", "T", "p", table.figures, table.notes(None), {}, {}, {})
    parts = ("measurement", "circuit", "encoding", "gradients", "noise", "devices")
    assert [path.name for path in written[2:-1]] == [f"table5-{part}.png" for part in parts]
    page = (tmp_path / "table5.md").read_text()
    for experiment in ("feature-map-rank", "encoding", "gradient-variance", "noise", "device-circuit", "device"):
        assert page.count(f"## {experiment}\n") == 1
    assert "| channel = depolarizing, rate = 0.01 " in page
    assert len(read_table(tmp_path / "table5.csv")) == len(frame)


def test_the_claims_on_measurements_and_on_open_questions_are_held_against_the_table(frame, tmp_path):
    write_csv(frame, tmp_path / "table5.csv")
    found = {verdict.claim: verdict for verdict in verdicts(read_tables(tmp_path), load_papers(), {})}
    assert found["Q12"].verdict == "undecided"  # no intervals tell the measurements apart
    assert found["Q14"].verdict == "not comparable"
    assert "Decay per qubit, bits of QFL (P = 3, initial = uniform) on gradient-variance" in found["Q14"].reason


@pytest.mark.parametrize("experiment", ["gradient-variance", "remedies"])
def test_some_of_the_experiments_make_a_figure_as_well(frame, experiment):
    figures = table5.TABLE.figures(frame[frame["experiment"] == experiment], "p", {})
    assert set(figures) == {"-gradients"}


def test_there_are_styles_for_any_number_of_degrees():
    plan = table5.TABLE.plan("smoke", datasets=["noise"])
    plan = dataclasses.replace(plan, degrees=tuple(range(1, 10)))
    frame = table5.fold([invented(spec) for spec in table5.TABLE.specs(plan, ["qfl"], "compiled")])
    assert set(table5.TABLE.figures(frame, "p", {})) == {"-noise"}
