"""A problem as this library is given it."""

from __future__ import annotations

import sympy

from bench.problem import Problem
from tfq_fusion.circuits import ModelCircuit


def model_circuit(problem: Problem) -> ModelCircuit:
    """The circuit of a problem."""
    data, weights = (tuple(map(sympy.Symbol, names)) for names in (problem.data_symbols, problem.weight_symbols))
    return ModelCircuit(problem.circuit, data, weights, problem.operators)
