"""Keras models of one structure as one program of JAX, with an axis for the models."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import jax
import numpy as np
import numpy.typing as npt
import psutil
from jax.extend.core import ClosedJaxpr, Jaxpr, Literal

from tfq_fusion._keras import keras

State = dict[str, list[Any]]
"""What training changes, each array with an axis for the members: "trainable", "fixed", "optimizer"."""

_APART = "Train models of different structure in calls of their own."


class StructureError(ValueError):
    """Models that should share a program differ in more than weights and constants.

    Example:
        >>> import jax.numpy as jnp
        >>> from tfq_fusion.training import StructureError
        >>> from tfq_fusion.training.vectorized import MemberFunction
        >>> shared = MemberFunction(1.0)
        >>> shared.add(0, jnp.sin)
        >>> try:
        ...     shared.add(1, jnp.cos)
        ... except StructureError as error:
        ...     print(str(error).split(":")[0])
        The model of seed 1 does not compute what that of seed 0 does
    """


class MemberFunction:
    """A function that all members compute, each with constants of its own.

    Args:
        arguments: What to trace it with.
    """

    def __init__(self, *arguments: Any) -> None:
        self._arguments = arguments
        self._first: ClosedJaxpr | None = None
        self._outputs: Any = None
        self._constants: dict[int, list[Any]] = {}
        self._own: list[bool] = []

    def add(self, seed: int, function: Callable[..., Any]) -> None:
        """Take one more member.

        Args:
            seed: Its seed.
            function: Its function.

        Raises:
            StructureError: If it differs from the first in operations, shapes or types.
        """
        traced, shapes = jax.make_jaxpr(function, return_shape=True)(*self._arguments)
        if self._first is None:
            self._first, self._outputs = traced, jax.tree.structure(shapes)
            self._own = [False] * len(traced.consts)
        elif not _alike(self._first, traced, with_constants=False):
            raise StructureError(
                f"The model of seed {seed} does not compute what that of seed {next(iter(self._constants))} does: "
                f"their layers, widths or circuits differ. {_APART}"
            )
        self._constants[seed] = traced.consts
        for place, (value, of_first) in enumerate(zip(traced.consts, self._first.consts, strict=True)):
            self._own[place] |= not (value is of_first or np.array_equal(value, of_first))

    def constants(self, seeds: Sequence[int]) -> list[Any]:
        """What some members hold beside their arguments; what differs between members has an axis for them."""
        of_each = zip(*(self._constants[seed] for seed in seeds), strict=True)
        return [np.stack(values) if differs else values[0] for values, differs in zip(of_each, self._own, strict=True)]

    def axes(self) -> list[int | None]:
        """The axis for the members that each of the constants has, 0 or none."""
        return [0 if differs else None for differs in self._own]

    def __call__(self, constants: Sequence[Any], *arguments: Any) -> Any:
        """Compute it for one member."""
        assert self._first is not None
        found = jax.core.eval_jaxpr(self._first.jaxpr, constants, *jax.tree.leaves(arguments))
        return jax.tree.unflatten(self._outputs, found)


class Vectorized:
    """What models of one structure compute, with an axis for the models; compiled once for each number of them.

    Args:
        inputs: A batch of inputs, by modality.
        labels: Its labels.
        weights: Of its samples; None to train without.
    """

    def __init__(self, inputs: Mapping[str, npt.NDArray[np.float32]], labels: npt.NDArray[Any], weights: Any) -> None:
        self._batch = inputs, labels, weights
        self._optimizer = keras.optimizers.Adam()
        self._states: dict[int, tuple[list[Any], list[Any]]] = {}
        self._train, self._evaluate = jax.jit(self._steps), jax.jit(self._batches)

    @property
    def seeds(self) -> Collection[int]:
        """The seeds of the members."""
        return self._states.keys()

    def add(self, seed: int, model: keras.Model) -> None:
        """Take one more member.

        Args:
            seed: Its seed.
            model: Its model, compiled with a loss and without an optimizer.

        Raises:
            StructureError: If it differs in structure from those that are here.
        """
        state = _values(model)
        if not self._states:
            self._optimizer.build(model.trainable_variables)
            self._constraints = _constraints(model)
            arguments = *state, *self._batch
            self._gradient, self._evaluation = MemberFunction(*arguments), MemberFunction(*arguments)
        first = next(iter(self._states), seed)
        if _shapes(state) != _shapes(self._states.get(first, state)):
            raise StructureError(
                f"The weights of the model of seed {seed} have other shapes than those of seed {first}. {_APART}"
            )
        if _constraints(model) != self._constraints:
            # The optimizer, which all share, applies those of the first.
            raise StructureError(
                f"The weights of the model of seed {seed} have other constraints than those of seed {first}. {_APART}"
            )
        self._gradient.add(seed, _gradient_of(model))
        self._evaluation.add(seed, _evaluation_of(model))
        self._states[seed] = state

    def start(self, seeds: Sequence[int], learning_rates: Sequence[float]) -> State:
        """The state of members before they are trained, each with its learning rate; a seed may stand twice."""
        trainable, fixed = (
            [np.stack(values) for values in zip(*(self._states[seed][part] for seed in seeds), strict=True)]
            for part in (0, 1)
        )
        variables = self._optimizer.variables
        optimizer = [np.stack([np.asarray(variable)] * len(seeds)) for variable in variables]
        rate = [variable is self._optimizer.learning_rate for variable in variables].index(True)
        optimizer[rate] = np.asarray(learning_rates, optimizer[rate].dtype)
        state: State = jax.device_put({"trainable": trainable, "fixed": fixed, "optimizer": optimizer})
        return state

    def constants(self, seeds: Sequence[int]) -> tuple[list[Any], list[Any]]:
        """What some members hold beside weights, to be trained and to be evaluated."""
        gradient, evaluation = (jax.device_put(kind.constants(seeds)) for kind in (self._gradient, self._evaluation))
        return gradient, evaluation

    def train(self, *arguments: Any) -> tuple[State, Any]:
        """Train some steps.

        Args:
            arguments: ``constants, state, inputs, labels, weights, running``. Inputs and labels have axes for members,
                steps and samples, the weights for steps and samples, or are None; ``running`` ``[members]`` tells
                which members are trained, the others keep their state.

        Returns:
            The state after these steps, and the losses ``[members, steps]``.
        """
        found: tuple[State, Any] = self._train(*arguments)
        return found

    def memory(self, *arguments: Any) -> int:
        """Bytes that :meth:`train` holds, these arguments included."""
        needs: Any = self._train.lower(*arguments).compile().memory_analysis()
        return int(needs.argument_size_in_bytes + needs.output_size_in_bytes + needs.temp_size_in_bytes)

    def evaluate(self, *arguments: Any) -> tuple[Any, Any]:
        """Evaluate some batches, the same for all members.

        Args:
            arguments: ``constants, trainable, fixed, inputs, labels, weights``. Inputs, labels and weights have axes
                for batches and samples.

        Returns:
            The losses ``[members, batches]``, and the outputs ``[members, batches, samples, outputs]``.
        """
        found: tuple[Any, Any] = self._evaluate(*arguments)
        return found

    def _steps(self, constants: Any, state: State, inputs: Any, labels: Any, weights: Any, running: Any) -> Any:
        def member(constants: Any, state: State, *batches: Any) -> Any:
            def step(state: State, batch: Any) -> Any:
                trainable = state["trainable"]
                loss, fixed, gradients = self._gradient(constants, trainable, state["fixed"], *batch)
                trainable, optimizer = self._optimizer.stateless_apply(state["optimizer"], gradients, trainable)
                return {"trainable": trainable, "fixed": fixed, "optimizer": optimizer}, loss

            return jax.lax.scan(step, state, (*batches, weights))

        trained, losses = _of_each(member, (self._gradient.axes(), 0, 0, 0), (constants, state, inputs, labels))
        return choose(running, trained, state), losses

    def _batches(self, constants: Any, trainable: Any, fixed: Any, *batches: Any) -> Any:
        def member(constants: Any, *variables: Any) -> Any:
            return jax.lax.map(lambda batch: self._evaluation(constants, *variables, *batch), batches)

        return _of_each(member, (self._evaluation.axes(), 0, 0), (constants, trainable, fixed))


def _of_each(function: Callable[..., Any], axes: Any, arguments: Any) -> Any:
    """What a function gives of each member's arguments, which have an axis for the members where ``axes`` is 0."""
    if len(jax.tree.leaves(arguments[1])[0]) > 1:
        return jax.vmap(function, axes)(*arguments)
    # With an axis of one member multiplications of matrices would be slower on processors.
    constants, *rest = arguments
    own = [value if axis is None else value[0] for value, axis in zip(constants, axes[0], strict=True)]
    found = function(own, *jax.tree.map(lambda leaf: leaf[0], rest))
    return jax.tree.map(lambda leaf: leaf[None], found)


