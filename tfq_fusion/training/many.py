"""Many models of one structure, trained in one program of JAX."""

from __future__ import annotations

import functools
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.progress import Progress

from tfq_fusion._keras import LEGACY, keras
from tfq_fusion.arguments import SEEDS, integer, number
from tfq_fusion.training.backup import ArrayBackups
from tfq_fusion.training.batches import Batches, order_of
from tfq_fusion.training.early_stopping import EarlyStopping
from tfq_fusion.training.fitted import Fitted, Program, evaluate_parts, parts_to_evaluate
from tfq_fusion.training.losses import loss_of
from tfq_fusion.training.preprocessing import Part, Prepared
from tfq_fusion.training.protocol import Protocol

if TYPE_CHECKING:
    from tfq_fusion.training.vectorized import State

PIECE = 2**28
"""Bytes of inputs that a program gets at a time, at most, but for a single step: an epoch, or as much of it."""


def fit_many(
    make_model: Callable[[int], keras.Model],
    data: Prepared,
    protocol: Protocol,
    seeds: Sequence[int],
    learning_rate: float | Sequence[float],
    *,
    tests: Mapping[str, Part] | None = None,
    backup: Path | None = None,
    verbose: bool = False,
) -> list[Fitted]:
    """Train a model per seed, all at once: one program, compiled once, instead of one per model.

    The members have one structure. They may differ in their weights, in what their seeds draw (what a quantum fusion
    measures, masks of dropout, the order of the samples) and in learning rate. Each is trained by Adam as
    :func:`tfq_fusion.training.fit.fit` trains it alone: in the same batches, stopped by its own validation loss, left
    with the weights of its own best epoch. A member that stops or diverges changes no other. The same call on the same
    machine gives the same bits.

    The data stay in memory once, and reach the program an epoch at a time, or in pieces where an epoch of all members
    is large; of memory-mapped arrays no more is read. If the program would take more than half of the memory that is
    free, it is made for half as many members, and so on, and runs once for each group of them.

    Args:
        make_model: Makes the model of a seed, with its initial weights: every time the same. It is compiled here.
        data: The prepared data set.
        protocol: The protocol.
        seeds: One per member: of its model, and of the order of its samples.
        learning_rate: That of Adam, for all or one per member.
        tests: Further parts that are tested, by name.
        backup: A folder of this call alone, from which it continues if it was killed; None to do without.
        verbose: Whether to show how far the training is.

    Returns:
        One result per seed, in order.

    Raises:
        DamagedBackupError: If a backup to continue from is damaged.
        RuntimeError: If Keras does not run on JAX.
        StructureError: If the members differ in structure.
        ValueError: If there is no seed, a seed is no integer or negative, a learning rate is not positive, or there
            are not as many as seeds.
    """
    if LEGACY or keras.backend.backend() != "jax":
        runs_on = "legacy Keras" if LEGACY else f"Keras on {keras.backend.backend()!r}"
        raise RuntimeError(
            f"fit_many trains in one program of JAX, but this process uses {runs_on}. Set KERAS_BACKEND=jax before "
            "Keras is imported, or train each model by its own `fit`."
        )
    seeds, rates = _checked(seeds, learning_rate)
    cohort = _Cohort(make_model, data, protocol, seeds, rates)
    fitted: list[Fitted] = []
    for number_of_group, members in enumerate(cohort.groups()):
        folder = None if backup is None else backup / f"group-{number_of_group}"
        fitted += cohort.train(members, parts_to_evaluate(data, tests), folder, verbose)
    return fitted


def _checked(seeds: Any, learning_rate: Any) -> tuple[list[int], list[float]]:
    found = [integer("seeds", seed, minimum=0, maximum=SEEDS - 1) for seed in seeds]
    if not found:
        raise ValueError("seeds should be at least one seed, got none.")
    given = [learning_rate] * len(found) if np.ndim(learning_rate) == 0 else list(learning_rate)
    if len(given) != len(found):
        raise ValueError(f"learning_rate should be one number, or one per seed ({len(found)}), got {len(given)}.")
    rates = [number("learning_rate", rate, minimum=0) for rate in given]
    if not all(rates):
        raise ValueError(f"learning_rate should be above 0, got {learning_rate!r}.")
    return found, rates


