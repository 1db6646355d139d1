"""Episodes of a pole on a cart, which is pushed to the left or to the right to keep the pole upright.

Sources: Barto, Sutton and Anderson, IEEE Trans. Syst. Man Cybern. 13 (1983) 834, without friction; constants, limits
and Euler's steps are those of CartPole-v1, https://gymnasium.farama.org/environments/classic_control/cart_pole.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

GRAVITY, FORCE, CART, POLE, HALF_LENGTH = 9.8, 10.0, 1.0, 0.1, 0.5
"""In units of metre, kilogram and second: two masses, and half of the pole's length."""
STEP, STEPS = 0.02, 500
"""Seconds of a step, and the steps of an episode at most."""
BOUNDS = np.array([2.4, 2.5, 0.21, 2.5])
"""What the policy's states are divided by: position, velocity, angle and angular velocity."""


def play(
    policy: Callable[[np.ndarray], np.ndarray], rng: np.random.Generator, episodes: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Play episodes side by side, each until the cart or the pole has gone too far.

    Args:
        policy: The probability to push to the right ``[carts]``, of float32 states ``[carts, 4]`` over their bounds.
        rng: Draws the first states and the actions.
        episodes: How many.

    Returns:
        Of all steps the states, float32 ``[steps, 4]``; the actions, int32 ``[steps]``, 1 to the right; and how many
        steps the episode still had, this one included, normalised in each episode, float32 ``[steps]``.
    """
    states, playing = rng.uniform(-0.05, 0.05, (episodes, 4)), np.arange(episodes)
    steps: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
    while len(playing) and len(steps) < STEPS:
        seen = (states / BOUNDS).astype(np.float32)
        actions = (rng.random(len(playing)) < policy(seen)).astype(np.int32)
        steps.append((playing, seen, actions))
        states = push(states, actions)
        upright = (np.abs(states[:, 0]) <= 2.4) & (np.abs(states[:, 2]) <= math.radians(12))
        states, playing = states[upright], playing[upright]
    episode, seen, actions = (np.concatenate(each) for each in zip(*steps, strict=True))
    length = np.bincount(episode)[episode]
    left = length - np.repeat(np.arange(len(steps)), [len(playing) for playing, *_ in steps])
    # Mean and deviation of the numbers from 1 to the length.
    returns = (left - (length + 1) / 2) / np.sqrt((length**2 - 1) / 12)
    return seen, actions, returns.astype(np.float32)


def push(states: np.ndarray, actions: np.ndarray) -> np.ndarray:
    """The states ``[carts, 4]`` one step later; actions ``[carts]`` are 0 to the left and 1 to the right."""
    _, velocity, angle, turning = states.T
    sine, cosine, mass = np.sin(angle), np.cos(angle), CART + POLE
    pushed = (FORCE * (2 * actions - 1) + POLE * HALF_LENGTH * turning**2 * sine) / mass
    swing = (GRAVITY * sine - cosine * pushed) / (HALF_LENGTH * (4 / 3 - POLE * cosine**2 / mass))
    speeding = pushed - POLE * HALF_LENGTH * swing * cosine / mass
    return states + STEP * np.stack([velocity, speeding, turning, swing], axis=1)
