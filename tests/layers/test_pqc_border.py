"""What PQC and ControlledPQC refuse, and how they say so."""

import cirq
import psutil
import pytest
import sympy
import tensorflow as tf
import tensorflow_quantum as tfq

from tests.layers.support import QUBITS, controlled_pair, model_circuit, operators
from tfq_fusion.layers import PQC, ControlledPQC

pytestmark = pytest.mark.keras


@pytest.mark.parametrize(
    "arguments",
    [
        {"model_circuit": "circuit"},
        {"model_circuit": cirq.Circuit(cirq.X(QUBITS[0]))},
        {"operators": "Z"},
        {"operators": [cirq.Z(QUBITS[0]), "Z"]},
        {"repetitions": 1.5},
        {"repetitions": 0},
        {"backend": "noisy"},
        {"backend": "other"},
        {"backend": cirq.Simulator, "repetitions": 3},
        {"differentiator": "Adjoint"},
    ],
)
@pytest.mark.parametrize("kind", [PQC, ControlledPQC])
def test_bad_arguments_raise_tensorflow_quantum_s_errors(kind, arguments):
    arguments = {"model_circuit": model_circuit(), "operators": operators(), **arguments}
    with pytest.raises((TypeError, ValueError)) as expected:
        getattr(tfq.layers, kind.__name__)(**arguments)
    with pytest.raises(expected.type) as found:
        kind(**arguments)
    assert str(found.value) == str(expected.value)


@pytest.mark.parametrize("kind", [PQC, ControlledPQC])
def test_more_qubits_than_the_machine_can_hold_are_refused(kind):
    qubits = cirq.LineQubit.range(45)
    circuit = cirq.Circuit(cirq.rx(sympy.Symbol("a")).on_each(*qubits))
    with pytest.raises(MemoryError, match=r"45 qubits needs at least 524,288 GiB .*'tfq'"):
        kind(circuit, cirq.Z(qubits[0]))
    kind(circuit, cirq.Z(qubits[0]), repetitions=1, backend=cirq.Simulator())  # a device might have them


def test_a_batch_that_does_not_fit_is_refused_when_called(monkeypatch):
    class Memory:
        available = 2**20

    layer = ControlledPQC(model_circuit(), operators())
    circuits = tf.repeat(tfq.convert_to_tensor([cirq.Circuit()]), 50_000)
    monkeypatch.setattr(psutil, "virtual_memory", Memory)
    with pytest.raises(MemoryError, match=r"for 50,000 samples, .* smaller batches"):
        layer([circuits, tf.zeros((50_000, 3))])


@pytest.mark.parametrize("repetitions", [None, 3])
@pytest.mark.parametrize("traced", [False, True])
@pytest.mark.parametrize("sizes", [(1, 3), (3, 2), (2, 0)])
def test_circuits_and_parameters_are_of_one_number(sizes, traced, repetitions):
    circuits, rows = sizes
    layer = ControlledPQC(model_circuit(), operators(), repetitions=repetitions)
    inputs = tfq.convert_to_tensor([cirq.Circuit()] * 3)[:circuits], tf.ones((rows, 3))
    run = lambda *inputs: layer(list(inputs))  # noqa: E731
    if traced:
        run = tf.function(run, input_signature=[tf.TensorSpec([None], tf.string), tf.TensorSpec([None, 3])])
    message = rf"Number of circuits and symbol_values do not match. Got {circuits} circuits and {rows} symbol values"
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        run(*inputs)


@pytest.mark.parametrize("kind", [PQC, ControlledPQC])
def test_circuits_are_a_list_of_strings(kind):
    layer = kind(model_circuit(), operators())
    circuits = tfq.convert_to_tensor([cirq.Circuit()] * 4)
    for wrong in (tf.reshape(circuits, (2, 2)), tf.reshape(circuits, (4, 1)), circuits[0], tf.zeros(4)):
        with pytest.raises(ValueError, match=r"Circuits should be strings of shape \[batch\].* got (string|float32)"):
            layer(wrong if kind is PQC else [wrong, tf.zeros((4, 3))])


def test_controlled_pqc_is_called_with_a_pair():
    with pytest.raises(ValueError, match=r"should be called with \[circuits, parameters\]"):
        controlled_pair()[0](tfq.convert_to_tensor([cirq.Circuit()] * 2))


def test_bad_inputs_are_named():
    ours, _ = controlled_pair()
    circuits = tfq.convert_to_tensor([cirq.Circuit()] * 2)
    with pytest.raises(ValueError, match=r"data should have shape \[None, 3\].*got \[2, 4\]"):
        ours([circuits, tf.zeros((2, 4))])
    unbound = tfq.convert_to_tensor([cirq.Circuit(cirq.rx(sympy.Symbol("x")).on(QUBITS[0]))])
    with pytest.raises(tf.errors.InvalidArgumentError, match="Could not find symbol in parameter map: x"):
        ours([unbound, tf.zeros((1, 3))])
    with pytest.raises(tf.errors.InvalidArgumentError, match="Unparseable proto"):
        ours([tf.constant(["no circuit"]), tf.zeros((1, 3))])


def test_other_backends_of_keras_are_refused(monkeypatch):
    monkeypatch.setattr("keras.backend.backend", lambda: "jax")
    with pytest.raises(RuntimeError, match=r"runs on TensorFlow, but Keras uses 'jax'.*CircuitLayer"):
        PQC(model_circuit(), operators())
