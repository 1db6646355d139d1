"""Weights of the fusions over the number of modalities, counted by hand."""

import pytest

from reproduce.experiments.parameters.growth import fusion_growth
from reproduce.sweep.runs import RunSpec
from tfq_fusion.training import Protocol

WEIGHTS = {
    "qmfnn": lambda modalities: 4 * (modalities + 3) + 32,  # four propositions tell ten classes apart
    "dempster": lambda modalities: modalities,
    "tfn": lambda modalities: 5**modalities * 16 + 16,
    "lmf": lambda modalities: 4 * 16 * 5 * modalities + 4 + 16,
}


@pytest.mark.parametrize("fusion", WEIGHTS)
@pytest.mark.parametrize("modalities", [2, 6])
def test_weights_are_counted_without_training(fusion, modalities):
    options = {"modalities": modalities}
    spec = RunSpec(fusion=fusion, seed=0, protocol=Protocol(units=16), experiment="growth", options=options)
    result = fusion_growth(spec)
    weights = WEIGHTS[fusion](modalities)
    assert (result.modalities, result.fusion_params, result.total_params) == (modalities, weights, None)
    assert result.metrics == {"test": {"fusion_growth": weights / WEIGHTS[fusion](2)}}
