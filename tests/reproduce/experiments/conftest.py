"""What tests of experiments on a trained model share."""

import pytest

from reproduce.sweep.runs import RunSpec
from tfq_fusion.datasets import load
from tfq_fusion.training import Protocol


@pytest.fixture
def specify():
    """Makes the specification of an experiment on the first three channels of japanese-vowels, of one epoch."""

    def make(experiment, degree=1, arguments=None, fusion="qfl", train_epochs=1, seed=0, **options):
        return RunSpec(
            experiment,
            load("japanese-vowels").card.sha256,
            fusion,
            seed,
            Protocol(features=2, units=9, epochs=train_epochs),
            degree=degree,
            arguments=arguments or {},
            dataset_options={"data": "japanese-vowels", "channels": 3, **options},
        )

    return make
