"""The results for people and programs: ``bench.csv``, ``bench.md`` and ``bench.png``."""

from __future__ import annotations

import dataclasses
import os
import platform
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from bench.engines import ENGINES
from bench.figure import draw
from bench.problem import Problem
from bench.roofline import operations
from bench.run import FIRST_CALL_LIMIT, TOLERANCE, Cell
from bench.workloads import DEEP, MEMORY_RATIO, SECOND_CALL, SHALLOW, Workload
from tfq_fusion.files import png, write_files

OURS, ON_JAX, TFQ = "compiled", "compiled-jax", "tfq"
_NONE = "-"
_FLAGS = ("avx2", "fma", "avx512f", "avx512_bf16", "amx_tile", "asimd", "sve")


def machine() -> str:
    """The processor, how many of its cores this process may use, and its vector instructions."""
    info = Path("/proc/cpuinfo")
    lines = dict(line.split(":", 1) for line in info.read_text().splitlines() if ":" in line) if info.exists() else {}
    facts = {key.strip(): value.strip() for key, value in lines.items()}
    flags = set((facts.get("flags") or facts.get("Features", "")).split())
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    known = " ".join(flag for flag in _FLAGS if flag in flags) or "vector instructions unknown"
    return f"{facts.get('model name', platform.processor() or platform.machine())}, {cores} cores, {known}"


def cell_line(cell: Cell) -> str:
    """One cell in one line."""
    if cell.median_ms is None:
        return f"{ENGINES[cell.engine].title}: {cell.status}, {cell.note}"
    return (
        f"{ENGINES[cell.engine].title}: {_ms(cell.median_ms)} ms (median of {cell.steps}), first call "
        f"{cell.first_call_s:.1f} s, peak {cell.peak_mb:.0f} MB, off by {cell.deviation:.0e}"
    )


