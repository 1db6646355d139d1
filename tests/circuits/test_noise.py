"""Where noise goes."""

import cirq
import numpy as np
import pytest

from tfq_fusion.circuits import KrausGate, ModelCircuit, with_noise

FIRST, SECOND = cirq.LineQubit.range(2)
CIRCUIT = cirq.Circuit(cirq.H(FIRST), cirq.CNOT(FIRST, SECOND))


def test_a_channel_follows_every_gate_on_each_of_its_qubits():
    noise = cirq.depolarize(0.1)
    expected = [cirq.H(FIRST), noise(FIRST), cirq.CNOT(FIRST, SECOND), noise(FIRST), noise(SECOND)]
    before = CIRCUIT.copy()
    assert list(with_noise(CIRCUIT, noise).all_operations()) == expected
    assert before == CIRCUIT


def test_a_model_says_itself_where_it_acts():
    model = cirq.NoiseModel.from_noise_model_like(cirq.bit_flip(0.1))
    assert with_noise(CIRCUIT, model) == CIRCUIT.with_noise(model)


@pytest.mark.parametrize(
    ("noise", "error", "message"),
    [
        (0.1, TypeError, r"such as cirq\.depolarize\(0\.01\), or a noise model of Cirq, got float"),
        (cirq.depolarize(0.1, n_qubits=2), ValueError, "should act on one qubit, got .* acts on 2"),
    ],
)
def test_anything_else_is_refused(noise, error, message):
    with pytest.raises(error, match=message):
        with_noise(CIRCUIT, noise)


def test_channels_that_cirq_cannot_hash_become_values():
    operators = cirq.kraus(cirq.amplitude_damp(0.3))
    mixture = cirq.MixedUnitaryChannel([(0.25, cirq.unitary(cirq.X)), (0.75, np.eye(2))])
    spec = ModelCircuit(cirq.Circuit(cirq.KrausChannel(operators)(FIRST), mixture(SECOND)), (), (), cirq.Z(FIRST))
    first, second = spec.circuit.all_operations()
    assert first.gate == KrausGate(operators)
    assert hash(spec) == hash(ModelCircuit(spec.circuit, (), (), cirq.Z(FIRST)))
    for own, other in ((first, cirq.KrausChannel(operators)), (second, mixture)):
        np.testing.assert_allclose(
            cirq.kraus_to_superoperator(cirq.kraus(own)), cirq.kraus_to_superoperator(cirq.kraus(other)), atol=1e-12
        )


@pytest.mark.parametrize(
    ("operators", "message"),
    [
        (np.eye(2), r"shape \[count, 2\*\*n, 2\*\*n\], got \[2, 2\]"),
        ([np.eye(3)], r"got \[1, 3, 3\]"),
        ([np.eye(2), np.eye(2)], "should add up to the identity"),
    ],
)
def test_operators_that_are_no_channel_are_refused(operators, message):
    with pytest.raises(ValueError, match=message):
        KrausGate(operators)
