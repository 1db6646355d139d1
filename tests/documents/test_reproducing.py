"""What the documents say of how tables are made, and of their rows beside the findings, is what the tables say."""

import inspect
import itertools
import json
import math
import re

import pandas as pd
import pytest
import sympy

from reproduce.tables import table1, table2, table3, table4, table6
from reproduce.tables.table5 import ablations
from tests.documents.support import (
    TABLES,
    comparisons_of,
    filled,
    holds,
    lines,
    named,
    one_digit,
    qubits,
    row,
    score,
    script_of,
)
from tfq_fusion.circuits import evidence_fusion_circuit, qcnn_circuit, qfl_circuit
from tfq_fusion.datasets.sets.ludb import FOLDS
from tfq_fusion.training import Protocol, resample_scores, statistics


def test_the_summary_of_table_2_is_table_2():
    for label, cells in lines("docs/reproduce.md", "| fusion | ludb, ROC AUC").items():
        fusion, degree = named(label)
        expected = []
        for dataset, metric, sizes, digits in (("ludb", "roc_auc", (3, 12), 3), ("los-loop", "mae", (12, 207), 2)):
            for size in sizes:
                there = fusion != "persistence" or dataset != "ludb"
                expected.append(score(row("table2", dataset, fusion, metric, degree, size), digits) if there else "-")
        gradient = "-"
        if fusion != "persistence":
            gradient = one_digit(10 ** row("table2", "synthetic", fusion, "gradient_norm_log10", degree, 64)["mean"])
        assert cells == [*expected, gradient], label


def test_the_bounds_of_the_derivation_are_those_of_table_3():
    fusions = {"joint": "qfl", "apart, coherent": "uses=coherent", "apart, each measured": "uses=measured"}
    for label, cells in lines("docs/separation.md", "| queries | 1 | 2 |").items():
        fusion = fusions[label.removesuffix(", at least")]
        for queries, text in enumerate(cells, start=1):
            name, degree = (fusion, queries) if fusion == "qfl" else (f"lmf[queries={queries};{fusion}]", None)
            bound = row("table3", "discrimination", name, "error_bound", degree)["mean"]
            assert float(text) == pytest.approx(bound, abs=0.501 * 10 ** -len(text.partition(".")[2])), (label, queries)


@pytest.mark.parametrize(
    ("header", "line", "table", "dataset", "fusion", "metrics"),
    [
        ("traffic-detectors` | part |", "persistence (the last count again)", "table1", "traffic-detectors",
         "persistence", ["mae", "rmse"]),
        ("los-loop`, 207 sensors", "persistence (the last speed again)", "table2", "los-loop",
         "persistence", ["mae", "rmse", "mape"]),
        ("los-loop`, 207 sensors", "historical average (by time of day)", "table2", "los-loop",
         "historical-average", ["mae", "rmse", "mape"]),
    ],
)  # fmt: skip
def test_forecasts_without_a_model_are_those_of_the_tables(header, line, table, dataset, fusion, metrics):
    # The last line of that name: on the test part.
    cells = [cell.removesuffix(" %") for cell in lines("docs/data.md", f"| `{header}")[line]]
    figures = [cell for cell in cells if re.fullmatch(r"[\d.]+", cell)][: len(metrics)]
    for text, metric in zip(figures, metrics, strict=True):
        digits = len(text.partition(".")[2])
        assert float(text) == pytest.approx(row(table, dataset, fusion, metric)["mean"], abs=0.501 * 10**-digits)


DOWNLOADED = lines(
    "docs/data.md", "| name | modalities | task | train / validation / test | split | licence | download |"
)


