"""No document has a figure that nothing holds.

Whoever writes one writes a function that computes it and gives the sentence (`holds` in support.py makes a test of it),
or says here that it is no result: a setting, a version, a constant.
"""

import importlib
import re
from pathlib import Path

import pytest

from tests.documents.support import ROOT, SENTENCES

for module in sorted(Path(__file__).parent.glob("test_*.py")):
    importlib.import_module(f"tests.documents.{module.stem}")

UNITS = "s|ms|MB|GB|minutes|hours|times|points|runs|trainings|pairs|comparisons|weights"
FIGURE = re.compile(rf"\d\.\d|\d,\d{{3}}|\de-?\d|\d (?:%|(?:{UNITS})\b)")
"""What counts as a figure: decimals, thousands, powers of ten, and what has a unit."""
ANY_NUMBER = re.compile(r"\d+")
STRICT = {"docs/findings.md"}
"""Documents in which every number is a figure."""

TABLES_OF_THEIR_OWN_TESTS = {
    "README.md": ["| Fusion  "],
    "docs/backends.md": ["| | TensorFlow | JAX | PyTorch |"],
    "docs/data.md": [
        "| name | modalities | task | train / validation / test | split | licence |",
        "| name | modalities | task | train / validation / test | split | licence | download |",
        "| `los-loop`, 207 sensors, test part |",
        "| data set | largest class |",
        "| `traffic-detectors` | part |",
    ],
    "docs/engine.md": ["| circuit | compiled | on JAX |"],
    "docs/expressivity.md": ["| modalities and target | 1 block |"],
    "docs/protocol.md": [
        "| profile | data sets | seeds | epochs | patience | learning rates",
        "| profile | data sets | seeds | epochs, classes",
        "| profile | data sets | seeds | epochs | epochs, `mfeat`",
        "| profile | data sets | seeds | epochs | patience | training samples",
        "| name | what it is | trained weights |\n",
        "| change | japanese-vowels | mfeat |",
    ],
    "docs/qcnn.md": ["| encoding, convolution | seed 0 |", "| convolution | seed 0 |"],
    "docs/reproduce.md": ["| data set | command | download |", "| fusion | ludb, ROC AUC"],
    "docs/separation.md": ["| queries | 1 | 2 |"],
    "docs/statistics.md": ["| seeds | seeds alone |"],
}
"""Of each document the beginnings of tables whose cells some test compares, one by one."""

OF_SLOW_TESTS = {"README.md": [r"validation accuracy of [\d.]+; the fusion has \d+ weights"]}
"""Patterns of sentences whose figures take a test too long to be computed here once more."""

NO_RESULTS = {
    "README.md": [r"some 4 GB of disk", r"Python 3\.10, 3\.11 or 3\.12", r"License 2\.0"],
    "docs/backends.md": [r"20 losses to 1e-5", r"the same to 1e-6", r"Python (up to )?3\.\d+", r"TensorFlow 2\.\d+"],
    "docs/data.md": [r"a number \(-32,768\)", r"\(10 s\)", r"per 15 minutes"],
    "docs/engine.md": [r"TFQ 0\.7\.6"],
    "docs/expressivity.md": [
        r"noise of 0\.2", r"R² of 0\.999 or more", r"within 0\.002", r"all but some 1e-4", r"at 12 weights a block",
    ],
    "docs/findings.md": [
        r"Tables? \d(, \d)*( and \d)?", r"P = \d( to \d)?", r"\b[QF]\d+\b", r"CIFAR-10", r"2-design", r"of 2021",
        r"R² of 0\.999 or more", r"[\d.]+ pi\b", r"\(?[14] features?\b", r"mfeat, 6 modalities",
        r"samples = 20( and 160)?", r"of 32 hidden units", r"locality 1",
        r"noise of 0\.1 % per gate and qubit, not 3 %",
    ],
    "docs/house.md": [r"Python 3\.11 or 3\.12", r"10,000 random circuits"],
    "docs/protocol.md": [r"alpha 0\.25", r"cirq-google 1\.5", r"follow from 1,000,000", r"below 90 %"],
    "docs/qcnn.md": [r"learning rate 0\.02"],
    "docs/separation.md": [r"margin of 1e-9"],
    "docs/statistics.md": [
        r"1,000 test samples or more to first order, which keeps their spread to 1 %", r"the 95 % and the",
        r"wrong in 5 % of comparisons if the 90 % interval covers 90 %, in 10 % if it covers 80 %",
    ],
    "docs/sweeps.md": [r"at most 1,000", r"20 times as long as estimated"],
}  # fmt: skip
"""Patterns of figures that nobody measured."""

EVERYWHERE = [
    r"`[^`]*`", r"\]\([^)]*\)", r"<!--.*?-->", r"(arXiv:?|quant-ph/)?\b\d{4}\.\d{4,5}\b",
    r"\b9[05] % (Student )?(t-)?interval",
]  # fmt: skip
"""Code, links, papers, and the names of intervals."""


def documents():
    return ["README.md", *sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md"))]


def prose_of(document):
    """A document in one line, without code, and without the tables that are tested."""
    text = (ROOT / document).read_text(encoding="utf-8")
    text = re.sub(r"^( *)```.*?^\1```", "", text, flags=re.DOTALL | re.MULTILINE)
    for header in TABLES_OF_THEIR_OWN_TESTS.get(document, []):
        before, found, after = text.partition(header)
        assert found, f"{document} has no table {header!r} any more"
        text = before + after.partition("\n\n")[2]
    return " ".join(text.split())


@pytest.mark.parametrize("document", documents())
def test_every_figure_is_held_by_a_test_or_is_no_result(document):
    text = prose_of(document)
    excused = OF_SLOW_TESTS.get(document, []) + NO_RESULTS.get(document, [])
    assert not [pattern for pattern in excused if not re.search(pattern, text)], "these do not stand there any more"
    held = [re.escape(sentence) for give in SENTENCES.get(document, {}).values() for sentence in give()]
    spans = [found.span() for pattern in (*held, *excused, *EVERYWHERE) for found in re.finditer(pattern, text)]
    left = [
        text[max(0, found.start() - 40) : found.end() + 20]
        for found in (ANY_NUMBER if document in STRICT else FIGURE).finditer(text)
        if not any(start <= found.start() < end for start, end in spans)
    ]
    assert not left
