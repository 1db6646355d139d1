"""No document has a figure with a decimal point that nothing holds.

Whoever writes one says here which test holds it, or that it is no result: a setting, a version, a constant.
"""

import re

import pytest

from tests.documents.support import ROOT

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
    "docs/expressivity.md": ["| modalities and target | 1 block |"],
    "docs/reproduce.md": ["| fusion | ludb, ROC AUC"],
    "docs/protocol.md": ["| change | japanese-vowels | mfeat |"],
    "docs/separation.md": ["| queries | 1 | 2 |"],
}
"""Of each document the beginnings of tables whose cells some test compares, one by one."""

SENTENCES_OF_THEIR_OWN_TESTS = {
    "README.md": [r"validation accuracy of [\d.]+"],
    "docs/backends.md": [r"takes [\d.]+ s, [\d.]+ s and then [\d.]+ s, [\d.]+ s", r"Quantum [\d.]+ s,.*?[\d.]+ s\."],
    "docs/data.md": [r"[\d.]+ MB in all", r"[\d.]+ GB for", r"[\d.]+ GB in all", r"utterances is [\d.]+ points"],
    "docs/expressivity.md": [r"\(P = 3: [\d.]+ of [\d.]+\)", r"ends at [\d.]+, and", r"degree 3, [\d.]+, which"],
    "docs/reproduce.md": [r"took [\d.]+ s per epoch"],
    "docs/protocol.md": [
        r"One sample is [\d.]+ of the validation accuracy on `japanese-vowels` and [\d.]+ on",
        r"by a rate of [\d.]+ that had a validation loss of [\d.]+ where [\d.]+ had [\d.]+",
    ],
    "docs/separation.md": [r"err in [\d.]+ of the cases"],
}
"""Patterns of figures that some test compares with results."""

NO_RESULTS = {
    "README.md": [r"Python 3\.10, 3\.11 or 3\.12", r"License 2\.0"],
    "docs/backends.md": [r"Python (up to )?3\.\d+", r"TensorFlow 2\.\d+"],
    "docs/data.md": [r"ludb_1\.0\.1"],
    "docs/expressivity.md": [r"noise of 0\.2", r"R² of 0\.999 or more", r"within 0\.002"],
    "docs/house.md": [r"Python 3\.11 or 3\.12"],
    "docs/layers.md": [r"depolarize\(0\.01\)"],
    "docs/protocol.md": [
        r"alpha 0\.25", r"dropout 0\.1", r"learning rate, 0\.005", r"cirq-google 1\.5", r"scale 0\.1 to 4",
        r"1e-4 to 0\.1", r"\|( 0\.0\d+,?)+( and 0\.01)?[ |]", r"0\.002, 0\.005 and 0\.01",
    ],
    "docs/statistics.md": [r"±0\.01", r"below 0\.05", r"2 / 2\^5 = 0\.0625"],
}  # fmt: skip
"""Patterns of figures that nobody measured."""

ELSEWHERE = {"docs/findings.md", "docs/engine.md", "docs/qcnn.md"}
"""The findings have a test of their own; of speeds and trained networks other tests hold some."""


def documents():
    return ["README.md", *sorted({f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md")} - ELSEWHERE)]


def decimals(document):
    """The decimal figures of a document that are no results, in no code, and in no table or sentence that is tested."""
    text = (ROOT / document).read_text(encoding="utf-8")
    text = re.sub(r"^( *)```.*?^\1```", "", text, flags=re.DOTALL | re.MULTILINE)
    for header in TABLES_OF_THEIR_OWN_TESTS.get(document, []):
        before, found, after = text.partition(header)
        assert found, f"{document} has no table {header!r} any more"
        text = before + after.partition("\n\n")[2]
    text = re.sub(r"\]\([^)]*\)|<!--.*?-->", "", " ".join(text.split()))
    text = re.sub(r"(arXiv:?|quant-ph/)?\b\d{4}\.\d{4,5}\b", "", text)
    for patterns in (SENTENCES_OF_THEIR_OWN_TESTS, NO_RESULTS):
        for pattern in patterns.get(document, []):
            text, count = re.subn(pattern, "", text)
            assert count, f"{document} has nothing like {pattern!r} any more"
    return [text[max(0, found.start() - 40) : found.end() + 20] for found in re.finditer(r"\d\.\d", text)]


@pytest.mark.parametrize("document", documents())
def test_every_figure_is_held_by_a_test_or_is_no_result(document):
    assert decimals(document) == []
