"""What a saved model names, Keras finds again: all that a file can name is registered, or refuses to be saved."""

import importlib
import pkgutil

import pytest

import reproduce
import tfq_fusion
from tfq_fusion._keras import keras, losses

pytestmark = pytest.mark.keras

SAVED = (
    keras.layers.Layer,
    keras.losses.Loss,
    losses.Loss,
    keras.metrics.Metric,
    keras.initializers.Initializer,
    keras.regularizers.Regularizer,
    keras.constraints.Constraint,
    keras.optimizers.Optimizer,
)


def modules(package):
    for found in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        if not found.name.endswith(("__main__", "engines.pytorch")):  # PyTorch may not be installed
            yield importlib.import_module(found.name)


CLASSES = {
    found
    for package in (tfq_fusion, reproduce)
    for module in modules(package)
    for found in vars(module).values()
    if isinstance(found, type) and issubclass(found, SAVED) and found.__module__ == module.__name__
}
# Those that others are made of are no use by themselves.
COMPLETE = sorted((kind for kind in CLASSES if not kind.__subclasses__()), key=lambda kind: kind.__name__)


@pytest.mark.parametrize("kind", COMPLETE)
def test_it_is_registered_under_its_name_or_refuses_to_be_saved(kind):
    name = f"tfq_fusion>{kind.__name__}"
    if keras.saving.get_registered_object(name) is None:
        with pytest.raises(NotImplementedError, match=f"{kind.__name__} is never saved"):
            kind.get_config(object.__new__(kind))
    else:
        assert keras.saving.get_registered_name(kind) == name
        assert keras.saving.get_registered_object(name) is kind
