"""What the documents say of speed is what the benchmarks measured."""

import re

import pandas as pd
import pytest

from bench.engines import ENGINES
from tests.documents.support import ROOT, lines, prose

BENCH = pd.read_csv(ROOT / "results" / "bench.csv")


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
    found = lines("docs/engine.md", "| circuit | compiled | on JAX | TensorFlow Quantum |")
    workloads = BENCH.loc[BENCH["engine"] == "tfq", "workload"]
    for workload, (label, cells) in zip(workloads, found.items(), strict=True):
        times = BENCH[(BENCH["workload"] == workload) & (BENCH["status"] == "ok")].set_index("engine")["median_ms"]
        rewritten = times[times.index.str.endswith("-diagonal")]
        written = times[[name for name in times.index if ENGINES[name].peer and name not in rewritten]]
        expected = [times["compiled"], times["compiled-jax"], times["tfq"], written.min(), rewritten.min()]
        for text, milliseconds in zip(cells, expected, strict=True):
            if text == "-":
                assert pd.isna(milliseconds), label
                continue
            numbers = re.findall(r"[\d.,]+", text)
            ratio = milliseconds / times["compiled"]
            for number, value in zip(numbers, [milliseconds, ratio], strict=False):
                digits = len(number.partition(".")[2])
                assert float(number.replace(",", "")) == pytest.approx(value, abs=0.501 * 10**-digits), (label, text)
