"""The same circuits on Google's processors, as ``cirq_google`` describes them."""

from __future__ import annotations

import dataclasses
import functools
import itertools
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

import cirq
import cirq_google
import numpy as np
from cirq_google.engine.virtual_engine_factory import create_device_from_processor_id, load_median_device_calibration

from reproduce.sweep.runs import FINISHED, RunResult, RunSpec
from tfq_fusion.circuits import ModelCircuit, hardware_mix, qfl_circuit
from tfq_fusion.engines import expectation

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


def compile_for(circuit: cirq.AbstractCircuit, processor: str, gates: str) -> Compiled:
    """Route a circuit on a processor's grid, then write it in native gates: one of two qubits, and PhasedXZ.

    Cirq merges a gate with symbols with no other, so that such gates stay, of one qubit and as they were, between
    native ones.

    Args:
        circuit: The circuit; those of its gates that have symbols act on one qubit.
        processor: "rainbow", "weber" or :data:`UNROUTED`.
        gates: One of :data:`GATES`.
    """
    places = {qubit: qubit for qubit in circuit.all_qubits()}
    if processor != UNROUTED:
        metadata: Any = create_device_from_processor_id(processor).metadata
        circuit, start, moved = cirq.RouteCQC(metadata.nx_graph).route_circuit(circuit)
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

    The circuit is compiled once, with its symbols: which gates it has, and so where noise acts, is the same for all
    samples and weights.

    Args:
        circuit: The circuit; its operators are Pauli strings.
        data: ``[batch, n_data]``.
        weights: ``[n_weights]``.
        processor: "rainbow" or "weber".

    Returns:
        ``[batch, n_operators]``, float64.
    """
    noisy, qubits, errors = _noisy(dataclasses.replace(circuit, operators=()), processor)
    rows = {frozenset(string.items()): row for row, (string,) in enumerate(noisy.operators)}
    coefficients = np.zeros((len(rows), len(circuit.operators)))
    for column, operator in enumerate(circuit.operators):
        for string in read_out(operator, qubits, errors):
            coefficients[rows[frozenset(string.items())], column] = np.real(string.coefficient)
    return np.asarray(expectation(noisy, data, weights)) @ coefficients


@functools.cache
def _noisy(
    circuit: ModelCircuit, processor: str
) -> tuple[ModelCircuit, Mapping[cirq.Qid, cirq.Qid], Mapping[cirq.Qid, Any]]:
    """A circuit on a processor, with noise; logical qubit -> physical qubit; the readout errors of these.

    All Pauli strings are measured, so that one program serves whatever observables a seed has drawn.
    """
    compiled = compile_for(circuit.circuit, processor, "sqrt_iswap")
    properties = cirq_google.noise_properties_from_calibration(load_median_device_calibration(processor))
    noisy = with_device_noise(compiled.circuit, cirq_google.NoiseModelFromGoogleNoiseProperties(properties))
    qubits = compiled.qubits.values()
    strings = (cirq.DensePauliString(paulis).on(*qubits) for paulis in itertools.product("IXYZ", repeat=len(qubits)))
    model = ModelCircuit(noisy, circuit.data_symbols, circuit.weight_symbols, tuple(strings))
    return model, compiled.qubits, properties.readout_errors


def with_device_noise(circuit: cirq.Circuit, noise: cirq.NoiseModel) -> cirq.Circuit:
    """A compiled circuit with a processor's noise, whatever the values of its symbols.

    Single-qubit gates in a row are one PhasedXZ on the processor, which Cirq makes of numbers alone. Noise depends on
    the kind and the qubits of a gate, so that any PhasedXZ stands for them while it is added. Where the values of the
    symbols make an identity of them, Cirq would leave it out; here it is a gate like others.

    Args:
        circuit: As :func:`compile_for` makes it.
        noise: The noise of native gates.

    Returns:
        The gates as they were, and channels between them.
    """
    stand_in = cirq.PhasedXZGate(x_exponent=0.0, z_exponent=0.0, axis_phase_exponent=0.0)

    def native(operations: Iterable[cirq.Operation]) -> cirq.Moment:
        rows: dict[tuple[cirq.Qid, ...], list[cirq.Operation]] = defaultdict(list)
        for operation in operations:
            rows[operation.qubits].append(operation)
        return cirq.Moment(
            row[0] if len(qubits) == 2 else stand_in.on(*qubits).with_tags(tuple(row)) for qubits, row in rows.items()
        )

    moments: list[cirq.Moment] = []
    for narrow, group in itertools.groupby(circuit, lambda moment: all(len(each.qubits) == 1 for each in moment)):
        together = list(group)
        moments += map(native, [itertools.chain.from_iterable(together)] if narrow else together)
    noisy = cirq.Circuit(moments).with_noise(noise)
    return cirq.Circuit(
        next((tag for tag in operation.tags if isinstance(tag, tuple)), operation)
        for operation in noisy.all_operations()
    )


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
    # Sums come without an order, strings of them too, and the order of a product shows in its last bit.
    for qubit in sorted(string):
        read_as_one, read_as_zero = errors[qubits[qubit]]
        factor = (1 - read_as_one - read_as_zero) * string[qubit](qubits[qubit])
        product *= factor + float(read_as_zero - read_as_one)
    return product
