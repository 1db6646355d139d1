"""What is measured with and without a line still has that line."""

import pkgutil

import pytest

from bench.workloads import WORKLOADS
from bench.xla import LINES


@pytest.mark.parametrize("line", LINES.values(), ids=LINES)
def test_lines_are_where_they_are_replaced(line):
    assert pkgutil.resolve_name(f"tfq_fusion.engines.compiled.{line.place}") is not None
    assert callable(line.instead) and line.workload in WORKLOADS
