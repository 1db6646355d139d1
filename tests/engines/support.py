"""What tests of the compiled engine share: random circuits, and what Cirq says of them."""

import contextlib

import cirq
import numpy as np
import tensorflow as tf

from tfq_fusion.circuits import ModelCircuit, padded_symbols
from tfq_fusion.engines import expectation

ONE = [cirq.XPowGate, cirq.YPowGate, cirq.ZPowGate, cirq.HPowGate]
TWO = [
    cirq.CZPowGate, cirq.CNotPowGate, cirq.SwapPowGate, cirq.ISwapPowGate,
    cirq.XXPowGate, cirq.YYPowGate, cirq.ZZPowGate,
]  # fmt: skip


def random_circuit(rng, qubits, gates, data, weights, controlled=True):
    """Gates of TensorFlow Quantum's set with exponents that are numbers, or multiples of data or weight symbols."""

    def exponent(kind=None):
        kind = rng.integers(3) if kind is None else kind
        if kind == 0:
            return float(rng.uniform(-2, 2)) if rng.random() < 0.7 else 1.0
        return float(rng.uniform(-1.5, 1.5)) * (data if kind == 1 else weights)[rng.integers(len(data))]

    operations = [cirq.I(qubit) for qubit in qubits]
    # TensorFlow Quantum's layer wants at least one symbol.
    operations += [cirq.ry(data[0]).on(qubits[0]), cirq.rx(weights[0]).on(qubits[0])]
    for _ in range(gates):
        chosen = [qubits[i] for i in rng.permutation(len(qubits))]
        family = rng.integers(5)
        if family == 0:
            operation = [cirq.rx, cirq.ry, cirq.rz][rng.integers(3)](exponent()).on(chosen[0])
            used = 1
        elif family == 1:
            gate = ONE[rng.integers(len(ONE))](exponent=exponent(), global_shift=float(rng.choice([0, -0.5, 0.3])))
            operation, used = gate.on(chosen[0]), 1
        elif family == 2:
            kind = rng.integers(3)  # TensorFlow Quantum fails where one parameter is a number and one is not
            gate = cirq.PhasedXPowGate(phase_exponent=exponent(kind), exponent=exponent(kind))
            operation, used = gate.on(chosen[0]), 1
        elif family == 3:
            gate = TWO[rng.integers(len(TWO))](exponent=exponent())
            operation, used = gate.on(*chosen[:2]), 2
        else:
            kind = rng.integers(3)
            gate = [
                cirq.FSimGate(theta=exponent(kind), phi=exponent(kind)),
                cirq.PhasedISwapPowGate(phase_exponent=exponent(kind), exponent=exponent(kind)),
            ][rng.integers(2)]
            operation, used = gate.on(*chosen[:2]), 2
        if controlled and rng.random() < 0.3 and used < len(qubits):
            count = int(rng.integers(1, len(qubits) - used + 1))
            controls, values = chosen[used : used + count], rng.integers(2, size=count).tolist()
            # Not controlled_by: it may choose a three-qubit gate, which TensorFlow Quantum cannot serialise.
            operation = cirq.ControlledOperation(controls, operation, control_values=values)
        operations.append(operation)
    return cirq.Circuit(operations)


def random_operators(rng, qubits, count):
    sums = []
    for _ in range(count):
        total = cirq.PauliSum() + float(rng.normal())
        for _ in range(rng.integers(1, 4)):
            letters = rng.integers(4, size=len(qubits))
            string = cirq.PauliString(
                [cirq.X, cirq.Y, cirq.Z][letter - 1](qubit)
                for letter, qubit in zip(letters, qubits, strict=True)
                if letter
            )
            total += float(rng.normal()) * string
        sums.append(total)
    return tuple(sums)


def random_spec(seed, qubits, gates, **arguments):
    rng = np.random.default_rng(seed)
    line = cirq.LineQubit.range(qubits)
    data, weights = padded_symbols("x", 3), padded_symbols("w", 3)
    circuit = random_circuit(rng, line, gates, data, weights, **arguments)
    return ModelCircuit(circuit, data, weights, random_operators(rng, line, 2)), rng


def simulated(spec, data, weights, initial=None):
    simulator = cirq.Simulator(dtype=np.complex128)
    symbols = (*spec.data_symbols, *spec.weight_symbols)
    rows = []
    for number, row in enumerate(data):
        rows.append(
            simulator.simulate_expectation_values(
                spec.circuit,
                list(spec.operators),
                param_resolver=dict(zip(symbols, (*row, *weights), strict=True)),
                initial_state=0 if initial is None else initial[number],
            )
        )
    return np.real(rows)


def values_and_gradients(spec, data, weights, upstream, dtype, engine="compiled"):
    inputs = [tf.cast(data, dtype), tf.cast(weights, dtype)]
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        values = expectation(spec, *inputs, engine=engine)
        loss = tf.reduce_sum(tf.constant(upstream, values.dtype) * values)
    return values, *tape.gradient(loss, inputs)


@contextlib.contextmanager
def uncompiled():
    """Does the same operations one by one: XLA compiles every circuit anew, which takes seconds."""
    tf.config.run_functions_eagerly(True)
    try:
        yield
    finally:
        tf.config.run_functions_eagerly(False)


def hold_against_the_simulator(spec, rng, batch, how):
    arrays = rng.uniform(-2, 2, (batch, len(spec.data_symbols))), rng.uniform(-2, 2, len(spec.weight_symbols))
    upstream = rng.normal(size=(batch, len(spec.operators))) / batch
    with how():
        found, *gradients = values_and_gradients(spec, *arrays, upstream, tf.float64)
    assert found.dtype == tf.float64
    np.testing.assert_allclose(found, simulated(spec, *arrays), atol=1e-10)
    for position, gradient in enumerate(gradients):
        # Signs at random: no coordinate's error escapes, but for two that cancel.
        direction = rng.choice([-1, 1], arrays[position].shape)
        shifted = [[*arrays], [*arrays]]
        shifted[0][position] = arrays[position] + 1e-5 * direction
        shifted[1][position] = arrays[position] - 1e-5 * direction
        losses = [np.sum(upstream * simulated(spec, *each)) for each in shifted]
        np.testing.assert_allclose(np.sum(gradient * direction), (losses[0] - losses[1]) / 2e-5, atol=1e-6)
