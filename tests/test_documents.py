"""Every figure of the documentation that comes from a result is the one that stands in results/*.csv."""

import math
import os
import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from bench.engines import ENGINES
from reproduce.claims.comparisons import parse_comparisons
from reproduce.claims.rows import FUSIONS, Place, decode, from_csv, read_tables
from reproduce.experiments.registry import backend_of
from reproduce.report.readme import quoted
from reproduce.tables import table1, table2
from reproduce.tables.table import find
from tfq_fusion.datasets.sets.ludb import FOLDS
from tfq_fusion.layers import QuantumFusionLayer

ROOT = Path(__file__).resolve().parents[1]


def committed_tables():
    """The tables that the documents were written from: a table that was made since, here, may differ.

    Another processor rounds otherwise, and `make reproduce-table1` is to leave `make test` as it was.
    """
    tables = read_tables(ROOT / "results")
    texts = {name: committed(f"{name}.csv") for name in tables}
    return {name: addressed(from_csv(text, name) if text else tables[name]) for name, text in texts.items()}


def committed(name):
    """The text of a committed results file; None outside a checkout."""
    shown = subprocess.run(["git", "-C", str(ROOT), "show", f"HEAD:results/{name}"], capture_output=True, check=False)
    return shown.stdout.decode() if shown.returncode == 0 else None


def addressed(frame):
    """The frame with the settings of each cell in brackets behind its data set or experiment, and behind its fusion."""
    places = [bracketed(Place.of(row).name, row["options"]) for row in frame.to_dict("records")]
    fusions = [bracketed(row["fusion"], row["arguments"]) for row in frame.to_dict("records")]
    return frame.assign(dataset=places, fusion=fusions)


def bracketed(name, settings):
    """A name and its settings, such as "qfl[blocks=2;scale=0.5pi]"."""
    values = {key: f"{value / math.pi:g}pi" if key == "scale" else value for key, value in decode(settings).items()}
    return name + ("[" + ";".join(f"{key}={value}" for key, value in values.items()) + "]" if values else "")


TABLES = committed_tables()
BENCH = pd.read_csv(ROOT / "results" / "bench.csv")


def row(table, dataset, fusion, metric, degree=None, modalities=None):
    """The one row of a table; with the most modalities unless their number is given."""
    frame = TABLES[table]
    frame = frame[(frame["dataset"] == dataset) & (frame["fusion"] == fusion) & (frame["metric"] == metric)]
    frame = frame[frame["degree"].isna() if degree is None else frame["degree"] == degree]
    (found,) = frame[frame["modalities"] == (modalities or frame["modalities"].max())].to_dict("records")
    return found


def score(found, digits):
    """A mean with half of its interval, as the documents write it."""
    half = "" if pd.isna(found["ci95_low"]) else f" ± {(found['ci95_high'] - found['ci95_low']) / 2:.{digits}f}"
    return f"{found['mean']:.{digits}f}{half}"


def power(exponent):
    """A power of ten to one digit, such as 4e-2."""
    return re.sub(r"e([+-])0", r"e\1", f"{10**exponent:.0e}")


def lines(document, header):
    """The cells of the pipe table that begins with this header, by the first cell of each line."""
    text = (ROOT / document).read_text(encoding="utf-8")
    table = text[text.index(header) :].split("\n\n")[0].splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in table]
    return {first: rest for first, *rest in cells[2:]}


def named(label):
    """Fusion and degree of a label such as "QFL, P = 3"."""
    name, _, degree = label.partition(", P = ")
    return next(fusion for fusion, caption in FUSIONS.items() if caption == name), int(degree) if degree else None


