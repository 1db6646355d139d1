"""What the tests of the documents share: committed tables, and figures by the places where they stand."""

import functools
import importlib.util
import io
import math
import re
import subprocess
from pathlib import Path

import pandas as pd

from reproduce.claims.comparisons import parse_comparisons
from reproduce.claims.rows import FUSIONS, Place, decode, from_csv, read_tables

ROOT = Path(__file__).resolve().parents[2]


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


def benchmark(name):
    """The committed figures of a benchmark."""
    text = committed(f"{name}.csv")
    return pd.read_csv(io.StringIO(text) if text else ROOT / "results" / f"{name}.csv")


SENTENCES = {}
"""The functions that :func:`holds` made tests of, by document, module and name."""


def holds(document):
    """Makes a test of a function that gives sentences, or parts of them, with the figures that the results have.

    The test asks the document for each of them; `test_figures.py` asks for no other figure to stand there.
    """

    def test_of(sentences):
        SENTENCES.setdefault(document, {})[sentences.__module__, sentences.__name__] = sentences

        @functools.wraps(sentences)
        def test():
            text = prose(document)
            missing = [sentence for sentence in sentences() if sentence not in text]
            assert not missing, f"{document} does not say {missing}"

        return test

    return test_of


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


def one_digit(value):
    """A value to one digit, such as 4e-2."""
    return re.sub(r"e([+-])0", r"e\1", f"{value:.0e}")


def lines(document, header):
    """The cells of the pipe table that begins with this header, by the first cell of each line."""
    text = (ROOT / document).read_text(encoding="utf-8")
    table = text[text.index(header) :].split("\n\n")[0].splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in table]
    return {first: rest for first, *rest in cells[2:]}


def qubits(modalities, features):
    """Those of a Quantum Fusion Layer."""
    return math.ceil(math.log2(modalities * features + 1)) + 1


def named(label):
    """Fusion and degree of a label such as "QFL, P = 3"."""
    name, _, degree = label.partition(", P = ")
    return next(fusion for fusion, caption in FUSIONS.items() if caption == name), int(degree) if degree else None


def filled(phrase):
    """A phrase with its figures."""
    return PLACEHOLDER.sub(lambda match: figure(match[1]), phrase)


def prose(document):
    """A document in one line."""
    return " ".join((ROOT / document).read_text(encoding="utf-8").split())


def script_of(name):
    """A module of `scripts`."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "scripts" / f"{name}.py")
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    return script


def example(document, about):
    """The Python of a document that has this text."""
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / document).read_text(encoding="utf-8"), re.DOTALL)
    (found,) = [block for block in blocks if about in block]
    return found


def comparisons_of(table):
    """The comparisons of a committed table."""
    name = f"{table}-comparisons.csv"
    return parse_comparisons(committed(name) or (ROOT / "results" / name).read_text(encoding="utf-8"), name)


def compared_in(table):
    """Those by accuracy or MAE."""
    return comparisons_of(table).query("metric != 'roc_auc'")


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
            return one_digit(10**value)
        case "2^":
            return one_digit(2**value)
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