@holds("docs/reproduce.md")
def test_the_documents_say_what_qfl_takes_and_would_take_on_the_sets_that_were_not_here():
    assert TABLES["table2"].query("metric == 'peak_memory_mb'")["mean"].max() < 5000
    yield filled(
        "QFL over 207 sensors took {2/los-loop#207/qfl@3/seconds_per_epoch/.1f} s per epoch on two busy cores, and no "
        "process held more than 5 GB"
    )

    def training_samples(name):
        return int(DOWNLOADED[f"`{name}`"][2].split(" / ")[0].replace(",", ""))

    ecg, traffic = (training_samples(one) / training_samples(other) for one, other in
                    (("ptb-xl", "ludb"), ("metr-la", "los-loop")))  # fmt: skip
    on_ecg = ecg * row("table2", "ludb", "qfl", "seconds_per_epoch", 3, 12)["mean"]
    on_traffic = traffic * row("table2", "los-loop", "qfl", "seconds_per_epoch", 3, 207)["mean"]
    paper = table2.PROFILES["paper"]
    tuning = len(paper.protocol.learning_rates) * paper.protocol.tuning_seeds
    hours = [(paper.seeds + tuning) * protocol.epochs * seconds / 3600
             for protocol, seconds in ((paper.protocol, on_ecg), (paper.forecasts, on_traffic))]  # fmt: skip
    yield f"with {ecg:.0f} times the training records of LUDB, takes QFL on 12 leads some {on_ecg:.0f} s per epoch"
    yield f"with {traffic:.0f} times the windows of Los-loop, {on_traffic:.0f} s on 207 sensors"
    yield f"{hours[0]:.0f} and {hours[1]:.0f} hours of one core"
    yield f"none of the {paper.seeds} seeds and {tuning} trainings of tuning stops early"


@holds("docs/reproduce.md")
def test_the_documents_say_how_large_the_downloads_are():
    for name, sentence in (
        ("ptb-xl", "`make data DATASET=ptb-xl` ({}, and "), ("metr-la", "`make data DATASET=metr-la` ({})"),
        ("mnist", "`make data DATASET=mnist` ({})"), ("cifar-10", "`make data DATASET=cifar-10` ({})"),
    ):  # fmt: skip
        size = float(DOWNLOADED[f"`{name}`"][-1].removesuffix(" MB"))
        yield sentence.format(f"{size:.0f} MB")


@holds("docs/reproduce.md")
def test_the_documents_say_how_long_table_2_took():
    rows = TABLES["table2"].query("metric in ('roc_auc', 'mae', 'gradient_norm_log10')")
    runs = rows["seeds"] * rows["dataset"].map(lambda name: FOLDS if name == "ludb" else 1)
    minutes = rows["train_seconds"].fillna(0) * runs / 2 / 60
    away = rows["dataset"].isin(["ludb", "los-loop"])
    yield f"has {runs.sum():,} runs, which by the times in their rows took {minutes.sum():.0f} minutes on two cores"
    yield f"without these two sets {minutes[~away].sum():.0f}"
    diverged = row("table2", "los-loop", "mfb", "diverged", None, 207)["mean"]
    yield f"MFB diverged in {100 * diverged:.0f} % of its runs on 207 sensors"


@holds("docs/reproduce.md")
def test_the_documents_say_how_long_table_6_took():
    rows = TABLES["table6"].query("metric in ('accuracy', 'mae')")
    rows = rows[~rows["options"].str.contains("each in turn")]
    minutes = (rows["train_seconds"] * rows["seeds"]).sum() / 2 / 60
    yield f"{rows['seeds'].sum():,} runs, which by the times in their rows took {minutes:.0f} minutes on two"
    yield f"Comparing {len(comparisons_of('table6'))} pairs"


