"""Circuits for Google's processors: the same values, native gates, and the virtual machine's noise."""

import cirq
import cirq_google
import numpy as np
import pytest
from cirq_google.engine.virtual_engine_factory import (
    create_default_noisy_quantum_virtual_machine,
    create_device_from_processor_id,
    load_median_device_calibration,
)

from reproduce.experiments.processors.processors import (
    UNROUTED,
    Compiled,
    bind,
    compile_for,
    device_circuit,
    on_device,
    read_out,
)
from reproduce.sweep.runs import RunSpec
from tfq_fusion.circuits import hardware_mix, qfl_circuit
from tfq_fusion.training import Protocol


def problem(modalities=3, features=1, samples=1, **arguments):
    """A hardware circuit, of 3 qubits if nothing else is said, samples and weights."""
    circuit = qfl_circuit(modalities, features, 1, hardware=True, **arguments)
    rng = np.random.default_rng(0)
    data = rng.uniform(-1, 1, (samples, modalities * features)) @ hardware_mix(modalities * features)
    return circuit, data, rng.uniform(-3, 3, len(circuit.weight_symbols))


def native(circuit, data, weights, processor):
    """A circuit that was compiled with its symbols, with a sample's numbers in their place, and merged by Cirq."""
    compiled = compile_for(circuit.circuit, processor, "sqrt_iswap")
    symbols = (*circuit.data_symbols, *circuit.weight_symbols)
    bound = cirq.resolve_parameters(compiled.circuit, dict(zip(symbols, (*data, *weights), strict=True)))
    merged = cirq.drop_negligible_operations(cirq.merge_single_qubit_moments_to_phxz(bound))
    return Compiled(cirq.drop_empty_moments(merged), compiled.qubits)


@pytest.mark.parametrize("processor", ["rainbow", "weber", UNROUTED])
@pytest.mark.parametrize("gates", ["cz", "sqrt_iswap"])
def test_a_compiled_circuit_is_native_and_has_the_same_values(processor, gates):
    circuit, data, weights = problem(observables=7)
    bound = bind(circuit, data[0], weights)
    compiled = compile_for(bound, processor, gates)
    if processor != UNROUTED:
        create_device_from_processor_id(processor).validate_circuit(compiled.circuit)
    assert {type(operation.gate) for operation in compiled.circuit.all_operations()} == {
        cirq.PhasedXZGate, cirq.CZPowGate if gates == "cz" else cirq.ISwapPowGate,
    }  # fmt: skip
    simulator = cirq.Simulator(dtype=np.complex128)
    moved = [cirq.PauliSum.from_pauli_strings(s.map_qubits(compiled.qubits) for s in o) for o in circuit.operators]
    np.testing.assert_allclose(
        simulator.simulate_expectation_values(compiled.circuit, moved),
        simulator.simulate_expectation_values(bound, list(circuit.operators)),
        atol=1e-6,
    )


def test_the_compiled_circuit_is_the_same_for_all_samples_and_has_the_values_of_each():
    circuit, data, weights = problem(2, 2, samples=2, observables=7)
    for sample in data:
        compiled = native(circuit, sample, weights, "weber")
        create_device_from_processor_id("weber").validate_circuit(compiled.circuit)
        assert {type(operation.gate) for operation in compiled.circuit.all_operations()} == {
            cirq.PhasedXZGate, cirq.ISwapPowGate,
        }  # fmt: skip
        moved = [cirq.PauliSum.from_pauli_strings(s.map_qubits(compiled.qubits) for s in o) for o in circuit.operators]
        np.testing.assert_allclose(
            cirq.Simulator(dtype=np.complex128).simulate_expectation_values(compiled.circuit, moved),
            cirq.Simulator(dtype=np.complex128).simulate_expectation_values(
                bind(circuit, sample, weights), list(circuit.operators)
            ),
            atol=1e-6,
        )