def at_once(members: int) -> int:
    """How many members to compute at once: all on an accelerator, one on a processor, which more would not speed up."""
    return 1 if jax.default_backend() == "cpu" else members


def _choose(first: Any, yes: Any, no: Any) -> Any:
    """Arrays with an axis for the members: those of ``yes`` for the members ``first`` tells, else those of ``no``."""
    return jax.tree.map(lambda one, other: jax.vmap(jax.numpy.where)(first, one, other), yes, no)


choose: Callable[[Any, Any, Any], Any] = jax.jit(_choose)


def free_memory() -> int:
    """Bytes that are free where the programs run."""
    statistics = jax.devices()[0].memory_stats()
    if statistics is None:  # as of processors, which have the memory of the machine
        return int(psutil.virtual_memory().available)
    return int(statistics["bytes_limit"] - statistics["bytes_in_use"])


def _shapes(nest: Any) -> list[tuple[tuple[int, ...], Any]]:
    return [(np.shape(leaf), leaf.dtype) for leaf in jax.tree.leaves(nest)]


def _values(model: keras.Model) -> tuple[list[Any], list[Any]]:
    return [each.value for each in model.trainable_variables], [each.value for each in model.non_trainable_variables]


def _constraints(model: keras.Model) -> list[Any]:
    return [keras.constraints.serialize(each.constraint) for each in model.trainable_variables]