@pytest.mark.parametrize(
    ("header", "profiles", "settings"),
    [
        ("data sets | seeds | epochs | patience | learning rates", table1.PROFILES, lambda profile: {
            1: profile.seeds, 2: profile.protocol.epochs, 3: profile.protocol.patience,
            4: ", ".join(map(str, profile.protocol.learning_rates)), 5: profile.protocol.tuning_seeds,
            6: len(table1.TABLE.specs(profile)),
        }),
        ("data sets | seeds | epochs, classes", table2.PROFILES, lambda profile: {
            1: profile.seeds, 2: profile.protocol.epochs, 3: profile.forecasts.epochs,
        }),
        ("seeds | of polynomials", table3.PROFILES, lambda profile: {
            0: profile.seeds, 1: profile.searches, 2: profile.starts, 3: profile.qfl_starts,
        }),
        ("data sets | seeds | epochs | epochs, `mfeat`", table4.PROFILES, lambda profile: {
            1: profile.seeds, 2: profile.protocol.epochs, 3: profile.few_shot.epochs, 4: profile.samples,
        }),
        ("seeds | epochs | epochs with noise", ablations.PROFILES, lambda profile: {
            0: profile.trained_seeds, 1: profile.protocol.epochs, 2: profile.noisy_epochs, 3: profile.seeds,
            4: profile.short.epochs, 5: profile.draws,
        }),
        ("data sets | seeds | epochs | patience | training samples", table6.PROFILES, lambda profile: {
            1: profile.seeds, 2: profile.protocol.epochs, 3: profile.protocol.patience, 5: profile.draws,
        }),
    ],
)  # fmt: skip
def test_profiles_have_the_settings_that_the_protocol_says(header, profiles, settings):
    for name, cells in lines("docs/protocol.md", f"| profile | {header}").items():
        for column, value in settings(profiles[name.strip("`")]).items():
            assert cells[column] in ("-", "all") or cells[column].replace(",", "") == str(value).replace(",", "")


def test_fusions_have_the_weights_that_the_protocol_says():
    table = lines("docs/protocol.md", "| name | what it is | trained weights |\n")
    said = {name.strip("`"): cells[-1] for name, cells in table.items()}
    for found in TABLES["table2"].drop_duplicates(["fusion", "degree", "modalities"]).to_dict("records"):
        formula, modalities, features = said[found["fusion"]], int(found["modalities"]), Protocol().features
        if formula.startswith("as "):
            formula = said[formula.split("`")[1]]
        product = re.sub(r"(?<=[\w)]) (?=[\w(])", " * ", formula.replace(",", ""))
        sizes = {"M": modalities, "D": features, "n": qubits(modalities, features)}
        sizes |= {} if pd.isna(found["degree"]) else {"P": int(found["degree"])}
        assert sympy.sympify(product, sizes) == found["fusion_params"], found


def first_scores(table):
    """The rows of a table with the first metric of each data set: one of each cell."""
    frame = TABLES[table]
    return frame[frame["metric"].isin(["accuracy", "mae"])]


@holds("docs/protocol.md")
def test_the_protocol_says_by_how_little_a_learning_rate_was_chosen():
    cell = row("table1", "mfeat", "qfl", "accuracy", degree=3)
    losses = json.loads(cell["tuning"])
    rate = f"{cell['learning_rate']:g}"
    yield f"a rate of {rate} that had a validation loss of {losses[rate]:.3f} where 0.005 had {losses['0.005']:.3f}"


@holds("docs/reproduce.md")
def test_the_documents_count_the_trainings_of_table_1():
    rows = first_scores("table1")
    trained = rows[rows["fusion"].ne("persistence") & rows["mean"].notna()]
    tuning = table1.PROFILES["default"].protocol
    of_tuning = len(trained) * len(tuning.learning_rates) * tuning.tuning_seeds
    reported = int(trained["seeds"].sum())
    yield f"The default profile, {reported + of_tuning:,} trainings of which {reported:,} are reported"


@holds("docs/reproduce.md")
def test_the_documents_count_the_comparisons_of_table_1():
    yield f"All of Table 1 with 20 seeds makes {len(comparisons_of('table1'))} comparisons."


@holds("docs/statistics.md")
def test_the_documents_say_how_many_seeds_and_sets_comparisons_need():
    count = len(comparisons_of("table1"))
    fewest = next(seeds for seeds in range(1, 50) if 2 / 2**seeds * count < 0.05)
    yield f"All of Table 1 makes {count}, so at least {fewest} seeds."
    sets = next(sets for sets in range(1, 50) if 2 / 2**sets * 45 < 0.05)
    assert sets == 11
    yield "45 pairs of ten fusions with fewer than eleven data sets"