@pytest.mark.parametrize("document", ["README.md", *(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md"))])
def test_links_lead_somewhere(document):
    text = (ROOT / document).read_text(encoding="utf-8")
    targets = re.findall(r"\]\((?!https?://|#)([^)#]+)", text)
    assert not [target for target in targets if not (ROOT / document).parent.joinpath(target).exists()]


def test_the_readme_quotes_table_1_as_it_stands():
    csv = ROOT / "results" / "table1.csv"
    assert quoted(read_tables(csv.parent)["table1"], csv) == {ROOT / "README.md": (ROOT / "README.md").read_bytes()}


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
            gradient = power(row("table2", "synthetic", fusion, "gradient_norm_log10", degree, 64)["mean"])
        assert cells == [*expected, gradient], label


def test_the_speed_of_layers_is_that_of_their_benchmark():
    layers = pd.read_csv(ROOT / "results" / "bench-layers.csv").set_index(["contender", "workload"])

    def seconds(contender, epochs):
        found = [layers.loc[(contender, name), epochs] for name in ("qfl-n5", "qfl-n8")]
        return ", ".join(f"{each:#.2g}".rstrip(".") + " s" for each in found)

    text = prose("docs/backends.md")
    for title, epochs in (("first epoch of 256 samples, QFL, 5 and 8 qubits", "first_s"), ("later epochs", "later_s")):
        cells = [seconds(backend, epochs) for backend in ("tensorflow", "jax", "torch")]
        assert " | ".join([f"| {title}", *cells]) in text
    for said, contender in (("by hand, takes", "keras3-layer-diagonal"), ("TensorFlow Quantum", "tfq")):
        assert f"{said} {seconds(contender, 'first_s')} and then {seconds(contender, 'later_s')}" in text


def test_the_summary_of_the_benchmark_is_that_of_the_benchmark():
    workloads = ["qfl-n5", "qfl-n6", "qfl-n8-b32", "qfl-n8", "qfl-n11", "qcnn-n8", "qcnn-n12", "random-n16"]
    found = lines("docs/engine.md", "| circuit | compiled | TensorFlow Quantum |")
    for workload, (label, cells) in zip(workloads, found.items(), strict=True):
        times = BENCH[(BENCH["workload"] == workload) & (BENCH["status"] == "ok")].set_index("engine")["median_ms"]
        rewritten = times[times.index.str.endswith("-diagonal")]
        written = times[[name for name in times.index if ENGINES[name].peer and name not in rewritten]]
        expected = [times["compiled"], times["tfq"], written.min(), rewritten.min()]
        for text, milliseconds in zip(cells, expected, strict=True):
            if text == "-":
                assert pd.isna(milliseconds), label
                continue
            numbers = re.findall(r"[\d.,]+", text)
            ratio = milliseconds / times["compiled"]
            for number, value in zip(numbers, [milliseconds, ratio], strict=False):
                digits = len(number.partition(".")[2])
                assert float(number.replace(",", "")) == pytest.approx(value, abs=0.501 * 10**-digits), (label, text)


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


PLACEHOLDER = re.compile(r"\{([^{}]+)\}")


def figure(place):
    """A figure by "table/data set#modalities/fusion@degree/metric.column/form"; with the most modalities, the mean."""
    name, *rest = place.split("/")
    if name in SPANS:
        return " to ".join(dict.fromkeys(f"{end:{rest[0]}}" for end in (SPANS[name].min(), SPANS[name].max())))
    table, (dataset, fusion, metric, form) = name, rest
    dataset, _, modalities = dataset.partition("#")
    fusion, _, degree = fusion.partition("@")
    metric, _, column = metric.partition(".")
    found = row(f"table{table}", dataset, fusion, metric, int(degree) if degree else None, int(modalities or 0) or None)
    value = found[column or "mean"]
    match form:
        case "interval":
            return f"[{found['ci95_low']:.2f}, {found['ci95_high']:.2f}]"
        case "lost":
            return f"{-value:.2f}"
        case "lost, interval":
            return f"[{-found['ci95_high']:.2f}, {-found['ci95_low']:.2f}]"
        case "10^":
            return power(value)
        case "2^":
            return power(value * math.log10(2))
        case "%":
            return f"{100 * value:.0f} %"
        case "points":
            return f"{100 * value:.1f}"
        case "±2" | "±3":
            return score(found, int(form[1]))
    return f"{value:{form}}"


def rows(table, dataset, fusion, metric):
    """The rows whose data set and fusion match these patterns, each option of the data set in a column of its own."""
    frame = TABLES[table]
    frame = frame[frame["dataset"].str.fullmatch(dataset) & frame["fusion"].str.fullmatch(fusion)]
    frame = frame[frame["metric"] == metric].reset_index(drop=True)
    return frame.join(pd.DataFrame(list(frame["options"].map(decode))).add_prefix("option_"))


def best_fits():
    """The highest R² of QFL with P at least the degree, whatever P and blocks, by modalities, degree and form."""
    fits = rows("table3", "polynomial.*", r"qfl(\[blocks=\d\])?", "r2")
    fits["option_degree"] = fits["option_degree"].astype(int)
    enough = fits[fits["degree"] >= fits["option_degree"]]
    return enough.groupby(["modalities", "option_degree", "option_form"])["mean"].max()


def fits_of_products():
    """R² of the tensor fusions on products of distinct modalities."""
    fits = rows("table3", "polynomial.*form=product.*", "tfn|lmf", "r2")
    return fits[fits["option_degree"].astype(int) <= fits["modalities"]]["mean"]


def cost_of_routing():
    """How many times the two-qubit gates each processor needs."""
    gates = rows("table5", r"device-circuit.*gates=sqrt_iswap.*", "qfl", "two_qubit_gates")
    counts = gates.pivot_table("mean", ["modalities", "degree"], "option_processor")
    return counts.drop(columns="unrouted").div(counts["unrouted"], axis=0).stack()


SPANS = {
    "angles": rows("table5", r"encoding\[inputs=tanh\]", r"qfl\[scale=(0.25|0.5|1)pi\]", "accuracy")["mean"],
    "circuits": rows("table5", "japanese-vowels", r"qfl(\[(entangler|blocks)=\w+\]|\[signal=rx\])?", "accuracy")[
        "mean"
    ],
    "distinct": fits_of_products(),
    "routing": cost_of_routing(),
}
"""Values of which the smallest and the largest are told, as "name/form"."""


NOISELESS, HEAD, RANKED = "qfl[trained=noiseless]", "qfl[trained=noisy head]", "5/feature-map-rank[outputs=255]"
VOWELS, LEADS, ROAD = "1/japanese-vowels", "2/ludb", "2/los-loop"
MEASURED = "5/japanese-vowels/qfl[measurement={}]@3/accuracy/±3"
FOURTH, FIFTH = "3/polynomial[degree=4;form=product]", "3/polynomial[degree=5;form=sum]"
PRODUCT, SPEECH, NOISE = "3/polynomial[degree=3;form=product]", "5/japanese-vowels", "5/noise[channel=depolarizing"
ROADS = "{6/traffic-detectors[samples="
FINDINGS = [
    f"QFL (P = 3) with {{{VOWELS}/qfl@3/accuracy.fusion_params/d}} weights reaches {{{VOWELS}/qfl@3/accuracy/±3}} acc",
    f"where Concat has {{{VOWELS}/concat/accuracy/±3}}.",
    f"as many weights has {{{VOWELS}/control@3/accuracy/±3}} there",
    f"{ROADS}20]/qfl@3/mae/.2f}} vehicles where Concat is by {ROADS}20]/concat/mae/.2f}}, the control by "
    f"{ROADS}20]/control@3/mae/.2f}} and Gated by {ROADS}20]/gated/mae/.2f}}; on 160 by {ROADS}160]/qfl@3/mae/.2f}} "
    f"where Concat is by {ROADS}160]/concat/mae/.2f}} and the control by {ROADS}160]/control@3/mae/.2f}}: *better*",
    f"have {ROADS}20]/gcn/mae/.2f}} and {ROADS}20]/lmf-unit/mae/.2f}} with 20 windows: *undecided*",
    "With 20 of speech it has {6/japanese-vowels[samples=20]/qfl@3/accuracy/.3f} where Concat has "
    "{6/japanese-vowels[samples=20]/concat/accuracy/.3f}, with 20 of digits "
    "{6/mfeat[samples=20]/qfl@3/accuracy/.3f} where Concat has {6/mfeat[samples=20]/concat/accuracy/.3f} (",
    "it has {6/mnist[missing=each in turn]/qfl@3/accuracy/.3f} where Concat has "
    "{6/mnist[missing=each in turn]/concat/accuracy/.3f}, and {6/mnist/qfl@3/accuracy/.3f} against "
    "{6/mnist/concat/accuracy/.3f} with both",
    f"LMF falls from {{{LEADS}#3/lmf/roc_auc/.3f}} to {{{LEADS}#12/lmf/roc_auc/.3f}} ROC AUC",
    f"QFL (P = 3) stays at {{{LEADS}#3/qfl@3/roc_auc/.3f}} and {{{LEADS}#12/qfl@3/roc_auc/.3f}} (Table 2, ludb)",
    "LMF's gradient is {2/synthetic#64/lmf/gradient_norm_log10/10^} at 64 modalities, QFL's "
    "{2/synthetic#64/qfl@3/gradient_norm_log10/10^}",
    "TFN and LMF of QFL's size have R² = {distinct/.2f} there up to degree 4",
    "Routing multiplies square-root iSWAPs by {routing/.1f}; 12 modalities",
    f"LMF has {{{LEADS}#12/lmf-unit/roc_auc/.3f}} on 12 leads",
    f"207 sensors take {{{ROAD}#207/qfl@3/mae.fusion_params/d}} weights",
    f"the forecast that nothing changes, {{{ROAD}#207/persistence/mae/.2f}} mph",
    f"degree 4, product, four modalities: {{{FOURTH}#4/qfl[blocks=2]@4/r2/.2f}} with two blocks and below zero",
    f"sums: of degree 5 over three modalities ({{{FIFTH}#3/qfl[blocks=4]@5/r2/.3f}}), of degree 3 and 5 over four "
    f"({{3/polynomial[degree=3;form=sum]#4/qfl@4/r2/.3f}} and {{{FIFTH}#4/qfl[blocks=2]@5/r2/.3f}}; Table 3",
    "it has R² of {3/polynomial[degree=1;form=sum]#4/gcn/r2/.2f} on a sum, "
    "{3/polynomial[degree=1;form=product]#4/gcn/r2/.2f} on one of four",
    f"two modalities: {{{PRODUCT}#2/tfn/r2/.2f}} against {{{PRODUCT}#2/qfl@3/r2/.2f}})",
    "at every number of queries: {3/discrimination/qfl@5/error/.4f} at five",
    "measured by itself**: {3/discrimination/lmf[queries=6;uses=measured]/error/.2f} at six queries",
    "({3/discrimination/lmf[queries=5;uses=coherent]/error/.3f} against {3/discrimination/qfl@5/error/.4f} at five)",
    "{3/parameters#2/qfl@3/parameters/.0f} to {3/parameters#256/qfl@3/parameters/.0f} from 2 to 256",
    "fitted exponent {3/parameters#256/qfl@3/growth_exponent/.2f}); LMF's and MFB's linearly "
    "({3/parameters#256/lmf/growth_exponent/.2f})",
    "reaches {4/mfeat#2/qmfnn[hidden=32]/accuracy/.3f} on two views of digits with "
    "{4/mfeat#2/qmfnn[hidden=32]/accuracy.total_params/,d} parameters",
    "the leanest classical network of that accuracy has {4/mfeat#2/qmfnn[hidden=32]/parameter_ratio/.2f} times as many",
    "it is {4/emoji/qmfnn[hidden=32]/parameter_ratio/.2f}, {4/mnist/qmfnn[hidden=128]/parameter_ratio/.2f} and "
    "{4/cifar-10/qmfnn[hidden=32]/parameter_ratio/.2f} times as many",
    "have {4/mfeat#6/mean[hidden=8]/accuracy/.3f} to {4/mfeat#6/product[hidden=8]/accuracy/.3f} where QMFNN has "
    "{4/mfeat#6/qmfnn[hidden=8]/accuracy/.3f}",
    "{4/growth#2/qmfnn/fusion_growth.fusion_params/d} weights at 2 modalities, "
    "{4/growth#6/qmfnn/fusion_growth.fusion_params/d} at 6",
    "with 8 hidden units is {4/emoji/qmfnn[hidden=8]/accuracy.std/points} points on emoji and "
    "{4/mfeat#2/qmfnn[hidden=8]/accuracy.std/points} on mfeat",
    f"Pauli planes have {{{MEASURED.format('pauli_plane')}}}, the computational basis "
    f"{{{MEASURED.format('computational')}}}, random Pauli strings {{{MEASURED.format('random_pauli')}}} (Table 5",
    "mfeat {5/mfeat/qfl[measurement=pauli_plane]@3/accuracy/±3}, "
    "{5/mfeat/qfl[measurement=computational]@3/accuracy/±3} and "
    "{5/mfeat/qfl[measurement=random_pauli]@3/accuracy/±3} (Table 5, mfeat",
    "{4/mfeat#2/qmfnn[hidden=8]/accuracy.fusion_params/d} fusion weights where TFN has "
    "{4/mfeat#2/tfn[hidden=8]/accuracy.fusion_params/d} and LMF {4/mfeat#2/lmf[hidden=8]/accuracy.fusion_params/d}.",
    f"on two qubits end at rank {{{RANKED}/qfl[measurement=pauli_plane]@3/rank_outputs/.0f}}, on four at "
    f"{{{RANKED}/qfl[locality=4;measurement=pauli_plane]@3/rank_outputs/.0f}}, the computational basis at "
    "{5/feature-map-rank[outputs=15]/qfl[measurement=computational]@3/rank_outputs/.0f} (",
    f"span no more than {{{RANKED}/qfl[measurement=random_pauli]@1/rank_states/.0f}} dimensions",
    "error goes from {5/encoding[inputs=tanh]/qfl[scale=0.5pi]@2/reconstruction_error/.2f} at 0.5 pi to "
    "{5/encoding[inputs=tanh]/qfl[scale=4pi]@2/reconstruction_error/.2f} at 4 pi",
    "with small angles, {5/encoding[inputs=linear]/qfl[scale=0.1pi]@2/accuracy/.3f} at 0.1 pi",
    "accuracy is {angles/.2f}; at 2 pi it is {5/encoding[inputs=tanh]/qfl[scale=2pi]@2/accuracy/.2f} and at 4 pi "
    "{5/encoding[inputs=tanh]/qfl[scale=4pi]@2/accuracy/.2f}",
    "rotations about z do worse**: {circuits/.3f} with any entangler, number of blocks and rotations about x or y, "
    "{5/japanese-vowels/qfl[signal=rz]@3/accuracy/±3} about z",
    "loses {5/gradient-variance[features=1]/qfl[initial=uniform]@3/decay_per_qubit/lost} bits per qubit "
    "{5/gradient-variance[features=1]/qfl[initial=uniform]@3/decay_per_qubit/lost, interval}",
    "exponent {5/gradient-variance[features=4]/qfl[initial=uniform]@3/exponent_in_modalities/.2f} "
    "{5/gradient-variance[features=4]/qfl[initial=uniform]@3/exponent_in_modalities/interval} from 2 to 64",
    "the variance is {5/gradient-variance[features=4]#64/qfl[initial=uniform]@3/gradient_variance_log2/2^} (",
    "between 1 and 8: {5/gradient-variance[features=4]#8/qfl[initial=uniform]@8/decay_per_degree/.2f} bits per P "
    "{5/gradient-variance[features=4]#8/qfl[initial=uniform]@8/decay_per_degree/interval}",
    "{5/gradient-variance[features=1]/qfl[initial=small;locality=1]@3/decay_per_qubit/lost} bits per qubit instead of "
    "{5/gradient-variance[features=1]/qfl[initial=uniform]@3/decay_per_qubit/lost}",
    "they hurt ({5/gradient-variance[features=1]/qfl[initial=small]@3/decay_per_qubit/lost}, init",
    "uniform {5/remedies/qfl[blocks=2;initial=uniform]@3/accuracy/.3f}, identity blocks "
    "{5/remedies/qfl[blocks=2;initial=identity]@3/accuracy/.3f}, layer by layer "
    "{5/remedies/qfl[blocks=2;initial=layerwise]@3/accuracy/.3f}, small angles "
    "{5/remedies/qfl[blocks=2;initial=small]@3/accuracy/.3f}",
    f"accuracy is {{{NOISE};rate=0.001]/{NOISELESS}@1/accuracy/.3f}} at 1e-3, "
    f"{{{NOISE};rate=0.003]/{NOISELESS}@1/accuracy/.3f}} at 3e-3, "
    f"{{{NOISE};rate=0.01]/{NOISELESS}@1/accuracy/.3f}} at 1e-2 and "
    f"{{{NOISE};rate=0.03]/{NOISELESS}@1/accuracy/.3f}} at 3e-2",
    f"log10 {{{NOISE}]/{NOISELESS}@1/break_even_lmf/±2}}, {{{NOISE}]/{NOISELESS}@1/break_even_gcn/±2}}; "
    f"{{{NOISE}]/{NOISELESS}@3/break_even_lmf/±2}}, {{{NOISE}]/{NOISELESS}@3/break_even_gcn/±2}})",
    f"({{5/noise[channel=phase_damping]/{NOISELESS}@1/break_even_lmf/±2}}, "
    f"{{5/noise[channel=phase_damping]/{NOISELESS}@1/break_even_gcn/±2}} at P = 1)",
    f"{{{NOISE};rate=0.01]/qfl[trained=noisy]@1/accuracy/.3f}} instead of "
    f"{{{NOISE};rate=0.01]/{NOISELESS}@1/accuracy/.3f}} at P = 1, "
    f"{{{NOISE};rate=0.01]/qfl[trained=noisy]@2/accuracy/.3f}} instead of "
    f"{{{NOISE};rate=0.01]/{NOISELESS}@2/accuracy/.3f}} at P = 2; at 3 % "
    f"{{{NOISE};rate=0.03]/qfl[trained=noisy]@1/accuracy/.3f}} instead of "
    f"{{{NOISE};rate=0.03]/{NOISELESS}@1/accuracy/.3f}}, and "
    f"{{{NOISE};rate=0.03]/qfl[trained=noisy]@2/accuracy/.3f}} instead of "
    f"{{{NOISE};rate=0.03]/{NOISELESS}@2/accuracy/.3f}}; at 10 % nothing",
    f"has {{{NOISE};rate=0.01]/{HEAD}@1/accuracy/.3f}} and {{{NOISE};rate=0.01]/{HEAD}@2/accuracy/.3f}} at 1 %, "
    f"{{{NOISE};rate=0.03]/{HEAD}@1/accuracy/.3f}} and {{{NOISE};rate=0.03]/{HEAD}@2/accuracy/.3f}} at 3 %",
    "keeps {5/device[processor=rainbow;shots=exact]/qfl@1/contraction/%} of its expectation values on rainbow and "
    "{5/device[processor=weber;shots=exact]/qfl@1/contraction/%} on weber; accuracy falls from "
    "{5/device[processor=noiseless;shots=exact]/qfl@1/accuracy/.2f} to "
    "{5/device[processor=rainbow;shots=exact]/qfl@1/accuracy/.2f} and "
    "{5/device[processor=weber;shots=exact]/qfl@1/accuracy/.2f}",
    "{5/device[processor=noiseless;shots=1000]/qfl@1/accuracy/.3f} against "
    "{5/device[processor=noiseless;shots=exact]/qfl@1/accuracy/.3f} exact without noise; with 100 it is "
    "{5/device[processor=noiseless;shots=100]/qfl@1/accuracy/.3f}",
    "lose more: {5/device[processor=rainbow;shots=100]/qfl@1/accuracy/.3f} of "
    "{5/device[processor=rainbow;shots=exact]/qfl@1/accuracy/.3f} on rainbow, "
    "{5/device[processor=weber;shots=100]/qfl@1/accuracy/.3f} of "
    "{5/device[processor=weber;shots=exact]/qfl@1/accuracy/.3f} on weber",
]
FREE = re.compile(r"arXiv [\d.]+|R² of 0.999 or more|[\d.]+ pi|[\d.]+ (to [\d.]+ )?%")
"""Figures that are no result: papers, angles, and rates of errors as they are chosen."""


def filled(phrase):
    """A phrase with its figures."""
    return PLACEHOLDER.sub(lambda match: figure(match[1]), phrase)


def prose(document):
    """A document in one line."""
    return " ".join((ROOT / document).read_text(encoding="utf-8").split())


def test_the_findings_say_which_targets_the_searches_reach():
    fits = best_fits()
    missed = fits[fits < 0.999]
    assert list(missed.index) == [(3, 5, "sum"), (4, 3, "sum"), (4, 5, "sum")]
    said = prose("docs/findings.md")
    assert f"Of {len(fits)} targets of degree 1 to 5" in said
    assert f"reach {len(fits) - len(missed)} (R² of 0.999 or more)" in said


def interval(table, dataset, fusion, degree):
    """That of an accuracy."""
    found = row(table, dataset, fusion, "accuracy", degree)
    return pd.Interval(found["ci95_low"], found["ci95_high"], closed="both")


def test_what_the_findings_say_of_parts_and_noise_is_seen_in_intervals():
    def measured(dataset, measurement):
        return interval("table5", dataset, f"qfl[measurement={measurement}]", 3)

    speech, digits = "japanese-vowels", "mfeat"
    assert measured(speech, "random_pauli").left > measured(speech, "pauli_plane").right
    assert measured(digits, "random_pauli").left > measured(digits, "computational").right
    for dataset in (speech, digits):
        assert measured(dataset, "pauli_plane").overlaps(measured(dataset, "computational"))
    changes = ["", *(f"[{change}]" for change in ("entangler=ring", "entangler=brick", "blocks=2", "blocks=3"))]
    for change in changes:
        assert (
            interval("table5", speech, f"qfl{change}", 3).left
            > row("table5", speech, "qfl[signal=rz]", "accuracy", 3)["mean"]
        )
    for change in ("", "[signal=rx]"):
        about_z = interval("table5", speech, "qfl[signal=rz]", 3)
        assert interval("table5", speech, f"qfl{change}", 3).left > about_z.right
    for degree in (1, 2):
        for rate, brings in ((0.01, True), (0.03, True), (0.1, False)):
            noisy, noiseless = (
                interval("table5", f"noise[channel=depolarizing;rate={rate}]", f"qfl[trained={how}]", degree)
                for how in ("noisy", "noiseless")
            )
            assert (noisy.left > noiseless.right) == brings


def test_the_findings_say_what_saturated_inputs_lose():
    scales = [f"qfl[scale={scale}pi]" for scale in ("0.1", "0.25", "0.5", "1")]
    lost = [
        100 * (tanh - saturated)
        for tanh, saturated in (
            [row("table5", f"encoding[inputs={how}]", scale, "accuracy", 2)["mean"] for how in ("tanh", "saturated")]
            for scale in scales
        )
    ]
    assert f"lose {min(lost):.0f} to {max(lost):.0f} points up to 1 pi" in prose("docs/findings.md")


def comparisons_of(table):
    """The comparisons of a committed table."""
    name = f"{table}-comparisons.csv"
    return parse_comparisons(committed(name) or (ROOT / "results" / name).read_text(encoding="utf-8"), name)


def compared_in(table):
    """Those by accuracy or MAE."""
    return comparisons_of(table).query("metric != 'roc_auc'")


def test_the_findings_say_where_qfl_is_worse_in_table_1():
    plain = compared_in("table1").query("degree == 3 and baseline in ['control', 'concat', 'gated']")
    worse = {(row.dataset, row.baseline) for row in plain[plain["word"] == "worse"].itertuples()}
    assert worse == {*(("japanese-vowels", each) for each in ("control", "concat", "gated")), ("mfeat", "concat")}
    assert (plain["word"].isin(["worse", "undecided"])).all() and len(plain) == 12
    assert "The other eight of these twelve comparisons are *undecided*" in prose("docs/findings.md")


def test_the_findings_say_beside_what_qfl_stands_in_table_2():
    compared = comparisons_of("table2").query("degree == 3")
    first = compared["metric"] == compared["dataset"].map({"ludb": "roc_auc", "los-loop": "mae"}).fillna("accuracy")
    compared = compared[first]

    def beside(dataset, modalities, word):
        found = compared.query("dataset == @dataset and modalities == @modalities and word == @word")
        return set(found["baseline"])

    control = compared.query("baseline == 'control'")
    worse = control[control["word"] == "worse"]
    assert set(zip(worse["dataset"], worse["modalities"], strict=True)) == {("japanese-vowels", n) for n in (6, 12)}
    assert set(control["word"]) == {"worse", "undecided"}
    assert beside("ludb", 12, "better") == {"lmf", "attention", "gcn", "mfb"}
    assert beside("ludb", 12, "undecided") == {"concat", "gated", "control", "lmf-unit"}
    assert beside("los-loop", 207, "worse") == {"concat", "attention", "gated", "lmf-unit"}
    persistence = row("table2", "los-loop", "persistence", "mae", None, 207)["mean"]
    trained = TABLES["table2"].query("dataset == 'los-loop' and modalities == 207 and metric == 'mae'")
    assert trained["mean"].min() == persistence
    leads = compared.query("dataset == 'ludb'")
    half = (leads["ci95_high"] - leads["ci95_low"]) / 2
    assert (round(100 * half.min()), round(100 * half.max())) == (2, 6)
    assert leads["share_of_seeds"].median() < 0.5


def test_the_findings_count_the_words_and_the_short_trainings_of_table_4():
    compared = compared_in("table4")
    words = compared["word"].value_counts()
    (better,) = {(row.dataset, row.modalities) for row in compared[compared["word"] == "better"].itertuples()}
    assert better == ("mfeat", 6)
    assert {*compared[compared["word"] == "better"]["baseline"]} == {"tfn", "lmf"}
    beaten = compared.query("dataset == 'mfeat' and modalities == 6 and word == 'worse'")
    assert {"mean", "product", "dempster"} <= {*beaten["baseline"]}
    said = f"Of {len(compared)} comparisons of accuracy {words['worse']} are *worse*, {words['undecided']} *undecided*"
    assert f"{said} and {words['better']} *better*" in prose("docs/findings.md")
    rows = TABLES["table4"].query("metric == 'accuracy'")
    short = f"{(rows['stopped_early'] < 0.9).sum()} of the {len(rows)} rows stopped early in less than 90 %"
    assert short in prose("docs/findings.md")


def test_the_findings_count_the_words_of_table_6_and_say_where_qfl_is_better_or_worse():
    compared = compared_in("table6")
    words = pd.crosstab(compared["baseline"], compared["word"])
    plain, others = words.loc[["control", "concat", "gated"]], words.drop(["control", "concat", "gated"])
    assert (plain.sum(axis=1) == 52).all()
    counted = [f"{plain['better'][name]} {and_} {plain['worse'][name]}" for name, and_ in
               (("control", "are *better* and"), ("concat", "and"), ("gated", "and"))]  # fmt: skip
    said = f"Of 52 comparisons with the control {counted[0]} *worse*, of 52 with Concat {counted[1]}, of 52 with Gated "
    assert said + counted[2] in prose("docs/findings.md")
    total = others.sum()
    said = f"of the {total.sum()} comparisons with these and LMF with unit scale {total['better']} are *better*, "
    said += f"{total['worse']} *worse*, {total['equivalent']} *equivalent*, {total['undecided']} *undecided*"
    assert said in prose("docs/findings.md")

    def where(word, baselines=("control", "concat", "gated")):
        found = compared[(compared["word"] == word) & compared["baseline"].isin(baselines)]
        return {(row.dataset, row.baseline, *decode(row.options).items()) for row in found.itertuples()}

    assert {(dataset, *options) for dataset, _, *options in where("better")} == {
        ("traffic-detectors", ("samples", samples)) for samples in (10, 20, 160)
    }
    assert {("traffic-detectors", each, ("samples", 20)) for each in ("control", "concat", "gated")} <= where("better")
    assert {("traffic-detectors", each, ("samples", 160)) for each in ("control", "concat")} <= where("better")
    assert {(each, "concat", ("samples", 20)) for each in ("japanese-vowels", "mfeat")} <= where("worse")
    assert {("mnist", "concat", ("missing", "each in turn")), ("mnist", "concat")} <= where("worse")
    undecided = where("undecided", ("gcn", "lmf-unit"))
    assert {("traffic-detectors", each, ("samples", 20)) for each in ("gcn", "lmf-unit")} <= undecided


@pytest.mark.parametrize("phrase", FINDINGS, ids=range(len(FINDINGS)))
def test_a_finding_has_the_figures_of_its_rows(phrase):
    assert filled(phrase) in prose("docs/findings.md")


def test_no_finding_has_a_figure_that_is_not_checked():
    text = prose("docs/findings.md")
    for phrase in FINDINGS:
        text = text.replace(filled(phrase), "")
    left = [
        text[max(0, found.start() - 60) : found.end() + 20] for found in re.finditer(r"\d\.\d+", FREE.sub("", text))
    ]
    assert not left


def test_the_documents_say_what_qfl_takes_and_would_take_on_the_sets_that_were_not_here():
    text = prose("docs/reproduce.md")
    took = (
        "QFL over 207 sensors took {2/los-loop#207/qfl@3/seconds_per_epoch/.1f} s per epoch on two busy cores, and no "
    )
    assert f"{filled(took)}process held more than 5 GB" in text
    assert TABLES["table2"].query("metric == 'peak_memory_mb'")["mean"].max() < 5000

    def training_samples(name):
        return int(sizes[f"`{name}`"][2].split(" / ")[0].replace(",", ""))

    sizes = lines(
        "docs/data.md", "| name | modalities | task | train / validation / test | split | licence | download |"
    )
    ecg, traffic = (training_samples(one) / training_samples(other) for one, other in
                    (("ptb-xl", "ludb"), ("metr-la", "los-loop")))  # fmt: skip
    on_ecg = ecg * row("table2", "ludb", "qfl", "seconds_per_epoch", 3, 12)["mean"]
    on_traffic = traffic * row("table2", "los-loop", "qfl", "seconds_per_epoch", 3, 207)["mean"]
    paper = table2.PROFILES["paper"]
    trained = paper.seeds + len(paper.protocol.learning_rates) * paper.protocol.tuning_seeds
    hours = [trained * protocol.epochs * seconds / 3600
             for protocol, seconds in ((paper.protocol, on_ecg), (paper.forecasts, on_traffic))]  # fmt: skip
    assert f"with {ecg:.0f} times the training records of LUDB, takes QFL on 12 leads some {on_ecg:.0f} s" in text
    assert f"with {traffic:.0f} times the windows of Los-loop, {on_traffic:.0f} s on 207 sensors" in text
    assert f"{hours[0]:.0f} and {hours[1]:.0f} hours of one core" in text


def test_the_documents_say_how_long_table_2_took():
    rows = TABLES["table2"].query("metric in ('roc_auc', 'mae', 'gradient_norm_log10')")
    runs = rows["seeds"] * rows["dataset"].map(lambda name: FOLDS if name == "ludb" else 1)
    minutes = rows["train_seconds"].fillna(0) * runs / 2 / 60
    away = rows["dataset"].isin(["ludb", "los-loop"])
    said = f"has {runs.sum():,} runs, which by the times in their rows took {minutes.sum():.0f} minutes on two cores"
    assert said in prose("docs/reproduce.md")
    assert f"without these two sets {minutes[~away].sum():.0f}" in prose("docs/reproduce.md")
    diverged = row("table2", "los-loop", "mfb", "diverged", None, 207)["mean"]
    assert f"MFB diverged in {100 * diverged:.0f} % of its runs on 207 sensors" in prose("docs/reproduce.md")


def test_the_documents_say_how_long_table_6_took():
    rows = TABLES["table6"].query("metric in ('accuracy', 'mae')")
    rows = rows[~rows["options"].str.contains("each in turn")]
    minutes = (rows["train_seconds"] * rows["seeds"]).sum() / 2 / 60
    text = prose("docs/reproduce.md")
    assert f"{rows['seeds'].sum():,} runs, which by the times in their rows took {minutes:.0f} minutes" in text
    assert f"Comparing {len(comparisons_of('table6'))} pairs" in text


def test_the_protocol_counts_the_runs_of_table_1():
    for profile, cells in lines("docs/protocol.md", "| profile | data sets | seeds | epochs | patience").items():
        assert int(cells[-1].replace(",", "")) == len(
            table1.TABLE.specs(table1.TABLE.plan(profile.strip("`")), None, "compiled")
        )


def example(document, about):
    """The Python of a document that has this text."""
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / document).read_text(encoding="utf-8"), re.DOTALL)
    (found,) = [block for block in blocks if about in block]
    return found


def test_the_circuit_of_the_documents_has_the_size_that_it_prints(capsys):
    exec(compile(example("docs/layers.md", "qfl_circuit"), "layers.md", "exec"), {})
    printed = capsys.readouterr().out
    for comment in ("3 qubits, 18 weights", "(5, 32)"):
        assert f"# {comment}" in example("docs/layers.md", "qfl_circuit")
        assert comment in printed


def test_the_comparisons_of_the_documents_end_as_they_print(capsys):
    code = example("docs/statistics.md", "compare")
    exec(compile(code, "statistics.md", "exec"), {})
    assert [f"# {line}" for line in capsys.readouterr().out.splitlines()] == re.findall("^#.*", code, re.MULTILINE)


@pytest.mark.slow
def test_many_seeds_train_as_the_documents_show(tmp_path):
    script = [sys.executable, "-c", example("docs/layers.md", "fit_many")]
    ran = subprocess.run(
        script, env={**os.environ, "KERAS_BACKEND": "jax"}, cwd=tmp_path, capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stderr
    lines = [list(map(float, line.split())) for line in ran.stdout.splitlines()]
    assert [rate for rate, *_ in lines] == [1e-3] * 3 + [1e-2] * 3
    assert len({tuple(line) for line in lines}) == 6
    assert (tmp_path / "fused.keras").exists()


@pytest.mark.slow
def test_the_model_of_the_readme_ends_where_it_says(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = {}
    exec(compile(example("README.md", 'load("emoji")'), "README.md", "exec"), names)
    ends, weights = re.search(
        r"ends near a validation accuracy of ([\d.]+); the fusion has (\d+) ", prose("README.md")
    ).groups()
    # Another processor rounds otherwise: a few of the 277 samples may fall to the other side.
    assert names["model"].history.history["val_accuracy"][-1] == pytest.approx(float(ends), abs=0.02)
    (fusion,) = [layer for layer in names["model"].layers if isinstance(layer, QuantumFusionLayer)]
    assert fusion.count_params() == int(weights)
    assert (tmp_path / "fused.keras").exists()


@pytest.mark.parametrize("name", ["table1", "table6"])
def test_what_the_documents_say_needs_no_tensorflow_needs_none(name):
    table = find(name)
    assert "Tables 1 and 6 are computed on JAX alone" in prose("docs/backends.md")
    assert {backend_of(spec) for spec in table.specs(table.plan("default", datasets=["emoji"]))} == {"jax"}
