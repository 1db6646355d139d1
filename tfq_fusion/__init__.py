"""Quantum and classical fusion layers for Keras, on Cirq circuits that TensorFlow Quantum runs.

Importing the package imports none of TensorFlow, Keras or Cirq: take what you need from
``tfq_fusion.circuits``, ``tfq_fusion.engines``, ``tfq_fusion.layers``, ``tfq_fusion.models``,
``tfq_fusion.datasets`` and ``tfq_fusion.training``.
"""

import importlib.metadata

__version__ = importlib.metadata.version("tfq-fusion")
