"""What each line that XLA had to be told is worth: ``python -m bench.xla`` times the engine with and without it."""

from __future__ import annotations

import dataclasses
import importlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bench.report import machine, table
from bench.run import ENVIRONMENT
from bench.workloads import WORKLOADS
from tfq_fusion.files import write_files

ON_JAX = {**ENVIRONMENT, "KERAS_BACKEND": "jax"}

LIMIT = 120
"""Seconds until a variant is given up: without some lines XLA does not end."""


@dataclasses.dataclass(frozen=True)
class Line:
    """Something that XLA was told.

    Attributes:
        title: For people.
        workload: Where it shows, of :data:`bench.workloads.WORKLOADS`.
        place: ``module:name``, below the compiled engine, of what does it.
        instead: Makes what would stand there otherwise.
    """

    title: str
    workload: str
    place: str
    instead: Callable[[], Any]


def _broadcast(equation: str, *operands: Any) -> Any:
    import jax.numpy as jnp

    if equation != "nsij,nsjk->nsik":
        return jnp.einsum(equation, *operands)
    left, right = operands
    return (left[..., :, :, None] * right[..., None, :, :]).sum(axis=-2)


LINES = {
    "product": Line(
        "A product with an identity ends a fusion", "reuploading-n8", "run:materialized", lambda: lambda array: array
    ),
    "order": Line("Each step back waits for the gradient after it", "qcnn-n8", "run:known_zero", lambda: lambda _: 0.0),
    "blocks": Line("Blocks are products of complex matrices", "qcnn-n8", "blocks:einsum", lambda: _broadcast),
    "loops": Line("Equal layers are a loop", "reuploading-n8", "repetitions:SAVED", lambda: 10**9),
}


def measure(name: str, changed: bool) -> dict[str, float]:
    """Seconds of processor time to compile, milliseconds of a step, and megabytes that it needs, of one variant."""
    import jax

    from bench.ours import model_circuit
    from tfq_fusion.engines import expectation

    line = LINES[name]
    place, _, attribute = line.place.partition(":")
    module = importlib.import_module(f"tfq_fusion.engines.compiled.{place}")  # before the clock begins
    if changed:
        setattr(module, attribute, line.instead())
    problem = WORKLOADS[line.workload].build()
    spec = model_circuit(problem)

    def step(data: Any, weights: Any, upstream: Any) -> tuple[Any, ...]:
        values, pull_back = jax.vjp(
            lambda data, weights: expectation(spec, data, weights, states=problem.states), data, weights
        )
        return values, *pull_back(upstream)

    arguments = problem.data, problem.weights, problem.upstream
    begin = time.process_time()
    compiled = jax.jit(step).lower(*arguments).compile()
    seconds = time.process_time() - begin
    times = []
    for _ in range(30):
        start = time.perf_counter()
        jax.block_until_ready(compiled(*arguments))
        times.append(time.perf_counter() - start)
    memory: Any = compiled.memory_analysis()
    megabytes = memory.temp_size_in_bytes / 2**20
    return {"seconds": seconds, "ms": 1e3 * float(np.median(times)), "megabytes": megabytes}


def main() -> None:
    """Measure all lines, each variant in a process of its own, and write ``results/bench-xla.{csv,md}``."""
    rows, shown = [], []
    for name, line in LINES.items():
        for changed in (False, True):
            found = _run(name, changed)
            variant = "without" if changed else "with"
            rows.append({"line": name, "variant": variant, **found})
            figures = {
                "To compile, s": found and f"{found['seconds']:.1f}",
                "Step, ms": found and f"{found['ms']:.3g}",
                "Memory, MB": found and f"{found['megabytes']:.3g}",
            }
            told = {"Told": line.title, "Circuit": WORKLOADS[line.workload].title, "": variant}
            shown.append(told | {column: text or f"not within {LIMIT} s" for column, text in figures.items()})
            print(shown[-1], flush=True)
    page = (
        "# What XLA had to be told\n\nThe engine on JAX with each line and without it: processor time to trace and to "
        "compile values and gradients, the median of a step, and the memory that it needs beside its arguments. "
        "[docs/engine.md](../docs/engine.md) says why.\n\n"
        f"Machine: {machine()}.\n\n{table(shown)}\n"
    )
    csv = pd.DataFrame(rows).to_csv(index=False, lineterminator="\n")
    write_files({Path("results/bench-xla.csv"): csv.encode(), Path("results/bench-xla.md"): page.encode()})


def _run(name: str, changed: bool) -> dict[str, float]:
    command = [sys.executable, "-m", "bench.xla", name, *(["without"] if changed else [])]
    try:
        done = subprocess.run(
            command, check=True, capture_output=True, text=True, timeout=LIMIT, env=os.environ | ON_JAX
        )
    except subprocess.TimeoutExpired:
        return {}
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(json.dumps(measure(sys.argv[1], len(sys.argv) > 2)))
    else:
        main()