class _Cohort:
    """Models that are trained together, in one program or in several that follow each other."""

    def __init__(
        self,
        make_model: Callable[[int], keras.Model],
        data: Prepared,
        protocol: Protocol,
        seeds: Sequence[int],
        rates: Sequence[float],
    ) -> None:
        # JAX is imported where it is used: whoever trains on TensorFlow need not have it.
        from tfq_fusion.training.vectorized import Vectorized

        self._make_model, self._data, self._protocol = make_model, data, protocol
        self._seeds, self._rates = seeds, rates
        # A seed that is trained with several rates is one model, before it is trained.
        self._variants = list(dict.fromkeys(seeds))
        models = [make_model(seed) for seed in self._variants]
        for model in models:
            model.compile(optimizer=None, loss=loss_of(data))
        # Statistics of a batch, as those of batch normalization, would count samples that fill it up.
        self._filled = not models[0].non_trainable_weights
        self._train, self._validation = self._batches(data.train), self._batches(data.validation)
        self._needs: dict[int, int] = {}  # memory by number of members
        self._programs: dict[int, Vectorized] = {}  # by size of a batch, of which there is mostly one
        for part in (self._train, self._validation, self._batches(data.test)):
            for (places,), (real,) in part.pieces(1):
                if len(places) not in self._programs:
                    batch = *part.take(places, real), part.weights(real)
                    self._programs[len(places)] = Vectorized(models, *batch)

    def _batches(self, part: Part) -> Batches:
        return Batches(self._data, part, self._protocol.batch_size, self._filled)

    def groups(self) -> Iterator[list[int]]:
        """The members of each program, as many as memory allows; the last is filled up with members that it has."""
        from tfq_fusion.training.vectorized import free_memory

        count = width = len(self._seeds)
        while width > 1 and 2 * self._memory(list(range(width))) > free_memory():
            width = -(-width // 2)
        for first in range(0, count, width):
            group = range(first, min(first + width, count))
            yield [group[place % len(group)] for place in range(width)]

    def train(
        self, members: Sequence[int], parts: Mapping[str, Part], folder: Path | None, verbose: bool
    ) -> list[Fitted]:
        """Train the members of a program, those that fill it up only once, and evaluate them on these parts."""
        from tfq_fusion.training.vectorized import choose

        state, constants = self._start(members), self._constants(members)
        best, stopping = _weights(state), EarlyStopping(len(members), self._protocol.patience)
        backups = None if folder is None else ArrayBackups(folder)
        if backups is not None and backups.epoch:
            arrays = backups.load()
            stopping.restore({name: arrays.pop(name) for name in stopping.state()})
            state, best = _unflatten((state, best), arrays)
        seconds: list[float] = []
        with Progress(disable=not verbose) as progress:
            bar = progress.add_task("", total=self._protocol.epochs)
            for epoch in range(stopping.epoch, self._protocol.epochs):
                if not stopping.running.any():
                    break
                begin, left = time.perf_counter(), stopping.running.sum()
                state, loss = self._train_epoch(constants, state, members, epoch, stopping.running)
                validation, _ = self._evaluate(constants, _weights(state), self._validation, stopping.running)
                best = choose(stopping.after_epoch(loss, validation), _weights(state), best)
                seconds.append((time.perf_counter() - begin) / left)
                said = f"{stopping.running.sum()} of {len(members)} models train"
                progress.update(bar, completed=epoch + 1, description=said)
                if backups is not None:
                    backups.save_if_due(epoch + 1, {**stopping.state(), **_flatten((state, best))})
        everyone = np.ones(len(members), bool)
        outputs = {
            name: self._evaluate(constants, best, self._batches(part), everyone)[1] for name, part in parts.items()
        }
        program = Program(tuple(self._seeds[member] for member in members), self._memory(members) / 1e6)
        share = statistics.median(seconds) if seconds else None
        fitted = []
        for place, member in enumerate(dict.fromkeys(members)):
            history, rate = stopping.history(place), self._rates[member]
            epochs = len(history["loss"])
            if stopping.diverged[place]:
                fitted.append(Fitted({}, rate, epochs, True, history, program, share, {}, None))
                continue
            trained = functools.partial(self._model, self._seeds[member], _of_member(best, place))
            metrics, predictions = evaluate_parts(
                self._data, parts, {name: of_all[place] for name, of_all in outputs.items()}
            )
            fitted.append(Fitted(metrics, rate, epochs, False, history, program, share, predictions, trained))
        return fitted

    def _memory(self, members: Sequence[int]) -> int:
        """Bytes that the program of so many members holds; asked once, since batches are made to ask."""
        if len(members) not in self._needs:
            self._needs[len(members)] = self._measure(members)
        return self._needs[len(members)]

    def _measure(self, members: Sequence[int]) -> int:
        batches, _ = next(self._epoch(members, 0))
        size = batches[1].shape[2]
        everyone = np.ones(len(members), bool)
        constants, _ = self._constants(members)[size]
        return self._programs[size].memory(constants, self._start(members), *batches, everyone)

    def _start(self, members: Sequence[int]) -> State:
        rates = [self._rates[member] for member in members]
        return next(iter(self._programs.values())).start(self._variants_of(members), rates)

    def _constants(self, members: Sequence[int]) -> dict[int, tuple[list[Any], list[Any]]]:
        variants = self._variants_of(members)
        return {size: program.constants(variants) for size, program in self._programs.items()}

    def _variants_of(self, members: Sequence[int]) -> list[int]:
        return [self._variants.index(self._seeds[member]) for member in members]

    def _model(self, seed: int, weights: Any) -> keras.Model:
        """The model of a seed with these weights."""
        model = self._make_model(seed)
        for variables, values in zip((model.trainable_variables, model.non_trainable_variables), weights, strict=True):
            for variable, value in zip(variables, values, strict=True):
                variable.assign(value)
        return model

    def _epoch(self, members: Sequence[int], epoch: int) -> Iterator[tuple[Any, np.ndarray]]:
        """The batches of an epoch, piece by piece, with the number of samples that count in each."""
        orders = np.stack([order_of(self._seeds[member], epoch, self._train.samples) for member in members])
        bytes_per_step = self._train.bytes_per_sample * self._protocol.batch_size * len(members)
        for places, real in self._train.pieces(PIECE // bytes_per_step):
            yield (*self._train.take(orders[:, places], real), self._train.weights(real)), real.sum(axis=1)

    def _train_epoch(
        self, constants: Any, state: State, members: Sequence[int], epoch: int, running: np.ndarray
    ) -> tuple[State, np.ndarray]:
        """The state after an epoch, and its loss ``[members]``, the mean over all samples."""
        total = np.zeros(len(members))
        for batches, counts in self._epoch(members, epoch):
            size = batches[1].shape[2]
            state, losses = self._programs[size].train(constants[size][0], state, *batches, running)
            total += np.asarray(losses, np.float64) @ counts
        return state, total / self._train.samples

    def _evaluate(
        self, constants: Any, weights: Any, part: Batches, running: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """The loss ``[members]`` and the outputs ``[members, samples, outputs]`` of a part, for those that run."""
        total, outputs = np.zeros(1), []
        for (places,), (real,) in part.pieces(1):
            batch = *part.take(places, real), part.weights(real)
            loss, found = self._programs[len(places)].evaluate(constants[len(places)][1], *weights, *batch, running)
            total = total + np.asarray(loss, np.float64) * real.sum()
            outputs.append(np.asarray(found)[:, real])
        return total / part.samples, np.concatenate(outputs, axis=1)


def _weights(state: State) -> tuple[list[Any], list[Any]]:
    return state["trainable"], state["fixed"]


def _of_member(weights: Any, place: int) -> Any:
    return keras.tree.map_structure(lambda value: np.asarray(value[place]), weights)


def _flatten(nest: Any) -> dict[str, np.ndarray]:
    """The arrays of a nest by their places."""
    return {str(place): np.asarray(leaf) for place, leaf in enumerate(keras.tree.flatten(nest))}


def _unflatten(nest: Any, arrays: Mapping[str, np.ndarray]) -> Any:
    """A nest like this one, of the arrays that :func:`_flatten` gave."""
    return keras.tree.pack_sequence_as(nest, [arrays[str(place)] for place in range(len(arrays))])