@dataclasses.dataclass(frozen=True)
class Report:
    """All that a run found out.

    Attributes:
        workloads: The workloads that ran, by name.
        problems: Their problems.
        cells: What was measured; the workloads of :func:`bench.run.run_memory` and of
            :func:`bench.run.run_second` only if they were.
        rate: Matrix products' operations per second.
        machine: The machine, in words.
    """

    workloads: Mapping[str, Workload]
    problems: Mapping[str, Problem]
    cells: Sequence[Cell]
    rate: float
    machine: str

    def write(self, folder: Path) -> None:
        """Write the three files, or none if one cannot be written."""
        figure = draw({name: workload.title for name, workload in self.workloads.items()}, self.cells)
        folder.mkdir(parents=True, exist_ok=True)
        write_files(
            {
                folder / "bench.csv": self.frame().to_csv(index=False, lineterminator="\n").encode(),
                folder / "bench.md": self.markdown().encode(),
                folder / "bench.png": png(figure),
            }
        )

    def frame(self) -> pd.DataFrame:
        """One row per cell."""
        rows = []
        for cell in self.cells:
            row = dataclasses.asdict(cell)
            del row["versions"]
            ours = self._median(cell.workload, OURS)
            row["ratio_to_compiled"] = cell.median_ms / ours if cell.median_ms and ours else None
            row["roofline_ms"] = self._roofline_ms(cell.workload) if cell.engine == OURS else None
            rows.append(row)
        columns = [field.name for field in dataclasses.fields(Cell) if field.name not in ("note", "versions")]
        return pd.DataFrame(rows, columns=[*columns, "ratio_to_compiled", "roofline_ms", "note"])

    def markdown(self) -> str:
        """The page."""
        parts = [
            "# Engines for quantum circuits\n\n"
            "One step is a forward pass and the gradients of a weighted sum of all expectation values in the data and "
            "in the weights, in single precision. All engines get the same circuits and numbers, each cell runs in a "
            "process of its own, and the figure is the median of warm steps. Times differ between machines: the ratios "
            "are what counts. Every time shown belongs to an engine whose expectation values and gradients (the "
            "weights', which are sums over the batch, per sample) lie within "
            f"{TOLERANCE:.0e} of a reference in double precision.\n\n"
            f"Machine: {self.machine}; matrix products {self.rate / 1e9:.0f} GFLOP/s.",
            "![Milliseconds per step](bench.png)",
            f"## Ratios to reach\n\n{self._ratios()}\n\n"
            "*As written*: the peer gets the circuit gate by gate, as the compiled engine and TensorFlow Quantum do. "
            "The best peer overall may have had its multiplexed rotations rewritten by hand.",
            f"## Other figures to reach\n\n{table(self._figures())}\n\n"
            "A second process finds what the first has compiled where JAX keeps it on disk: in the folder "
            "`JAX_COMPILATION_CACHE_DIR`, with `JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS=0` and "
            "`JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES=-1` all of it. TensorFlow has such a cache as well "
            "(`TF_XLA_FLAGS=--tf_xla_persistent_cache_directory=FOLDER`), which is not measured.",
            "## Roofline\n\nThe operations that the algorithm needs over the rate of matrix products.\n\n"
            f"{self._rooflines()}",
            "## Every engine\n\nThe first call includes tracing and compiling and may take "
            f"{FIRST_CALL_LIMIT} s; the peak is resident memory over that after the imports.",
            *(f"### {workload.title}\n\n{self._cells(name)}" for name, workload in self.workloads.items()),
            "## What the engines are given\n\n"
            + "\n".join(f"- **{ENGINES[name].title}**: {ENGINES[name].how}" for name in self._engines()),
            f"## Versions\n\n{self._versions()}",
        ]
        return "\n\n".join(parts) + "\n"

    def _engines(self) -> list[str]:
        ran = {cell.engine for cell in self.cells}
        return [name for name in ENGINES if name in ran]

    def _cell(self, workload: str, engine: str) -> Cell | None:
        return next((cell for cell in self.cells if (cell.workload, cell.engine) == (workload, engine)), None)

    def _median(self, workload: str, engine: str) -> float | None:
        cell = self._cell(workload, engine)
        return None if cell is None else cell.median_ms

    def _best_peer(self, workload: str, as_written: bool) -> tuple[str, float | None]:
        medians = {
            name: median
            for name, engine in ENGINES.items()
            if engine.peer and not (as_written and engine.multiplexers) and (median := self._median(workload, name))
        }
        if not medians:
            return _NONE, None
        best = min(medians, key=lambda name: medians[name])
        return f"{ENGINES[best].title} {_ms(medians[best])}", medians[best]

    def _roofline_ms(self, name: str) -> float | None:
        workload = self.workloads.get(name)
        if workload is None or workload.degree is None:
            return None
        return 1e3 * operations(self.problems[name], workload.degree) / self.rate

    def _ratios(self) -> str:
        rows = []
        for name, workload in self.workloads.items():
            ours, tfq = self._median(name, OURS), self._median(name, TFQ)
            best, best_ms = self._best_peer(name, as_written=False)
            written, written_ms = self._best_peer(name, as_written=True)
            rows.append(
                {
                    "Workload": workload.title,
                    "Compiled, ms": _ms(ours),
                    "On JAX, ms": _ms(self._median(name, ON_JAX)),
                    "TFQ, ms": _ms(tfq),
                    "Over TFQ (to reach)": _at_least(ratio_of(tfq, ours), workload.over_tfq),
                    "Best peer, ms": best,
                    "Over the best peer (to reach)": _at_least(ratio_of(best_ms, ours), workload.over_peers),
                    "Best as written, ms": written,
                    "Over the best as written (to reach)": _at_least(ratio_of(written_ms, ours), workload.over_peers),
                }
            )
        return table(rows)

    def _figures(self) -> list[dict[str, str]]:
        rows = []
        for name, workload in self.workloads.items():
            cell = self._cell(name, OURS)
            if workload.over_roofline is not None:
                ratio = ratio_of(self._median(name, OURS), self._roofline_ms(name))
                rows.append(_row(f"{workload.title}: time over the roofline", ratio, workload.over_roofline, "x"))
            if workload.first_call is not None:
                first = None if cell is None else cell.first_call_s
                rows.append(_row(f"{workload.title}: first call", first, workload.first_call, " s"))
        shallow, deep = (self._cell(name, OURS) for name in ("memory-p5", "memory-p50"))
        if shallow is not None and deep is not None:
            for label, field in (
                ("Memory that a warm step adds", "step_mb"),
                ("Peak of memory, compiling included", "peak_mb"),
            ):
                less, more = getattr(shallow, field), getattr(deep, field)
                figures = "" if less is None or more is None else f" ({more:,.1f} MB over {less:,.1f} MB)"
                rows.append(
                    _row(
                        f"{label}, {DEEP.title} over {SHALLOW.title}{figures}", ratio_of(more, less), MEMORY_RATIO, "x"
                    )
                )
        before, after = (self._cell(name, ON_JAX) for name in ("first-process", "second-process"))
        if before is not None and after is not None:
            compiling = "" if before.first_call_s is None else f" ({before.first_call_s:.1f} s in the first)"
            label = f"First call of a second process on JAX, {SHALLOW.title}{compiling}"
            rows.append(_row(label, after.first_call_s, SECOND_CALL, " s"))
        return rows

    def _rooflines(self) -> str:
        rows = []
        for name, workload in self.workloads.items():
            if workload.degree is not None:
                roofline, ours = self._roofline_ms(name), self._median(name, OURS)
                rows.append(
                    {
                        "Workload": workload.title,
                        "MFLOP": f"{operations(self.problems[name], workload.degree) / 1e6:,.3g}",
                        "Roofline, ms": _ms(roofline),
                        "Compiled, ms": _ms(ours),
                        "Ratio": times(ratio_of(ours, roofline)),
                    }
                )
        return table(rows)

    def _cells(self, name: str) -> str:
        ours = self._median(name, OURS)
        rows = []
        for engine in self._engines():
            cell = self._cell(name, engine)
            if cell is not None:
                rows.append(
                    {
                        "Engine": ENGINES[engine].title,
                        "Median, ms": _ms(cell.median_ms),
                        "Over compiled": times(ratio_of(cell.median_ms, ours)),
                        "Steps": number(cell.steps, "d"),
                        "First call, s": number(cell.first_call_s, ".1f"),
                        "Peak, MB": number(cell.peak_mb, ".0f"),
                        "Off by": number(cell.deviation, ".0e"),
                        "Status": f"{cell.status}: {cell.note}" if cell.note else cell.status,
                    }
                )
        return table(rows)

    def _versions(self) -> str:
        lines = {
            ", ".join(f"{library} {version}" for library, version in cell.versions.items()): ENGINES[cell.engine].title
            for cell in self.cells
            if cell.versions
        }
        return "\n".join(f"- {versions}" for versions in lines)