def test_routing_and_square_root_iswaps_cost_gates():
    def cost(processor, gates):
        options = {"modalities": 3, "processor": processor, "gates": gates}
        shared = {"experiment": "device-circuit", "protocol": Protocol(features=2), "seed": 0}
        return device_circuit(RunSpec(fusion="qfl", degree=1, options=options, **shared)).metrics["test"]

    free = cost(UNROUTED, "cz")
    assert free["two_qubit_gates"] == 8 + 2 * 6  # the CNOTs of S(x), and the CZs of two unitaries on four qubits
    for processor, gates in (("rainbow", "cz"), (UNROUTED, "sqrt_iswap")):
        dearer = cost(processor, gates)
        assert dearer["two_qubit_gates"] > free["two_qubit_gates"] and dearer["depth"] > free["depth"]


def test_read_out_is_what_counting_wrong_results_gives():
    a, b = cirq.LineQubit.range(2)
    errors = {a: (0.02, 0.1), b: (0.05, 0.2)}
    state = cirq.testing.random_superposition(4, random_state=0)
    confusion = np.kron(*([[1 - p, q], [p, 1 - q]] for p, q in (errors[a], errors[b])))
    expected = [1, -1, -1, 1] @ confusion @ np.abs(state) ** 2
    operator = cirq.PauliSum.from_pauli_strings(cirq.Z(a) * cirq.Z(b))
    found = read_out(operator, {a: a, b: b}, errors).expectation_from_state_vector(state, {a: 0, b: 1})
    assert found == pytest.approx(expected, abs=1e-6)


def test_read_out_is_the_same_to_the_last_bit_in_whatever_order_a_sum_keeps_its_qubits():
    errors = [[0.0324, 0.0512], [0.0182, 0.0476], [0.0144, 0.0746], [0.0068, 0.0752]]
    seen = set()
    for first in range(20):
        qubits = cirq.LineQubit.range(first, first + len(errors))
        operator = cirq.PauliSum.from_pauli_strings(cirq.DensePauliString("ZYYX").on(*qubits))
        found = read_out(operator, {each: each for each in qubits}, dict(zip(qubits, errors, strict=True)))
        seen.add(tuple(sorted(string.coefficient.real for string in found)))
    assert len(seen) == 1


@pytest.mark.parametrize("features", [1, pytest.param(2, marks=pytest.mark.slow)])
@pytest.mark.parametrize("processor", ["rainbow", "weber"])
def test_values_on_a_processor_are_those_that_cirq_simulates_sample_by_sample(processor, features):
    circuit, data, weights = problem(3, features, samples=3, observables=16)
    properties = cirq_google.noise_properties_from_calibration(load_median_device_calibration(processor))
    simulator = cirq.DensityMatrixSimulator(
        noise=cirq_google.NoiseModelFromGoogleNoiseProperties(properties), dtype=np.complex128
    )
    expected = []
    for sample in data:
        compiled = native(circuit, sample, weights, processor)
        operators = [read_out(operator, compiled.qubits, properties.readout_errors) for operator in circuit.operators]
        expected.append(np.real(simulator.simulate_expectation_values(compiled.circuit, operators)))
    assert np.abs(expected).max() > 0.01
    np.testing.assert_allclose(on_device(circuit, data, weights, processor), expected, atol=1e-5)


def test_values_on_a_processor_are_those_of_its_virtual_machine():
    circuit, data, weights = problem(measurement="computational", observables=7)
    found = on_device(circuit, data, weights, "rainbow")[0]
    compiled = native(circuit, data[0], weights, "rainbow")
    qubits = [compiled.qubits[qubit] for qubit in cirq.LineQubit.range(3)]
    machine = create_default_noisy_quantum_virtual_machine(
        "rainbow", simulator_class=cirq.DensityMatrixSimulator, seed=0
    )
    measured = compiled.circuit + cirq.Circuit(cirq.measure(*qubits, key="all"))
    bits = machine.get_sampler("rainbow").run(measured, repetitions=20_000).measurements["all"]
    signs = {qubit: 1 - 2 * bits[:, place].astype(float) for place, qubit in enumerate(cirq.LineQubit.range(3))}
    expected = [np.prod([signs[qubit] for qubit in operator.qubits], axis=0).mean() for operator in circuit.operators]
    np.testing.assert_allclose(found, expected, atol=5 / np.sqrt(20_000))
    ideal = cirq.Simulator().simulate_expectation_values(bind(circuit, data[0], weights), list(circuit.operators))
    assert np.abs(found - np.real(ideal)).max() > 0.1
