"""Command line of the benchmark of tutorials: ``python -m bench.tutorials``."""

from bench.contest import command
from bench.tutorials.contenders import CONTENDERS
from bench.tutorials.report import write
from bench.tutorials.run import run_workload
from bench.tutorials.workloads import QUICK, WORKLOADS

app = command(
    "Train the models of TensorFlow Quantum's tutorials with its layers and with this library's, and time both.",
    WORKLOADS,
    QUICK,
    run_workload,
    CONTENDERS,
    lambda cell: f"{cell.whole:.1f} s",
    write,
    "bench-tutorials",
)

if __name__ == "__main__":
    app()
