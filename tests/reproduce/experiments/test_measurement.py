"""Ranks of measurements, against density matrices in Cirq and against counting."""

import cirq
import numpy as np
import pytest

from reproduce.experiments.expressivity.feature_map_rank import feature_map_rank
from reproduce.sweep.runs import RunSpec
from tfq_fusion.circuits import qfl_circuit
from tfq_fusion.training import Protocol


def ranks(outputs, degree=1, modalities=2, features=3, **arguments):
    spec = RunSpec(
        fusion="qfl",
        seed=0,
        protocol=Protocol(features=features, units=outputs),
        experiment="feature-map-rank",
        options={"modalities": modalities},
        degree=degree,
        arguments=arguments,
    )
    return feature_map_rank(spec).metrics["test"]


def test_rank_of_the_states_is_that_of_their_density_matrices():
    circuit = qfl_circuit(2, 1, 1, observables=1)
    rng = np.random.default_rng(1)
    weights = dict(zip(circuit.weight_symbols, rng.uniform(-3, 3, len(circuit.weight_symbols)), strict=True))
    inputs = [dict(zip(circuit.data_symbols, row, strict=True)) for row in rng.uniform(-3, 3, (70, 2))]
    simulator = cirq.Simulator(dtype=np.complex128)
    states = [simulator.simulate(circuit.circuit, {**weights, **each}).final_state_vector for each in inputs]
    matrices = np.array([np.outer(state, state.conj()).ravel() for state in states])
    expected = np.linalg.matrix_rank(matrices - matrices.mean(axis=0), tol=1e-6)
    found = ranks(63, features=1)
    assert found == {"rank_operators": 63, "rank_outputs": expected, "rank_states": expected}
    assert expected < 63


@pytest.mark.parametrize(
    ("outputs", "arguments", "rank"),
    [
        (15, {"measurement": "computational"}, 15),
        (12, {"measurement": "random_pauli", "locality": 1}, 3 * 4),
        # The strings of weight 2 on 4 qubits.
        pytest.param(255, {"measurement": "pauli_plane"}, 6 * 9, marks=pytest.mark.slow),
        pytest.param(255, {"measurement": "pauli_plane", "locality": 4}, 3**4, marks=pytest.mark.slow),
        pytest.param(255, {"measurement": "random_pauli"}, 4**4 - 1, marks=pytest.mark.slow),
    ],
)
def test_a_measurement_spans_no_more_than_its_strings(outputs, arguments, rank):
    found = ranks(outputs, degree=2, **arguments)
    assert found == {"rank_operators": rank, "rank_outputs": rank, "rank_states": 255}


def test_with_one_repetition_the_states_do_not_fill_their_space():
    found = ranks(255, degree=1)
    assert found["rank_outputs"] == found["rank_states"] < found["rank_operators"]
