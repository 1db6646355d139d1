"""The Keras of this process, chosen as TensorFlow chooses it.

``TF_USE_LEGACY_KERAS=1`` (or ``true``) selects legacy Keras (``tf_keras``), anything else Keras 3. The operations
``ops``, ``losses`` and ``keras3`` are Keras 3's in both cases: inside a legacy layer they act on plain tensors.
Import Keras and TensorFlow from here or after this module, so that TensorFlow starts quietly.
"""

import inspect
import os
from importlib.metadata import version
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from tfq_fusion._quiet import start_quietly

start_quietly()
try:
    import keras as keras3
    from keras import KerasTensor, backend, losses, ops
except ImportError as error:
    raise ImportError(
        "tfq-fusion needs Keras 3 beside legacy Keras, but the module 'keras' has no 'ops'. Do not replace it in "
        "sys.modules: set TF_USE_LEGACY_KERAS=1 before TensorFlow is imported, and use 'tf_keras'."
    ) from error

if backend.backend() == "torch" and tuple(map(int, version("keras").split(".")[:2])) < (3, 14):
    raise ImportError(
        f"On PyTorch tfq-fusion needs Keras 3.14 or newer, got {version('keras')}: older ones take no seeds of 32 bits "
        "there. Install it with `pip install 'keras>=3.14'`."
    )

LEGACY = os.environ.get("TF_USE_LEGACY_KERAS", "") in ("1", "true", "True")

if LEGACY:
    import tf_keras as keras
else:
    import keras

_Class = TypeVar("_Class", bound=type)


def register(layer: _Class) -> _Class:
    """Let Keras save and load a class of this library."""
    if LEGACY and "call" in vars(layer):
        # Legacy Keras would have AutoGraph rewrite all that a call reaches, for seconds, where there is nothing to do.
        import tensorflow as tf

        call: Any = vars(layer)["call"]
        unconverted = tf.autograph.experimental.do_not_convert(call)
        unconverted.__signature__ = inspect.signature(call)  # Keras looks for the arguments that it may give
        layer.call = unconverted  # type: ignore[attr-defined]
    registered: _Class = keras.saving.register_keras_serializable(package="tfq_fusion")(layer)
    return registered


def dtype_name(array: Any) -> str:
    """The name of the dtype of an array or tensor of any library, such as "float32"."""
    return str(getattr(array.dtype, "name", array.dtype)).removeprefix("torch.")


def at_least_single(tensor: Any) -> Any:
    """The tensor in single precision, or in double if it is: for numbers that half precision cannot tell apart."""
    # Not by Keras' rules of promotion, which know no double precision but on TensorFlow.
    return tensor if dtype_name(tensor) == "float64" else ops.cast(tensor, "float32")


def real_tensor(value: Any, expected: str) -> Any:
    """A value as a dense tensor of numbers; truth values become zeros and ones.

    Raises:
        ValueError: If it is none, or its numbers are complex; ``expected`` begins the message.
    """
    try:
        tensor = ops.convert_to_tensor(value, sparse=False)
    except (TypeError, ValueError, AttributeError):
        raise ValueError(f"{expected}, got {value!r}.") from None
    dtype = dtype_name(tensor)
    if dtype == "string" or "complex" in dtype:
        raise ValueError(f"{expected}, got {dtype}.")
    return ops.cast(tensor, "int32") if "bool" in dtype else tensor


def visible_values(tensor: Any) -> npt.NDArray[Any] | None:
    """The values of a tensor; None of a traced one, which has none yet."""
    return None if _is_traced(tensor) else ops.convert_to_numpy(tensor)


_SYMBOLS = (KerasTensor, keras.__internal__.KerasTensor) if LEGACY else KerasTensor
"""What stands for a tensor while a functional model is put together."""


def _is_traced(tensor: Any) -> bool:
    if isinstance(tensor, _SYMBOLS):
        return True
    # No match statement: TensorFlow's AutoGraph, which rewrites this inside a traced function, knows none.
    if backend.backend() == "tensorflow":
        import tensorflow as tf

        return bool(not tf.executing_eagerly() or tf.is_symbolic_tensor(tensor))
    if backend.backend() == "jax":
        import jax

        return isinstance(tensor, jax.core.Tracer)
    if backend.backend() == "torch":
        import torch

        return bool(torch.compiler.is_compiling() or getattr(tensor, "is_meta", False))
    return False


def all_finite(tensor: Any) -> bool:
    """Whether no value is NaN or infinite, as far as can be seen."""
    values = visible_values(tensor)
    return values is None or bool(np.isfinite(values).all())


__all__ = [
    "LEGACY",
    "all_finite",
    "at_least_single",
    "dtype_name",
    "keras",
    "keras3",
    "losses",
    "ops",
    "real_tensor",
    "register",
    "visible_values",
]
