"""What a saved model names, Keras finds again: every layer, model and loss of the library is registered."""

import pytest

from tfq_fusion import layers, models
from tfq_fusion._keras import keras
from tfq_fusion.models import encoders
from tfq_fusion.training import losses

pytestmark = pytest.mark.keras

SAVED = (keras.layers.Layer, keras.losses.Loss, keras.initializers.Initializer)
CLASSES = {
    found
    for module in (layers, models, encoders, losses)
    for found in vars(module).values()
    if isinstance(found, type) and issubclass(found, SAVED) and found.__module__.startswith("tfq_fusion.")
}


@pytest.mark.parametrize("kind", sorted(CLASSES, key=lambda kind: kind.__name__))
def test_it_is_registered_under_its_name(kind):
    assert keras.saving.get_registered_name(kind) == f"tfq_fusion>{kind.__name__}"
    assert keras.saving.get_registered_object(f"tfq_fusion>{kind.__name__}") is kind
