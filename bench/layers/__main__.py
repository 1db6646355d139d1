"""Command line of the benchmark of layers: ``python -m bench.layers``."""

from bench.contest import command
from bench.layers.contenders import CONTENDERS
from bench.layers.report import write
from bench.layers.run import run_workload
from bench.layers.workloads import QUICK, WORKLOADS

app = command(
    "Train one hybrid model through each library's layer, prove that it is the same, and time its epochs.",
    WORKLOADS,
    QUICK,
    run_workload,
    CONTENDERS,
    lambda cell: f"{cell.first:.1f} s, then {cell.later:.3g} s",
    write,
    "bench-layers",
)

if __name__ == "__main__":
    app()
