"""The learning rates that fusions are tuned among, the same for all."""

from __future__ import annotations

import dataclasses

from tfq_fusion.training import Protocol

RATES = (1e-3, 2e-3, 5e-3, 1e-2, 2e-2)
FINE_RATES = (5e-4, 1e-3, 2e-3, 3e-3, 5e-3, 7e-3, 1e-2, 2e-2, 4e-2)


def tuned(protocol: Protocol) -> Protocol:
    """The protocol with five learning rates to choose from, by three seeds each."""
    return dataclasses.replace(protocol, learning_rates=RATES, tuning_seeds=3)


def tuned_roughly(protocol: Protocol) -> Protocol:
    """The protocol with the three middle learning rates to choose from, by one seed each."""
    return dataclasses.replace(protocol, learning_rates=RATES[1:-1], tuning_seeds=1)


def tuned_finely(protocol: Protocol) -> Protocol:
    """The protocol with nine learning rates to choose from, by five seeds each."""
    return dataclasses.replace(protocol, learning_rates=FINE_RATES, tuning_seeds=5)
