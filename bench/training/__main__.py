"""Command line of the benchmark of training: ``python -m bench.training``."""

from bench.contest import command
from bench.training.contenders import CONTENDERS
from bench.training.report import write
from bench.training.run import run_workload
from bench.training.workloads import QUICK, WORKLOADS

app = command(
    "Train many models in each of several ways, prove that they are the same models, and count them per second.",
    WORKLOADS,
    QUICK,
    run_workload,
    CONTENDERS,
    lambda cell: f"{cell.models_per_second:.3g} models per second",
    write,
    "bench-training",
)

if __name__ == "__main__":
    app()
