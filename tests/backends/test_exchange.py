"""One model on all backends: the same losses from the same weights, and files that each reads of the others."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tfq_fusion._keras import LEGACY, keras
from tfq_fusion.fusions import fusions, make_fusion

ROOT = Path(__file__).parents[2]
TORCH, NEWEST = (str(ROOT / folder / "bin/python") for folder in (".venv-torch", ".venv-313"))
OTHERS = {
    "jax": ((sys.executable, "jax"), (sys.executable, "tensorflow")),
    "torch": ((TORCH, "torch"), (TORCH, "jax")),
    "newest": ((NEWEST, "jax"), (NEWEST, "jax")),
}
"""Who trains the model of this process, and who reads its file then: an older Keras reads none of a newer."""
WIDTHS = [4, 4, 4]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        LEGACY or keras.backend.backend() != "tensorflow", reason="files come from TensorFlow's process"
    ),
]

BEGIN = """
import sys

import numpy as np
import tfq_fusion.layers
from tfq_fusion._keras import keras

assert keras.backend.backend() == sys.argv[1]
arrays = np.load("data.npz", allow_pickle=False)
inputs, labels = [arrays[name] for name in ("first", "second", "third")], arrays["labels"]
"""
TRAIN = """
model = keras.models.load_model("model.keras")
begun = model.predict(inputs, verbose=0)
model.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy")
losses = model.fit(inputs, labels, batch_size=16, epochs=20, shuffle=False, verbose=0).history["loss"]
model.save("trained.keras")
np.savez("found.npz", begun=begun, losses=losses, trained=model.predict(inputs, verbose=0))
"""
READ = """
found = keras.models.load_model("trained.keras").predict(inputs, verbose=0)
np.testing.assert_allclose(found, np.load("found.npz", allow_pickle=False)["trained"], atol=1e-6)
"""


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    """A folder with a model, data, and what TensorFlow makes of both: predictions, 20 losses."""
    folder = tmp_path_factory.mktemp("exchange")
    rng = np.random.default_rng(0)
    arrays = {name: rng.uniform(-1, 1, (16, 4)).astype("float32") for name in ("first", "second", "third")}
    np.savez(folder / "data.npz", **arrays, labels=np.arange(16) % 3)
    inputs = [keras.Input((width,), name=name) for name, width in zip(arrays, WIDTHS, strict=True)]
    encoded = [keras.layers.Dense(4, "tanh")(each) for each in inputs]
    fused = [
        # MFB's signed square root is infinitely steep at zero: weights changed in their last bit change its losses by
        # 1e-5 to 4e-4 in 20 steps on one backend, where all others stay within 1e-6.
        make_fusion(entry.name, WIDTHS, 8, 2, seed=1)(encoded)
        for entry in fusions().values()
        if entry.make and entry.name != "mfb"
    ]
    model = keras.Model(inputs, keras.layers.Dense(3, "softmax")(keras.layers.Concatenate()(fused)))
    model.save(folder / "model.keras")
    begun = model.predict(list(arrays.values()), verbose=0)
    model.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy")
    history = model.fit(list(arrays.values()), np.arange(16) % 3, batch_size=16, epochs=20, shuffle=False, verbose=0)
    return folder, begun, history.history["loss"]


@pytest.mark.parametrize(("trainer", "reader"), OTHERS.values(), ids=OTHERS)
def test_a_model_gives_and_learns_there_what_it_does_here_and_its_file_is_read_elsewhere(
    here, tmp_path, trainer, reader
):
    folder, begun, losses = here
    for file in ("model.keras", "data.npz"):
        (tmp_path / file).write_bytes((folder / file).read_bytes())
    for (python, backend), script in ((trainer, TRAIN), (reader, READ)):
        if not Path(python).exists():
            pytest.skip(f"{python} is not there: `make test-backends` makes it")
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "KERAS_BACKEND": backend}
        run = subprocess.run(
            [python, "-c", BEGIN + script, backend], cwd=tmp_path, env=environment, capture_output=True, text=True
        )
        assert run.returncode == 0, run.stderr
    found = np.load(tmp_path / "found.npz", allow_pickle=False)
    np.testing.assert_allclose(found["begun"], begun, atol=1e-6)
    np.testing.assert_allclose(found["losses"], losses, atol=1e-5)
    assert losses[-1] < losses[0]
