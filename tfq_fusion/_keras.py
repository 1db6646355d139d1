"""The Keras of this process, chosen as TensorFlow chooses it.

``TF_USE_LEGACY_KERAS=1`` (or ``true``) selects legacy Keras (``tf_keras``), anything else Keras 3. The operations
``ops`` are Keras 3's in both cases: inside a legacy layer they act on plain TensorFlow tensors.
"""

import os

from keras import ops

LEGACY = os.environ.get("TF_USE_LEGACY_KERAS", "") in ("1", "true", "True")

if LEGACY:
    import tf_keras as keras
else:
    import keras

register = keras.saving.register_keras_serializable(package="tfq_fusion")

__all__ = ["LEGACY", "keras", "ops", "register"]
