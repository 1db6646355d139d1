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
            fusion=fusion,
            seed=seed,
            protocol=Protocol(features=2, units=9, epochs=train_epochs),
            experiment=experiment,
            dataset="japanese-vowels",
            dataset_sha256=load("japanese-vowels").card.sha256,
            dataset_options={"channels": 3},
            options=options,
            degree=degree,
            arguments=arguments or {},
        )

    return make
