"""Command line of the benchmark of noise and shots: ``python -m bench.noise``."""

from bench.contest import command
from bench.noise.contenders import CONTENDERS
from bench.noise.report import describe, write
from bench.noise.run import run_workload
from bench.noise.workloads import QUICK, WORKLOADS

app = command(
    "Time circuits with noise and with shots beside TensorFlow Quantum.",
    WORKLOADS,
    QUICK,
    run_workload,
    CONTENDERS,
    describe,
    write,
    "bench-noise",
)

if __name__ == "__main__":
    app()
