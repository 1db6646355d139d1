"""Whether TensorFlow Quantum, the reference, is there: it exists for one version of TensorFlow, on Linux and x86-64."""

from __future__ import annotations

import importlib.util

from tfq_fusion._keras import keras3 as keras


def require_reference(who: str, instead: str) -> None:
    """Make sure of TensorFlow Quantum before it is imported.

    Args:
        who: What needs it, which begins the message.
        instead: What to do without it, a sentence.

    Raises:
        RuntimeError: If Keras does not run on TensorFlow.
        ImportError: If it is not installed.
    """
    if keras.backend.backend() != "tensorflow":
        raise RuntimeError(
            f"{who} needs TensorFlow Quantum, which runs on TensorFlow, but Keras uses {keras.backend.backend()!r}. "
            f"{instead} Or set KERAS_BACKEND=tensorflow."
        )
    if importlib.util.find_spec("tensorflow_quantum") is None:
        raise ImportError(
            f"{who} needs TensorFlow Quantum, which is not installed: it exists for Linux on x86-64, Python up to 3.12 "
            f"and TensorFlow 2.18. {instead}"
        )
