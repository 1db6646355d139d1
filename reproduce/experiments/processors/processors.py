"""The same circuits on Google's processors, as ``cirq_google`` describes them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import cirq
import cirq_google
import numpy as np
from cirq_google.engine.virtual_engine_factory import create_device_from_processor_id, load_median_device_calibration

from reproduce.sweep.runs import FINISHED, RunResult, RunSpec
from tfq_fusion.circuits import ModelCircuit, hardware_mix, qfl_circuit

GATES: dict[str, type[cirq.TwoQubitCompilationTargetGateset]] = {
    "cz": cirq.CZTargetGateset,
    "sqrt_iswap": cirq.SqrtIswapTargetGateset,
}
"""Two-qubit gates that the processors have. The calibrations tell errors of the second alone."""

UNROUTED = "unrouted"
"""A machine on which every pair of qubits is coupled."""


@dataclasses.dataclass(frozen=True)
class Compiled:
    """A circuit for a processor.

    Attributes:
        circuit: Of native gates, on qubits of the processor.
        qubits: Logical qubit -> the physical one that holds it in the end.
    """

    circuit: cirq.Circuit
    qubits: dict[cirq.Qid, cirq.Qid]

    @property
    def two_qubit_gates(self) -> int:
        """How many gates act on two qubits."""
        return sum(len(operation.qubits) == 2 for operation in self.circuit.all_operations())


def compile_for(circuit: cirq.Circuit, processor: str, gates: str) -> Compiled:
    """Route a circuit on a processor's grid, then write it in native gates: one of two qubits, and PhasedXZ.

    Args:
        circuit: Without symbols.
        processor: "rainbow", "weber" or :data:`UNROUTED`.
        gates: One of :data:`GATES`.
    """
    places = {qubit: qubit for qubit in circuit.all_qubits()}
    if processor != UNROUTED:
        graph = create_device_from_processor_id(processor).metadata.nx_graph
        circuit, start, moved = cirq.RouteCQC(graph).route_circuit(circuit)
        places = {qubit: moved[start[qubit]] for qubit in places}
    return Compiled(cirq.optimize_for_target_gateset(circuit, gateset=GATES[gates]()), places)


def device_circuit(spec: RunSpec) -> RunResult:
    """What a circuit with random angles costs on a processor.

    Args:
        spec: With these options: "modalities"; "processor" and "gates", as :func:`compile_for` takes
            them. Features as the protocol says.

    Returns:
        The result, with the test metrics "two_qubit_gates" and "depth" (moments).
    """
    options = dict(spec.options)
    modalities, features = int(options["modalities"]), spec.protocol.features
    assert spec.degree is not None
    circuit = qfl_circuit(modalities, features, spec.degree, observables=1, hardware=True, **dict(spec.arguments))
    rng = np.random.default_rng(spec.seed)
    angles = rng.uniform(-np.pi / 2, np.pi / 2, modalities * features)
    weights = rng.uniform(-np.pi, np.pi, len(circuit.weight_symbols))
    bound = bind(circuit, angles @ hardware_mix(len(angles)), weights)
    compiled = compile_for(bound, options["processor"], options["gates"])
    metrics = {"two_qubit_gates": float(compiled.two_qubit_gates), "depth": float(len(compiled.circuit))}
    return RunResult(spec, FINISHED, modalities, fusion_params=len(weights), metrics={"test": metrics})


def bind(circuit: ModelCircuit, data: np.ndarray, weights: np.ndarray) -> cirq.Circuit:
    """The circuit with numbers in place of its symbols: ``data [n_data]`` and ``weights [n_weights]``."""
    symbols = (*circuit.data_symbols, *circuit.weight_symbols)
    return cirq.resolve_parameters(circuit.circuit, dict(zip(symbols, (*data, *weights), strict=True)))


def on_device(circuit: ModelCircuit, data: np.ndarray, weights: np.ndarray, processor: str) -> np.ndarray:
    """Expectation values on a processor's virtual machine, readout errors included.

    Args:
        circuit: The circuit; its operators are Pauli strings.
        data: ``[batch, n_data]``.
        weights: ``[n_weights]``.
        processor: "rainbow" or "weber".

    Returns:
        ``[batch, n_operators]``, float64.
    """
    properties = cirq_google.noise_properties_from_calibration(load_median_device_calibration(processor))
    noise = cirq_google.NoiseModelFromGoogleNoiseProperties(properties)
    simulator = cirq.DensityMatrixSimulator(noise=noise)
    rows = []
    for sample in data:
        compiled = compile_for(bind(circuit, sample, weights), processor, "sqrt_iswap")
        operators = [read_out(operator, compiled.qubits, properties.readout_errors) for operator in circuit.operators]
        rows.append(np.real(simulator.simulate_expectation_values(compiled.circuit, operators)))
    return np.array(rows)


def read_out(
    operator: cirq.PauliSum, qubits: Mapping[cirq.Qid, cirq.Qid], errors: Mapping[cirq.Qid, Any]
) -> cirq.PauliSum:
    """The observable that is measured in place of a Pauli string.

    If a qubit's result 0 is read as 1 with probability a, and 1 as 0 with b, then in place of each factor Z, or X or Y
    after a rotation, (1 - a - b) Z + (b - a) is measured.

    Args:
        operator: One Pauli string.
        qubits: Logical qubit -> physical qubit.
        errors: Physical qubit -> (a, b).
    """
    (string,) = operator
    product = cirq.PauliSum.from_pauli_strings(cirq.PauliString(coefficient=string.coefficient))
    for qubit, pauli in string.items():
        read_as_one, read_as_zero = errors[qubits[qubit]]
        factor = (1 - read_as_one - read_as_zero) * pauli(qubits[qubit])
        product *= factor + float(read_as_zero - read_as_one)
    return product
