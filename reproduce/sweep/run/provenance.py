"""What computed a run: versions, commit, machine, memory."""

from __future__ import annotations

import functools
import importlib.metadata
import os
import platform
import re
import resource
import subprocess
from pathlib import Path

_PACKAGES = (
    "tfq-fusion", "tensorflow", "tensorflow-quantum", "jax", "jaxlib", "keras", "cirq-core", "numpy", "scikit-learn",
)  # fmt: skip
_ROOT = Path(__file__).resolve().parents[3]


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that a number depends on; "none" of one that is not installed."""
    return {"python": platform.python_version()} | {name: _version(name) for name in _PACKAGES}


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "none"


@functools.cache
def commit() -> str | None:
    """The git commit of the code, with "+changes" if the code differs from it; None outside a checkout.

    Only the two packages count as code: the tables of the results folder change with every command.
    """
    # An environment can lie inside a checkout of something else, which then does not know this file.
    head = _git("rev-parse", "HEAD") if _git("ls-files", "--error-unmatch", __file__) else None
    if head is None:
        return None
    return head + ("+changes" if _git("status", "--porcelain", "--", "tfq_fusion", "reproduce") else "")


def _git(*arguments: str) -> str | None:
    command = ["git", "--no-optional-locks", "-C", str(_ROOT), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None


@functools.cache
def machine() -> str:
    """Processor and number of cores, such as "AMD EPYC 7763 64-Core Processor, 2 cores"."""
    cpuinfo = Path("/proc/cpuinfo")
    named = re.search(r"^model name\s*: (.+)$", cpuinfo.read_text(), re.MULTILINE) if cpuinfo.exists() else None
    return f"{named[1] if named else platform.machine()}, {os.cpu_count()} cores"


def peak_memory_mb() -> float:
    """The most memory that this process has held at once since it started, in MB (10^6 bytes)."""
    status = Path("/proc/self/status")
    # Linux begins ru_maxrss with the memory of the process that started this one.
    peak = re.search(r"^VmHWM:\s*(\d+) kB$", status.read_text(), re.MULTILINE) if status.exists() else None
    kibibytes = int(peak[1]) if peak else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(kibibytes * 1024 / 1e6, 1)
