"""What the documents say of speed is what the benchmarks measured, and of the engine's sizes what it has."""

import re

import numpy as np
import pandas as pd
import pytest

from bench.engines import ENGINES
from bench.noise.workloads import SHOTS
from bench.run import TOLERANCE
from tests.documents.support import benchmark, holds, lines, one_digit
from tfq_fusion.circuits import qfl_circuit
from tfq_fusion.circuits.serialization import MAX_GATES
from tfq_fusion.engines import require_angles
from tfq_fusion.engines.arrays import SIZES, WIDE_SIZES
from tfq_fusion.engines.compiled import lowering, repetitions

BENCH = benchmark("bench")


@holds("docs/backends.md")
def test_the_speed_of_layers_is_that_of_their_benchmark():
    layers = benchmark("bench-layers").set_index(["contender", "workload"])

    def seconds(contender, epochs):
        found = [layers.loc[(contender, name), epochs] for name in ("qfl-n5", "qfl-n8")]
        return ", ".join(f"{each:#.2g}".rstrip(".") + " s" for each in found)

    for title, epochs in (("first epoch of 256 samples, QFL, 5 and 8 qubits", "first_s"), ("later epochs", "later_s")):
        yield " | ".join([f"| {title}", *(seconds(backend, epochs) for backend in ("tensorflow", "jax", "torch"))])
    for said, contender in (("by hand, takes", "keras3-layer-diagonal"), ("TensorFlow Quantum", "tfq")):
        yield f"{said} {seconds(contender, 'first_s')} and then {seconds(contender, 'later_s')}"


@holds("docs/coming-from.md")
def test_the_tutorials_that_train_sooner_are_those_that_the_page_names():
    seconds = benchmark("bench-tutorials").pivot(index="workload", columns="contender", values="whole_s")
    sooner = seconds[seconds["tfq-fusion"] < seconds["tfq"]]
    assert set(sooner.index) == {name for name in seconds.index if name.startswith("qcnn")}
    yield "the convolutional networks train sooner with ours, the others with TensorFlow Quantum's"


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


@holds("docs/engine.md")
def test_small_circuits_take_the_same_time():
    times = BENCH[BENCH["engine"] == "compiled"].set_index("workload")["median_ms"]
    assert times["reuploading-n4"] == pytest.approx(times["qfl-n5"], rel=0.1)
    yield "those on 4 and on 5 qubits above take the same time"


@holds("docs/engine.md")
def test_engines_agree_with_the_reference_as_the_benchmark_says():
    off = BENCH.pivot_table("deviation", "workload", "engine").dropna(subset="tfq").max()
    yield f"all engines agree within {one_digit(TOLERANCE)};"
    yield (
        f"TFQ 0.7.6's are off a reference in double precision by up to {one_digit(off['tfq'])}, ours by up to "
        f"{one_digit(off[['compiled', 'compiled-jax']].max())}"
    )


@holds("docs/engine.md")
def test_what_xla_had_to_be_told_is_worth_what_was_measured():
    measured = benchmark("bench-xla").pivot(index="line", columns="variant")
    compiling, step, memory = (
        {line: f"{ratio:#.2g}".rstrip(".") for line, ratio in (found["without"] / found["with"]).items()}
        for found in (measured["seconds"], measured["ms"], measured["megabytes"])
    )
    yield f"a step takes {step['product']} times as long without it, and to compile it {compiling['product']} times"
    yield f"without that a step takes {step['order']} times as long, and {memory['order']} times the memory"
    yield f"with chains a step takes {step['blocks']} times as long, and to compile it {compiling['blocks']} times"
    yield f"Without it a step takes {step['loops']} times as long, and to compile it {compiling['loops']} times"


@holds("docs/engine.md")
def test_the_sizes_in_the_engine_are_those_that_the_page_says():
    first, second, third, *more = SIZES
    yield f"gates with weights or constants on up to {lowering.MAX_BLOCK} qubits"
    yield f"if that saves {repetitions.SAVED} steps and an eighth of all"
    yield f"padded to: {first}, {second}, {third}, and from there two sizes an octave ({str(more[:4])[1:-1]} ...)"
    yield f"From {lowering.WIDE} qubits on"
    yield f"of up to {lowering.WIDE_BLOCK} qubits, one matrix per sample"
    yield f"Batches are padded to {str(WIDE_SIZES[:5])[1:-1]} and {WIDE_SIZES[5]}:"
    yield f"Circuits of more than {lowering.MAX_STEPS:,} steps"
    yield f"has the time of {SHOTS:,} shots"


@holds("docs/engine.md")
def test_angles_are_refused_beyond_the_one_that_the_page_says():
    spec, largest = qfl_circuit(2, 1, degree=1), np.float32(65_536)
    data, weights = np.full((1, 2), largest), np.zeros(len(spec.weight_symbols), np.float32)
    require_angles(spec, data, weights)
    with pytest.raises(ValueError, match="beyond which angles lose"):
        require_angles(spec, np.nextafter(data, np.inf), weights)
    apart = f"neighbouring numbers are 1/{1 / np.spacing(largest):.0f} apart"
    yield f"Angles beyond {largest:,.0f} in single precision are refused: {apart}"


@holds("docs/layers.md")
def test_a_saved_circuit_may_have_as_many_gates_as_the_page_says():
    yield f"of at most {MAX_GATES:,} gates"
