"""Files and configurations of PQC and ControlledPQC hold what predicts the same, and run no code."""

import json
import zipfile

import cirq
import numpy as np
import pytest
import tensorflow as tf
import tensorflow_quantum as tfq

from tests.layers.support import QUBITS, data_circuits, hybrid_model, model_circuit, operators
from tfq_fusion._keras import keras
from tfq_fusion.layers import PQC, ControlledPQC

pytestmark = pytest.mark.keras


def pqc_model(layer):
    circuits = keras.Input(shape=(), dtype=tf.string)
    return keras.Model(circuits, layer(circuits))


@pytest.mark.parametrize("differentiator", [None, "Adjoint", "ParameterShift"])
def test_a_saved_pqc_predicts_the_same(differentiator, tmp_path):
    chosen = differentiator and getattr(tfq.differentiators, differentiator)()
    layer = PQC(model_circuit(), operators(), differentiator=chosen, regularizer="l2", constraint="non_neg")
    model = pqc_model(layer)
    assert tuple(model.output_shape) == (None, 2)
    circuits = tfq.convert_to_tensor(data_circuits(np.random.default_rng(6), 3))
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras", compile=False)
    np.testing.assert_array_equal(loaded.predict(circuits, verbose=0), model.predict(circuits, verbose=0))
    assert loaded.layers[-1].get_config() == layer.get_config()
    assert isinstance(loaded.layers[-1].constraint, keras.constraints.NonNeg)
    assert isinstance(loaded.layers[-1].regularizer, keras.regularizers.L2)


@pytest.mark.usefixtures("uncompiled")
def test_a_saved_controlled_pqc_predicts_the_same(tmp_path):
    model = hybrid_model(ControlledPQC(model_circuit(), operators()))
    assert tuple(model.output_shape) == (None, 2)
    rng = np.random.default_rng(7)
    inputs = [tfq.convert_to_tensor(data_circuits(rng, 3)), tf.constant(rng.normal(size=(3, 2)), tf.float32)]
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras", compile=False)
    np.testing.assert_array_equal(loaded.predict(inputs, verbose=0), model.predict(inputs, verbose=0))


def saved(layer, tmp_path):
    """A file of a model with that layer, and a function that changes the layer's configuration in the file."""
    model = pqc_model(layer) if isinstance(layer, PQC) else hybrid_model(layer)
    file = tmp_path / "model.keras"
    model.save(file)

    def change(**entries):
        with zipfile.ZipFile(file) as archive:
            members = {name: archive.read(name) for name in archive.namelist()}
        whole = json.loads(members["config.json"])
        (own,) = (entry for entry in whole["config"]["layers"] if entry["class_name"] == type(layer).__name__)
        own["config"] |= entries
        members["config.json"] = json.dumps(whole)
        with zipfile.ZipFile(file, "w") as archive:
            for name, content in members.items():
                archive.writestr(name, content)

    return file, change


@pytest.mark.parametrize("entry", ["model_circuit", "operators"])
@pytest.mark.parametrize("place", ["whole", "inside", "twice"])
@pytest.mark.parametrize("kind", [PQC, ControlledPQC])
def test_a_stranger_s_file_runs_no_code(kind, place, entry, tmp_path):
    layer = kind(model_circuit(), operators())
    file, change = saved(layer, tmp_path)
    trace = tmp_path / "trace"
    code = f"symbols.__globals__['__builtins__']['open']('{trace}', 'w')"
    payload = json.dumps({"cirq_type": "sympy.Indexed", "args": ["a", code]})
    text = layer.get_config()[entry]
    if place == "whole":
        text = payload
    elif place == "inside":
        number = {"model_circuit": '{"cirq_type": "sympy.Symbol", "name": "b"}', "operators": "-2.0"}[entry]
        assert number in text
        text = text.replace(number, payload)
    else:  # what stands last counts
        field = {"model_circuit": '"moments"', "operators": '"coefficient"'}[entry]
        text = text.replace(field, f"{field}: {payload}, {field}", 1)
    change(**{entry: text})
    if place == "twice":
        keras.models.load_model(file, compile=False, safe_mode=True)
    else:
        with pytest.raises(ValueError, match=f"{entry.removeprefix('model_')}.* should be .*sympy.Indexed"):
            keras.models.load_model(file, compile=False, safe_mode=True)
    assert not trace.exists()


@pytest.mark.parametrize(
    ("entry", "value", "message"),
    [
        ("backend", "noisy", "backend should be 'noiseless' or None"),
        ("backend", {"class_name": "Simulator"}, "backend should be 'noiseless' or None"),
        ("differentiator", ["Adjoint"], "differentiator should be None or one of"),
        ("differentiator", "__class__", "differentiator should be None or one of"),
        ("repetitions", "10", "repetitions should be an integer"),
        ("repetitions", 2**31, "repetitions should be .* at most 2147483647"),
        ("model_circuit", None, "circuit should be text"),
        ("operators", [], "operators should be text"),
        ("operators", "[]", "operators should hold at least one"),
    ],
)
def test_entries_of_a_configuration_are_checked(entry, value, message):
    config = ControlledPQC(model_circuit(), operators()).get_config()
    with pytest.raises(ValueError, match=message):
        ControlledPQC.from_config({**config, entry: value})
    del config[entry]
    with pytest.raises(ValueError, match=f"the entry '{entry}'"):
        ControlledPQC.from_config(config)


@pytest.mark.parametrize("kind", [PQC, ControlledPQC])
@pytest.mark.usefixtures("uncompiled")
def test_a_layer_keeps_what_it_was_given(kind):
    circuit, (string, total) = model_circuit(), operators()
    observables = [string, total]
    layer = kind(circuit, observables)
    before = layer.get_config()
    circuit.append(cirq.X(QUBITS[2]))
    total += 5
    observables.pop()
    assert layer.get_config() == before
    assert (
        len(layer.symbols) == 3
        and layer.compute_output_shape([(2,), (2, 3)] if kind is ControlledPQC else (2,))[1] == 2
    )
    copy = kind.from_config(before)
    inputs = tfq.convert_to_tensor([cirq.Circuit()] * 2)
    if kind is ControlledPQC:
        inputs = [inputs, tf.constant([[0.3, -0.4, 1.2]] * 2)]
    else:
        copy.set_weights(layer.get_weights())
    np.testing.assert_array_equal(layer(inputs), copy(inputs))


def test_configuration_keeps_repetitions():
    layer = PQC(model_circuit(), cirq.Z(QUBITS[0]), repetitions=np.int64(7), name="counted")
    copy = PQC.from_config(layer.get_config())
    assert copy.get_config() == layer.get_config()
    assert copy.get_config()["repetitions"] == 7 and copy.name == "counted"


def test_configuration_refuses_what_it_cannot_hold():
    with pytest.raises(ValueError, match="backend 'noiseless' to save"):
        PQC(model_circuit(), operators(), backend=cirq.Simulator()).get_config()
    differentiator = tfq.differentiators.ForwardDifference(2, 0.1)
    with pytest.raises(ValueError, match=r"differentiator that takes no arguments.*ForwardDifference cannot"):
        ControlledPQC(model_circuit(), operators(), differentiator=differentiator).get_config()
    config = {**ControlledPQC(model_circuit(), operators()).get_config(), "differentiator": "CentralDifference"}
    with pytest.raises(ValueError, match="differentiator should be None or one of"):
        ControlledPQC.from_config(config)
