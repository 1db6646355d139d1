"""A trained model on a processor's virtual machine, which stands aside here: its own tests are elsewhere."""

import pytest

from reproduce.experiments.processors import devices
from tfq_fusion.datasets import load
from tfq_fusion.engines import expectation


def test_accuracy_is_that_of_the_processor_s_values_and_of_results_counted_in_many_shots(specify, monkeypatch):
    def on_device(circuit, data, weights, processor):
        assert processor == "rainbow" and len(data) == load("japanese-vowels").card.split.test
        return 0.5 * expectation(circuit, data, weights).numpy()

    monkeypatch.setattr(devices, "on_device", on_device)
    shots = (10, 10**9)
    (result,) = devices.device([specify("device", processor="rainbow", shots=shots)])
    metrics = result.metrics["test"]
    assert set(metrics) == {"accuracy@exact", "accuracy@10", "accuracy@1000000000", "contraction@exact"}
    assert metrics["contraction@exact"] == pytest.approx(0.5, abs=1e-3)
    assert metrics["accuracy@1000000000"] == metrics["accuracy@exact"]
