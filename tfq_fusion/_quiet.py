"""TensorFlow's start without what it logs where nothing is wrong, such as that cuFFT, cuDNN and cuBLAS are there twice.

TensorFlow has two logs. ``TF_CPP_MIN_LOG_LEVEL`` is the least severity that its own shows: 0 for all, 1 for warnings, 2
for errors, 3 for what ends the process. The other is Abseil's, which no variable reaches (TensorFlow's issue 100442).
What that says while TensorFlow is imported is silenced by a function of one of TensorFlow's libraries. What it says of
XLA's first compilation, and only then, comes from another one, which offers no such function.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import importlib.util
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

LEVEL = "TF_CPP_MIN_LOG_LEVEL"

_LIBRARY = "libtensorflow_framework.so.2"
_SET_LEVEL = "_ZN4absl12lts_2023080214SetMinLogLevelENS0_18LogSeverityAtLeastE"  # in TensorFlow 2.18
_FIRST_WORDS = (b"WARNING: All log messages before absl::InitializeLog()", b"I0000 ")


def start_quietly() -> None:
    """Have both logs of TensorFlow, which is imported next, show what ``TF_CPP_MIN_LOG_LEVEL`` says.

    Where that variable is not set, it is set to 3, for this process and those that it starts. On JAX, where ``fit``
    imports TensorFlow if it is there, it is set to 1, as JAX does, and Abseil's log says nothing of that import. Less
    is done in another TensorFlow than 2.18, where the function has another name.
    """
    backend = _backend()
    if backend not in ("tensorflow", "jax"):
        return
    found = importlib.util.find_spec("tensorflow")
    if found is None or not found.submodule_search_locations:
        return
    on_jax = backend == "jax"
    level = os.environ.setdefault(LEVEL, "1" if on_jax else "3")
    library = Path(found.submodule_search_locations[0]) / _LIBRARY
    if level not in ("1", "2", "3") or not library.is_file():
        return
    set_level = getattr(ctypes.CDLL(str(library)), _SET_LEVEL, None)
    if set_level is not None:
        set_level(3 if on_jax else int(level))


@functools.cache
def compile_quietly() -> None:
    """Have XLA compile something tiny, once, before it compiles what matters, and leave out what it says of that.

    For that moment, a twentieth of a second, standard error goes to a file, and all else that comes there is written
    to standard error afterwards. Nothing is done where Keras does not run on TensorFlow, or its log is wanted.
    """
    if _backend() != "tensorflow" or os.environ.get(LEVEL) not in ("1", "2", "3"):
        return
    import tensorflow as tf

    with tf.init_scope():
        if tf.executing_eagerly() and not tf.config.functions_run_eagerly():
            zero = tf.constant(0.0)
            with _without_first_words(), contextlib.suppress(tf.errors.OpError):  # XLA may be missing
                tf.function(tf.negative, jit_compile=True, autograph=False)(zero)


@contextlib.contextmanager
def _without_first_words() -> Iterator[None]:
    with contextlib.ExitStack() as stack:
        try:
            sys.stderr.flush()
            there = os.dup(2)
        except (OSError, ValueError, AttributeError):  # there is no standard error
            yield
            return
        stack.callback(os.close, there)
        said = stack.enter_context(tempfile.TemporaryFile())
        os.dup2(said.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(there, 2)
            said.seek(0)
            for line in said:
                if not line.startswith(_FIRST_WORDS):
                    os.write(2, line)


def _backend() -> str:
    """What Keras runs on or will, as it finds out itself."""
    named = os.environ.get("KERAS_BACKEND")
    if named:
        return named
    folder = Path(os.environ.get("KERAS_HOME") or Path("~/.keras").expanduser())
    try:
        return str(json.loads((folder / "keras.json").read_text(encoding="utf-8"))["backend"])
    except (OSError, ValueError, KeyError, TypeError):
        return "tensorflow"