def table(rows: Sequence[Mapping[str, str]]) -> str:
    """The rows in Markdown."""
    if not rows:
        return "Nothing was measured."
    frame = pd.DataFrame(rows).map(lambda text: text.replace("|", "\\|"))
    left = {"Workload", "Tutorial", "Engine", "Contender", "Figure", "Status", "Best peer, ms", "Best as written, ms"}
    alignment = ["left" if column in left else "right" for column in frame.columns]
    return frame.to_markdown(index=False, disable_numparse=True, tablefmt="pipe", colalign=alignment)


def _row(label: str, measured: float | None, limit: float, unit: str) -> dict[str, str]:
    shown = _NONE if measured is None else f"{measured:.1f}{unit}"
    return {"Figure": label, "Measured": shown, "At most": f"{limit:g}{unit}", "Verdict": verdict(measured, limit, 1)}


def _at_least(ratio: float | None, target: float | None) -> str:
    if target is None:
        return times(ratio)
    return f"{times(ratio)} ({target:g}x) {verdict(ratio, target, -1)}"


def verdict(measured: float | None, limit: float, sign: int) -> str:
    """Whether a figure is at most (sign 1) or at least (sign -1) its limit."""
    if measured is None:
        return "not measured"
    return "**reached**" if sign * measured <= sign * limit else "**missed**"


def ratio_of(numerator: float | None, denominator: float | None) -> float | None:
    """The first over the second, where both were measured."""
    return numerator / denominator if numerator is not None and denominator else None


def times(ratio: float | None) -> str:
    """How many times, in words."""
    return _NONE if ratio is None else f"{ratio:.3g}x" if ratio < 100 else f"{ratio:,.0f}x"


def _ms(milliseconds: float | None) -> str:
    return _NONE if milliseconds is None else f"{milliseconds:.3g}" if milliseconds < 100 else f"{milliseconds:,.0f}"


def number(value: float | None, form: str) -> str:
    """A number in this form, or that there is none."""
    return _NONE if value is None else format(value, form)
