"""Losses of runs, as people look at them."""

import pytest

from reproduce.sweep.losses import EPOCHS, loss_curves
from reproduce.sweep.runs import FINISHED, RunResult, RunSpec
from tfq_fusion.training import Protocol


def run(seed=0, options=None, **history):
    spec = RunSpec(fusion="concat", seed=seed, dataset="emoji", protocol=Protocol(), options=options or {})
    return RunResult(spec, FINISHED, modalities=3, history=history)


def test_a_mean_is_over_the_runs_that_were_trained_so_long():
    curves = loss_curves([run(0, loss=[3.0, 2.0, 1.0], val_loss=[4.0, 3.0, 2.0]), run(1, loss=[1.0], val_loss=[2.0])])
    assert curves == {"epoch": [1, 2, 3], "losses": {"loss": [2, 2, 1], "val_loss": [3, 3, 2]}}


def test_many_epochs_are_thinned_out_between_the_first_and_the_last():
    curves = loss_curves([run(loss=[float(epoch) for epoch in range(1, 201)])])
    assert curves["losses"]["loss"] == curves["epoch"]
    assert len(curves["epoch"]) == EPOCHS
    assert (curves["epoch"][0], curves["epoch"][-1]) == (1, 200)


def test_what_is_not_finite_has_no_mean():
    assert loss_curves([run(0, loss=[1.0, float("nan")]), run(1, loss=[1.0, 2.0])])["losses"] == {"loss": [1, None]}


@pytest.mark.parametrize("results", [[], [run()], [run(options={"missing": "name"}, loss=[1.0])]])
def test_runs_that_trained_nothing_of_their_own_have_no_losses(results):
    assert loss_curves(results) == {}