def _gradient_of(model: keras.Model) -> Callable[..., Any]:
    def function(trainable: Any, fixed: Any, inputs: Any, labels: Any, weights: Any) -> Any:
        def loss(trainable: Any) -> Any:
            loss, (_, _, changed, _) = model.compute_loss_and_updates(
                trainable, fixed, [], inputs, labels, weights, training=True
            )
            return loss, changed

        (value, changed), gradients = jax.value_and_grad(loss, has_aux=True)(trainable)
        return value, changed, gradients

    return function


def _evaluation_of(model: keras.Model) -> Callable[..., Any]:
    def function(trainable: Any, fixed: Any, inputs: Any, labels: Any, weights: Any) -> Any:
        loss, (_, outputs, _, _) = model.compute_loss_and_updates(trainable, fixed, [], inputs, labels, weights)
        return loss, outputs

    return function


def _alike(one: Any, other: Any, with_constants: bool = True) -> bool:
    """Whether two traced functions have the same operations on the same shapes and types."""
    if one is other:
        return True
    if isinstance(one, ClosedJaxpr) and isinstance(other, ClosedJaxpr):
        same = not with_constants or (
            len(one.consts) == len(other.consts) and all(map(np.array_equal, one.consts, other.consts))
        )
        return same and _alike(one.jaxpr, other.jaxpr)
    if isinstance(one, Jaxpr) and isinstance(other, Jaxpr):
        return _same_operations(one, other)
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(_alike, one, other))
    if all(callable(getattr(each, "call_wrapped", each)) for each in (one, other)):
        return True  # the rule for a derivative, which has been taken already
    return bool(np.array_equal(one, other))


def _same_operations(one: Jaxpr, other: Jaxpr) -> bool:
    names: dict[Any, Any] = {}

    def same_input(a: Any, b: Any) -> bool:
        if isinstance(a, Literal) or isinstance(b, Literal):
            return type(a) is type(b) and a.aval == b.aval and np.array_equal(a.val, b.val, equal_nan=True)
        return names.get(a) is b

    def declare(a: Any, b: Any) -> bool:
        names[a] = b
        return bool(a.aval == b.aval)

    def all_of(test: Callable[[Any, Any], bool], first: Sequence[Any], second: Sequence[Any]) -> bool:
        return len(first) == len(second) and all(map(test, first, second))

    return (
        all_of(declare, one.constvars, other.constvars)
        and all_of(declare, one.invars, other.invars)
        and len(one.eqns) == len(other.eqns)
        and all(
            a.primitive is b.primitive
            and all_of(same_input, a.invars, b.invars)
            and all_of(declare, a.outvars, b.outvars)
            and a.params.keys() == b.params.keys()
            and all(_alike(a.params[name], b.params[name]) for name in a.params)
            for a, b in zip(one.eqns, other.eqns, strict=True)
        )
        and all_of(same_input, one.outvars, other.outvars)
    )
