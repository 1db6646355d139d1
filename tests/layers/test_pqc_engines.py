"""What of PQC and ControlledPQC is compiled, and what is left to TensorFlow Quantum."""

import cirq
import numpy as np
import psutil
import pytest
import sympy
import tensorflow as tf
import tensorflow_quantum as tfq

from tests.layers.support import ANOTHER, QUBITS, controlled_pair, data_circuits, model_circuit, operators
from tfq_fusion.engines.serialized import Execution
from tfq_fusion.layers import PQC, ControlledPQC

pytestmark = pytest.mark.keras


def test_observables_may_act_on_qubits_of_the_data_circuits_alone():
    rng = np.random.default_rng(1)
    arguments = model_circuit(), cirq.Z(ANOTHER)
    circuits = tfq.convert_to_tensor([cirq.Circuit(cirq.ry(0.3).on(ANOTHER)), cirq.Circuit(cirq.X(ANOTHER))])
    parameters = tf.constant(rng.uniform(-4, 4, (2, 3)), tf.float32)
    values = ControlledPQC(*arguments)([circuits, parameters])
    np.testing.assert_allclose(values, [[np.cos(0.3)], [-1]], atol=1e-5)


@pytest.mark.parametrize(
    ("arguments", "tolerance"),
    [
        ({"repetitions": 20000}, 0.1),
        ({"repetitions": 20000, "differentiator": "ParameterShift"}, 0.1),
        ({"repetitions": 20000, "backend": cirq.Simulator(seed=0)}, 0.1),
        ({"backend": cirq.Simulator()}, 1e-5),
        ({"backend": None}, 1e-5),
        ({"differentiator": "Adjoint"}, 1e-5),
        ({"differentiator": "ParameterShift"}, 1e-5),
        ({"differentiator": "ForwardDifference"}, 1e-5),
    ],
)
@pytest.mark.parametrize("kind", [PQC, ControlledPQC])
def test_repetitions_backend_and_differentiator_are_used(kind, arguments, tolerance):
    if "differentiator" in arguments:
        arguments = {**arguments, "differentiator": getattr(tfq.differentiators, arguments["differentiator"])()}
    layer = kind(model_circuit(), operators(), **arguments)
    circuits = tfq.convert_to_tensor(data_circuits(np.random.default_rng(4), 2))
    weights = tf.constant([0.3, -0.4, 1.2])
    shared = tf.repeat(weights[tf.newaxis], 2, axis=0)
    if kind is PQC:
        layer.set_weights([weights.numpy()])
    found = layer(circuits if kind is PQC else [circuits, shared])
    _, exact = controlled_pair()
    expected = exact([circuits, shared])
    np.testing.assert_allclose(found, expected, atol=tolerance)
    if "repetitions" in arguments:
        assert np.abs(found - expected).max() > 1e-5


@pytest.mark.parametrize(("gate", "compiled"), [(cirq.CZ, True), (cirq.ISWAP, False)])
def test_gates_that_tensorflow_quantum_shifts_otherwise_are_left_to_it(gate, compiled):
    circuit = cirq.Circuit(cirq.H.on_each(*QUBITS), gate(*QUBITS[:2]) ** sympy.Symbol("a"))
    shift = tfq.differentiators.ParameterShift()
    execution = Execution(circuit, cirq.X(QUBITS[0]), 5, "noiseless", shift, trained=False)
    assert (execution.spec is not None) == compiled


def test_what_cannot_be_compiled_is_tensorflow_quantum_s_to_refuse():
    qubit = cirq.LineQubit(0)
    noisy = cirq.Circuit(cirq.rx(sympy.Symbol("a")).on(qubit), cirq.depolarize(0.1).on(qubit))
    for layer in (tfq.layers.ControlledPQC(noisy, cirq.Z(qubit)), ControlledPQC(noisy, cirq.Z(qubit))):
        with pytest.raises(tf.errors.InvalidArgumentError, match="Could not parse gate id: DP"):
            layer([tfq.convert_to_tensor([cirq.Circuit()]), tf.constant([[0.4]])])


def test_what_the_compiled_engine_cannot_hold_runs_in_tensorflow_quantum(monkeypatch):
    class Memory:
        available = 8 * 16  # three qubits

    _, theirs = controlled_pair()  # which is kept, and made while there is memory
    monkeypatch.setattr(psutil, "virtual_memory", Memory)
    layer = ControlledPQC(model_circuit(), operators())
    assert Execution(model_circuit(), operators(), None, "noiseless", None, trained=False).spec is None
    inputs = [tfq.convert_to_tensor([cirq.Circuit()]), tf.constant([[0.3, -0.4, 1.2]])]
    np.testing.assert_allclose(layer(inputs), theirs(inputs), atol=1e-5)


def test_a_circuit_that_takes_minutes_to_compile_runs_in_tensorflow_quantum():
    first, second, _ = QUBITS
    rng, turn = np.random.default_rng(0), cirq.rx(sympy.Symbol("a"))
    # At random: layers that are alike would be compiled once.
    circuit = cirq.Circuit([turn.on(QUBITS[rng.integers(2)]), cirq.CNOT(first, second)] for _ in range(1_500))
    inputs = [tfq.convert_to_tensor([cirq.Circuit()]), tf.constant([[0.01]])]
    ours, theirs = (kind(circuit, cirq.Z(first)) for kind in (ControlledPQC, tfq.layers.ControlledPQC))
    np.testing.assert_allclose(ours(inputs), theirs(inputs), atol=1e-5)
