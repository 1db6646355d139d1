"""Many models of one structure, trained in one program of JAX."""

from __future__ import annotations

import functools
import statistics
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from rich.progress import Progress

from tfq_fusion._keras import LEGACY, keras
from tfq_fusion._typing import FloatArray, IntegerArray
from tfq_fusion.arguments import SEEDS, integer, number
from tfq_fusion.datasets.dataset import Part
from tfq_fusion.training.backup import ArrayBackups
from tfq_fusion.training.batches import Batches, order_of
from tfq_fusion.training.early_stopping import EarlyStopping
from tfq_fusion.training.fitted import Fitted, Program, evaluate_parts, parts_to_evaluate
from tfq_fusion.training.losses import loss_of
from tfq_fusion.training.preprocessing import Prepared
from tfq_fusion.training.protocol import Protocol

if TYPE_CHECKING:
    from tfq_fusion.training.vectorized import State, Vectorized

Weights = tuple[list[Any], list[Any]]
"""The values of what is trained, and of the rest, each with an axis for the members or of one alone."""

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
    """Train a model per seed by one program, compiled once, instead of one per model.

    The members have one structure. They may differ in their weights, in what their seeds draw (what a quantum fusion
    measures, masks of dropout, the order of the samples) and in learning rate. Each is trained by Adam as
    :func:`tfq_fusion.training.fit.fit` trains it alone: in the same batches, stopped by its own validation loss, left
    with the weights of its own best epoch. A member that stops or diverges changes no other. The same call on the same
    machine gives the same bits.

    An accelerator computes all members at once, or half of them, and so on, if all would take more than half of the
    memory that is free; a processor one after the other, in every epoch. The data stay in memory once, and reach the
    program an epoch at a time, or in pieces where an epoch is large; of memory-mapped arrays no more is read.

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
    return Cohort(make_model, protocol).fit(data, seeds, learning_rate, tests=tests, backup=backup, verbose=verbose)


class Cohort:
    """What :func:`fit_many` makes, for those who ask more than once: the program is compiled once for all of it.

    Args and errors are those of :func:`fit_many`.
    """

    def __init__(self, make_model: Callable[[int], keras.Model], protocol: Protocol) -> None:
        if LEGACY or keras.backend.backend() != "jax":
            runs_on = "legacy Keras" if LEGACY else f"Keras on {keras.backend.backend()!r}"
            raise RuntimeError(
                f"fit_many trains in one program of JAX, but this process uses {runs_on}. Set KERAS_BACKEND=jax before "
                "Keras is imported, or train each model by its own `fit`."
            )
        self._make_model, self._protocol = make_model, protocol
        self._all_programs: dict[tuple[str, int], Vectorized] = {}  # by loss and size of a batch

    def fit(
        self,
        data: Prepared,
        seeds: Sequence[int],
        learning_rate: float | Sequence[float],
        *,
        tests: Mapping[str, Part] | None = None,
        backup: Path | None = None,
        verbose: bool = False,
    ) -> list[Fitted]:
        """Train a model per seed; args, results and errors are those of :func:`fit_many`.

        The data may be others than before, such as fewer samples, if they have the same shapes.
        """
        seeds, rates = _checked(seeds, learning_rate)
        self._data = data
        self._meet(seeds)
        groups, memory = self._groups(seeds, rates)
        stopping = EarlyStopping(len(seeds), self._protocol.patience)
        share = self._train(groups, stopping, None if backup is None else ArrayBackups(backup), verbose)
        parts = parts_to_evaluate(self._data, tests)
        in_order = {name: self._in_order(part) for name, part in parts.items()}
        fitted: dict[int, Fitted] = {}
        for group in groups:
            program = Program(group.seeds, memory / 1e6)
            outputs = {name: self._evaluate(group, group.best, batches)[1] for name, batches in in_order.items()}
            for place, member in enumerate(group.members):
                history, rate = stopping.history(member), rates[member]
                epochs = len(history["loss"])
                if stopping.diverged[member]:
                    fitted[member] = Fitted({}, rate, epochs, True, history, program, share, {}, None)
                    continue
                make = functools.partial(self._trained, seeds[member], _of_member(group.best, place))
                of_member = {name: of_all[place] for name, of_all in outputs.items()}
                metrics, predictions = evaluate_parts(self._data, parts, of_member)
                fitted[member] = Fitted(metrics, rate, epochs, False, history, program, share, predictions, make)
        return [fitted[member] for member in range(len(seeds))]

    def _meet(self, seeds: Sequence[int]) -> None:
        """Take the models of those seeds that are not known yet."""
        # JAX is imported where it is used: whoever trains on TensorFlow need not have it.
        from tfq_fusion.training.vectorized import Vectorized

        loss = loss_of(self._data)
        models: dict[int, keras.Model] = {}

        def model(seed: int) -> keras.Model:
            if seed not in models:
                models[seed] = self._make_model(seed)
                models[seed].compile(optimizer=None, loss=loss)
            return models[seed]

        if not self._all_programs:
            # Statistics of a batch, as those of batch normalization, would count samples that fill it up.
            self._filled = not model(seeds[0]).non_trainable_weights
        self._training = self._batches(self._data.train)
        self._programs: dict[int, Vectorized] = {}  # of these data, by size of a batch; there is mostly one
        for part in (self._data.train, self._data.validation, self._data.test):
            batches = self._batches(part)
            for (places,), (real,) in batches.pieces(1):
                if len(places) not in self._programs:
                    batch = *batches.take(places, real), batches.weights(real)
                    known = self._all_programs.setdefault((loss.name, len(places)), Vectorized(*batch))
                    self._programs[len(places)] = known
        for program in self._programs.values():
            for seed in dict.fromkeys(seeds):
                if seed not in program.seeds:
                    program.add(seed, model(seed))

    def _batches(self, part: Part) -> Batches:
        return Batches(self._data, part, self._protocol.batch_size, self._filled)

    def _groups(self, seeds: Sequence[int], rates: Sequence[float]) -> tuple[list[_Group], int]:
        """The members that are computed at once, and the bytes that this takes.

        They are as many as memory allows; the last are filled up with some of them.
        """
        from tfq_fusion.training.vectorized import at_once, free_memory

        def group(first: int) -> _Group:
            left = range(first, min(first + width, len(seeds)))
            members = [left[place % len(left)] for place in range(width)]
            of_group = tuple(seeds[member] for member in members)
            state = next(iter(self._programs.values())).start(of_group, [rates[member] for member in members])
            constants = {size: program.constants(of_group) for size, program in self._programs.items()}
            return _Group(members, of_group, constants, state)

        width = at_once(len(seeds))
        whole = group(0)
        while (memory := self._memory(whole)) > free_memory() / 2 and width > 1:
            width = -(-width // 2)
            whole = group(0)
        return [whole, *map(group, range(width, len(seeds), width))], memory

    def _memory(self, group: _Group) -> int:
        """Bytes that the program of a group holds."""
        batches, _ = next(self._shuffled(group, 0))
        size = batches[1].shape[2]
        everyone = np.ones(len(group.members), bool)
        return self._programs[size].memory(group.constants[size][0], group.state, *batches, everyone)

    def _train(
        self, groups: Sequence[_Group], stopping: EarlyStopping, backups: ArrayBackups | None, verbose: bool
    ) -> float | None:
        """Train until all have stopped; gives the seconds per epoch of a member, the median, if any was trained."""
        from tfq_fusion.training.vectorized import choose

        if backups is not None and backups.epoch:
            arrays = backups.load()
            stopping.restore({name: arrays.pop(name) for name in stopping.state()})
            for group, learned in zip(groups, _unflatten(_learned(groups), arrays), strict=True):
                group.state, group.best = learned
        validation = self._in_order(self._data.validation)
        seconds: list[float] = []
        with Progress(disable=not verbose) as progress:
            bar = progress.add_task("", total=self._protocol.epochs)
            for epoch in range(stopping.epoch, self._protocol.epochs):
                if not stopping.running.any():
                    break
                begin, left = time.perf_counter(), stopping.running.sum()
                losses = np.full((2, len(stopping.running)), np.nan)
                for group in groups:
                    running = stopping.running[group.members]
                    if running.any():
                        loss = self._train_epoch(group, epoch, running)
                        losses[:, group.members] = loss, self._evaluate(group, group.weights, validation)[0]
                better = stopping.after_epoch(*losses)
                for group in groups:
                    if better[group.members].any():
                        group.best = choose(better[group.members], group.weights, group.best)
                seconds.append((time.perf_counter() - begin) / left)
                said = f"{stopping.running.sum()} of {len(stopping.running)} models train"
                progress.update(bar, completed=epoch + 1, description=said)
                if backups is not None and backups.due:
                    backups.save(epoch + 1, {**stopping.state(), **_flatten(_learned(groups))})
        return statistics.median(seconds) if seconds else None

    def _shuffled(self, group: _Group, epoch: int) -> Iterator[tuple[Any, IntegerArray]]:
        """The training batches of an epoch, piece by piece, with the number of samples that count in each batch."""
        part = self._training
        orders = np.stack([order_of(seed, epoch, part.samples) for seed in group.seeds])
        for places, real in part.pieces(PIECE // (part.bytes_per_batch * len(group.seeds))):
            yield (*part.take(orders[:, places], real), part.weights(real)), real.sum(axis=1)

    def _train_epoch(self, group: _Group, epoch: int, running: npt.NDArray[np.bool_]) -> FloatArray:
        """Train a group for an epoch; gives its loss ``[members]``, the mean over all samples."""
        total, samples = np.zeros(len(running)), 0
        for batches, counts in self._shuffled(group, epoch):
            size = batches[1].shape[2]
            constants, _ = group.constants[size]
            group.state, losses = self._programs[size].train(constants, group.state, *batches, running)
            total += np.asarray(losses, np.float64) @ counts
            samples += counts.sum()
        return total / samples

    def _in_order(self, part: Part) -> Callable[[], Iterable[tuple[Any, npt.NDArray[np.bool_]]]]:
        """What gives the batches of a part, with which samples count in each; made once if they are few."""
        batches = self._batches(part)

        def make() -> Iterator[tuple[Any, npt.NDArray[np.bool_]]]:
            for places, real in batches.pieces(PIECE // batches.bytes_per_batch):
                yield (*batches.take(places, real), batches.weights(real)), real

        if batches.bytes_per_batch * batches.samples > PIECE * self._protocol.batch_size:
            return make
        made = list(make())
        return lambda: made

    def _evaluate(
        self, group: _Group, weights: Weights, batches: Callable[[], Iterable[tuple[Any, npt.NDArray[np.bool_]]]]
    ) -> tuple[FloatArray, FloatArray]:
        """The loss ``[members]`` and the outputs ``[members, samples, outputs]`` of a part."""
        total, outputs, samples = np.zeros(len(group.members)), [], 0
        for piece, real in batches():
            size = real.shape[1]
            _, constants = group.constants[size]
            losses, found = self._programs[size].evaluate(constants, *weights, *piece)
            total += np.asarray(losses, np.float64) @ real.sum(axis=1)
            outputs.append(np.asarray(found)[:, real])
            samples += real.sum()
        return total / samples, np.concatenate(outputs, axis=1)

    def _trained(self, seed: int, weights: Weights) -> keras.Model:
        """The model of a seed with these weights."""
        model = self._make_model(seed)
        for variables, values in zip((model.trainable_variables, model.non_trainable_variables), weights, strict=True):
            for variable, value in zip(variables, values, strict=True):
                variable.assign(value)
        return model


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


class _Group:
    """Members that are computed at once.

    Attributes:
        members: Which they are, as many as the program has; those that fill it up come last, and once more.
        seeds: The seed of each.
        constants: Size of a batch -> what they hold beside weights.
        state: What training changes.
        best: The weights of each member's best epoch so far.
    """

    def __init__(self, members: list[int], seeds: tuple[int, ...], constants: Any, state: State) -> None:
        self.members, self.seeds, self.constants, self.state = members, seeds, constants, state
        self.best = self.weights

    @property
    def weights(self) -> Weights:
        """What an evaluation needs of the state."""
        return self.state["trainable"], self.state["fixed"]


def _learned(groups: Sequence[_Group]) -> list[tuple[State, Weights]]:
    return [(group.state, group.best) for group in groups]


def _of_member(weights: Weights, place: int) -> Weights:
    found: Weights = keras.tree.map_structure(lambda value: np.asarray(value[place]), weights)
    return found


def _flatten(nest: Any) -> dict[str, npt.NDArray[Any]]:
    """The arrays of a nest by their places."""
    return {str(place): np.asarray(leaf) for place, leaf in enumerate(keras.tree.flatten(nest))}


def _unflatten(nest: Any, arrays: Mapping[str, npt.NDArray[Any]]) -> Any:
    """A nest like this one, of the arrays that :func:`_flatten` gave."""
    return keras.tree.pack_sequence_as(nest, [arrays[str(place)] for place in range(len(arrays))])