@holds("docs/statistics.md")
def test_the_rules_of_comparisons_are_those_of_their_code():
    margin, level, few = statistics.MARGIN, statistics.LEVEL, statistics.FEWEST_SEEDS - 1
    yield f"within ±{margin} of accuracy or ROC AUC, or within ±{100 * margin:.0f} % of the baseline's mean MAE"
    yield f"p after Holm's correction is below {level},"
    yield f"the least p of the test is 2 / 2^{few} = {2 / 2**few} with five"
    yield f"Up to {statistics.EXACT_SEEDS} seeds it is exact"
    yield f"there being a difference is at most {100 * level:.0f} %"
    resamples = inspect.signature(resample_scores).parameters["resamples"].default
    yield f"A two-way bootstrap of {resamples:,} resamples"
    yield f"percentiles of the {resamples:,} differences"
    yield f"{script_of('measure_coverage').REPETITIONS:,} simulations each"


@holds("docs/reproduce.md")
def test_the_documents_count_the_networks_of_table_4():
    assert set(first_scores("table4")["seeds"]) == {20}
    yield f"20 seeds of {len(first_scores('table4'))} networks"


@holds("docs/separation.md")
def test_the_sentences_of_the_separation_have_the_bound_of_its_table():
    yield f"err in {row('table3', 'discrimination', 'qfl', 'error_bound', 5)['mean']:.5f} of the cases"


@holds("docs/separation.md")
def test_a_ring_has_the_automorphisms_that_the_page_says():
    def bonds(order):
        return {frozenset(bond) for bond in zip(order, (*order[1:], order[0]), strict=True)}

    orders = list(itertools.permutations(range(4)))
    yield f"where {sum(bonds(order) == bonds(range(4)) for order in orders)} of the {len(orders)} orders"


@holds("docs/layers.md")
def test_the_sizes_of_circuits_are_those_that_the_page_says():
    twelve, many = (
        len(qfl_circuit(modalities=modalities, features=4, degree=1).circuit.all_qubits()) for modalities in (12, 207)
    )
    yield f"12 modalities of 4 features take {twelve} qubits, 207 take {many}."
    weights = row("table4", "growth", "qmfnn", "fusion_growth", None, 2)["fusion_params"]
    yield f"12 qubits; fusion and QCNN have {weights:.0f} weights"


@holds("docs/evidence.md")
def test_the_circuit_of_evidence_has_the_size_that_the_page_says():
    two, six = (evidence_fusion_circuit(modalities, 4) for modalities in (2, 6))
    qubits = [len(spec.circuit.all_qubits()) for spec in (two, six)]
    block = len(evidence_fusion_circuit(6, 4, convolution=None).weight_symbols)
    yield f"tell up to {2**4} classes apart, need {qubits[0]} qubits for two modalities and {qubits[1]} for six"
    yield f"although the number of weights is {block}."
    yield f"convolution of {len(qcnn_circuit(2).weight_symbols) - 2} weights, pooling of 2, shared"


@holds("docs/qcnn.md")
def test_convolutional_networks_have_the_weights_that_the_page_says():
    counts = [len(qcnn_circuit(8, convolution).weight_symbols) for convolution in ("su4", "tutorial")]
    yield f"| weights on 8 qubits | 3 * (15 + 2) = {counts[0]} | 3 * (15 + 6) = {counts[1]} |"


@holds("docs/protocol.md")
def test_a_processor_s_circuit_has_the_gates_that_the_page_says():
    from reproduce.experiments.processors.processors import compile_for

    circuit = qfl_circuit(3, 2, 1, hardware=True).circuit
    (open_angles,) = {compile_for(circuit, name, "sqrt_iswap").two_qubit_gates for name in ("rainbow", "weber")}
    (numbers,) = {
        row("table5", f"device-circuit[features=2;gates=sqrt_iswap;processor={name}]", "qfl", "two_qubit_gates", 1, 3)[
            "mean"
        ]
        for name in ("rainbow", "weber")
    }
    compiled = f"compiled with numbers, has {numbers:.0f};"
    yield f"so that it has {open_angles} square-root iSWAPs where that of `device-circuit`, {compiled}"


