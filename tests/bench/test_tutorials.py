"""The benchmark of tutorials: both libraries train the same models, or there are no times."""

import numpy as np
import pytest

from bench.layers.run import Cell
from bench.tutorials import cart_pole, run
from bench.tutorials.contenders import CONTENDERS, OURS, REFERENCE
from bench.tutorials.report import write
from bench.tutorials.run import run_workload
from bench.tutorials.workloads import QUICK, WORKLOADS, Workload

WORKLOAD = Workload("Images", "mnist", {"epochs": 2}, seconds=5, over_tfq=4)


def rows(page):
    lines = [line for line in page.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines]


def test_times_are_withheld_where_losses_disagree(monkeypatch):
    found = {REFERENCE: (1.0, 0.5), OURS: (1.0, 0.51)}
    monkeypatch.setattr(
        run,
        "_run",
        lambda name, workload, contender: Cell(name, contender, "ok", "", (3.0, 1.0), losses=found[contender]),
    )
    theirs, ours = run_workload("images", WORKLOAD, [OURS, REFERENCE])
    assert (theirs.contender, theirs.status, theirs.deviation, theirs.whole) == (REFERENCE, "ok", 0, 4.0)
    assert (ours.contender, ours.status, ours.note) == (OURS, "disagrees", "off by 2.0e-02, where 1e-03 is allowed")
    assert ours.whole is ours.first is ours.later is None


def test_a_training_of_one_epoch_has_no_later_ones():
    cell = Cell("w", OURS, "ok", seconds=(3.0,))
    assert (cell.whole, cell.first, cell.later) == (3.0, 3.0, None)


def test_the_page_sets_ours_beside_tensorflow_quantum_and_the_aims(tmp_path):
    workloads = {
        "images": WORKLOAD,
        "episodes": Workload("Episodes", "reinforcement", {"episodes": 2}, seconds=6),
        "wrong": Workload("Wrong", "qcnn", {"epochs": 2}, seconds=6),
    }
    versions = {"tensorflow-quantum": "0.7.6"}
    cells = [
        Cell("images", REFERENCE, "ok", seconds=(4.0, 3.0, 2.0), deviation=0.0, versions=versions),
        Cell("images", OURS, "ok", seconds=(5.0, 0.5, 0.5), deviation=1e-5, versions=versions),
        Cell("episodes", REFERENCE, "ok", seconds=(12.0,), deviation=0.0, versions=versions),
        Cell("episodes", OURS, "ok", seconds=(6.0,), deviation=1e-5, versions=versions),
        Cell("wrong", REFERENCE, "ok", seconds=(12.0, 1.0), deviation=0.0, versions=versions),
        Cell("wrong", OURS, "disagrees", "off by 2.0e-02, where 1e-03 is allowed", deviation=2e-2, versions=versions),
    ]
    write(workloads, cells, tmp_path)
    page = (tmp_path / "bench-tutorials.md").read_text()
    _, images, episodes, wrong, _, epochs, of_wrong = rows(page)
    assert images == ["Images", "9.0", "6.0 (5) **missed**", "1.5x", "1e-05", "ok"]
    assert episodes == ["Episodes", "12.0", "6.0 (6) **reached**", "2x", "1e-05", "ok"]
    assert wrong[2:4] == ["- (6) not measured", "-"]
    assert wrong[5] == "tfq-fusion disagrees, off by 2.0e-02, where 1e-03 is allowed"
    assert epochs == ["Images", "4.0", "5.0", "2.5", "0.5", "5x (4x) **reached**"]
    assert of_wrong == ["Wrong", "12.0", "-", "1", "-", "-"]
    assert page.count("tensorflow-quantum 0.7.6") == 1
    lines = (tmp_path / "bench-tutorials.csv").read_text().splitlines()
    assert lines[0] == "workload,contender,status,note,deviation,whole_s,first_s,later_s"
    assert len(lines) == 7


def test_the_cart_s_energy_grows_by_the_work_of_the_force():
    def energy(states):
        _, velocity, angle, turning = states.T
        tip, mass = cart_pole.POLE * cart_pole.HALF_LENGTH, cart_pole.CART + cart_pole.POLE
        kinetic = mass * velocity**2 / 2 + tip * velocity * turning * np.cos(angle)
        rotation = 2 / 3 * tip * cart_pole.HALF_LENGTH * turning**2  # of a rod about its end
        return kinetic + rotation + tip * cart_pole.GRAVITY * np.cos(angle)

    rng = np.random.default_rng(0)
    states, actions = rng.normal(size=(20, 4)), rng.integers(0, 2, 20)
    rates = (cart_pole.push(states, actions) - states) / cart_pole.STEP
    small = 1e-6
    power = (energy(states + small * rates) - energy(states - small * rates)) / (2 * small)
    np.testing.assert_allclose(power, cart_pole.FORCE * (2 * actions - 1) * states[:, 1], rtol=1e-6, atol=1e-8)


def test_episodes_end_and_their_returns_are_normalised():
    def policy(states):
        return (states[:, 2] + states[:, 3] > 0).astype(float)  # to where the pole falls

    def aimless(states):
        return np.full(len(states), 0.5)

    balanced, _, _ = cart_pole.play(policy, np.random.default_rng(0), 3)
    states, actions, returns = cart_pole.play(aimless, np.random.default_rng(0), 3)
    assert 3 * 9 < len(states) < len(balanced) <= 3 * cart_pole.STEPS
    assert states.shape == (len(actions), 4)
    assert (np.abs(states[:, [0, 2]] * cart_pole.BOUNDS[[0, 2]]) <= [2.4, np.radians(12)]).all()
    assert set(actions) == {0, 1}
    np.testing.assert_allclose([returns.mean(), returns.std()], [0, 1], atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("name", QUICK)
def test_both_libraries_train_each_tutorial_alike(name):
    for cell in run_workload(name, QUICK[name], CONTENDERS):
        assert (cell.status, cell.note) == ("ok", "")
        assert cell.deviation < 1e-4


def test_a_look_tries_every_tutorial():
    assert {each.module for each in QUICK.values()} == {each.module for each in WORKLOADS.values()}