@holds("docs/protocol.md")
def test_the_circuit_of_evidence_has_the_qubits_that_the_protocol_says():
    qubits = [len(evidence_fusion_circuit(modalities, 4).circuit.all_qubits()) for modalities in (2, 3, 6)]
    yield f"The circuit has {qubits[0]}, {qubits[1]} and {qubits[2]} qubits for 2, 3 and 6 modalities"


@holds("docs/protocol.md")
def test_the_protocol_has_the_settings_of_its_prose():
    protocol = Protocol()
    yield f"ends in D = {protocol.features} units with tanh per modality"
    yield f"a head Dense({protocol.head}, ReLU)"
    yield f"A vector goes through Dense({protocol.hidden}, ReLU)"
    yield f"from {table1.PROFILES['default'].seeds} other seeds: Adam, batches of {protocol.batch_size},"
    yield f"{table4.PROFILES['default'].samples:,} photographs are few"
    yield f"| scale {min(ablations.SCALES)} to {max(ablations.SCALES):g} times pi;"
    yield f"{one_digit(min(ablations.RATES))} to {max(ablations.RATES)} after every gate"
    yield f"`remedies` and `device` have one learning rate, {protocol.learning_rates[0]}."


def minutes(table):
    """The minutes that the runs of a table took on two cores, by the times in their rows."""
    cell = ["experiment", "dataset", "options", "modalities", "fusion", "degree", "arguments"]
    cells = TABLES[table].dropna(subset="train_seconds").drop_duplicates(cell)
    return f"{(cells['train_seconds'] * cells['seeds']).sum() / 2 / 60:.0f} minutes on two"


@holds("docs/reproduce.md")
def test_the_documents_say_how_long_the_other_tables_took():
    yield f"are reported, took by the times in their rows {minutes('table1')}"
    yield f"By the times in its rows, Table 3 took {minutes('table3')}"
    yield f"each tuned, took by the times in their rows {minutes('table4')}"


@pytest.mark.slow
@pytest.mark.parametrize(("seeds", "simulations"), [(3, 1000), (6, 150), (10, 150), (20, 150)])
def test_intervals_cover_the_truth_as_often_as_the_page_says(seeds, simulations, monkeypatch):
    script = script_of("measure_coverage")
    monkeypatch.setattr(script, "REPETITIONS", simulations)
    said = lines("docs/statistics.md", "| seeds | seeds alone |")[f"{seeds}"]
    for text, part in zip(said, script.parts(seeds), strict=True):
        for share, found in zip(map(int, text.split(" / ")), script.cover(seeds, *part), strict=True):
            # Of the page's 1,000 simulations the first: four standard deviations of the difference, and of rounding.
            spread = math.sqrt(max(share * (100 - share), 99) * (1 / simulations - 1 / 1000))
            assert 100 * found == pytest.approx(share, abs=4 * spread + 0.51)


CHANGES = lines("docs/protocol.md", "| change | japanese-vowels | mfeat |")


@pytest.mark.slow
@pytest.mark.parametrize("change", CHANGES)
def test_changes_of_defaults_score_as_the_protocol_says(change):
    script = script_of("choose_defaults")
    (settings,) = (each for each in script.CHANGES if script.label(each) == change)
    for name, cell in zip(("japanese-vowels", "mfeat"), CHANGES[change], strict=True):
        scores = [script.validate((name, settings, seed, "compiled")) for seed in range(2)]
        means = [sum(each[metric] for each in scores) / 2 for metric in ("accuracy", "roc_auc")]
        # Another processor rounds otherwise: two of the 54 utterances may fall to the other side.
        assert [*map(float, re.findall(r"\d\.\d+", cell))] == pytest.approx(means, abs=0.04)
