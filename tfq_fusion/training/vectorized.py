"""Keras models of one structure as one program of JAX, with an axis for the models."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
import numpy as np
import psutil
from jax.extend.core import ClosedJaxpr, Jaxpr, Literal

from tfq_fusion._keras import keras

State = dict[str, list[Any]]
"""What training changes, each array with an axis for the members: "trainable", "fixed", "optimizer"."""

_APART = "Train models of different structure in calls of their own."


class StructureError(ValueError):
    """Models that should share a program differ in more than weights and constants."""


@dataclasses.dataclass(frozen=True)
class MemberFunction:
    """A function that all members compute, each with constants of its own.

    Attributes:
        jaxpr: Its operations.
        outputs: The structure of what it gives.
        constants: What it holds beside its arguments; what differs between members has an axis for them.
        own: Which of the constants those are.
    """

    jaxpr: Jaxpr
    outputs: Any
    constants: list[Any]
    own: list[bool]

    @classmethod
    def trace(cls, functions: Sequence[Callable[..., Any]], *arguments: Any) -> MemberFunction:
        """What functions, one per member, have in common.

        Raises:
            StructureError: If they differ in operations, shapes or types; it names the first that differs.
        """
        traced = [jax.make_jaxpr(function, return_shape=True)(*arguments) for function in functions]
        first, shapes = traced[0]
        for member, (other, _) in enumerate(traced):
            if not _alike(first, other, with_constants=False):
                raise StructureError(
                    f"Member {member} does not compute what member 0 does: their layers, widths or circuits differ. "
                    f"{_APART}"
                )
        constants, own = [], []
        for values in zip(*(jaxpr.consts for jaxpr, _ in traced), strict=True):
            differ = not all(value is values[0] or np.array_equal(value, values[0]) for value in values[1:])
            constants.append(np.stack(values) if differ else values[0])
            own.append(differ)
        return cls(first.jaxpr, jax.tree.structure(shapes), constants, own)

    def constants_of(self, members: Sequence[int]) -> list[Any]:
        """The constants of some members."""
        return [
            value[np.asarray(members)] if differs else value
            for value, differs in zip(self.constants, self.own, strict=True)
        ]

    def split(self, constants: Sequence[Any]) -> tuple[list[Any], Callable[[Sequence[Any]], list[Any]]]:
        """Those of the constants that have an axis for the members, and what makes all of them of one member's own."""
        own = [value for value, differs in zip(constants, self.own, strict=True) if differs]

        def merge(of_member: Sequence[Any]) -> list[Any]:
            left = iter(of_member)
            return [next(left) if differs else value for value, differs in zip(constants, self.own, strict=True)]

        return own, merge

    def __call__(self, constants: Sequence[Any], *arguments: Any) -> Any:
        """Compute it for one member."""
        found = jax.core.eval_jaxpr(self.jaxpr, constants, *jax.tree.leaves(arguments))
        return jax.tree.unflatten(self.outputs, found)


class Vectorized:
    """What models of one structure compute, all at once.

    Args:
        models: The models, compiled with their loss and without an optimizer.
        inputs: A batch of inputs, by modality.
        labels: Its labels.
        weights: Of its samples; None to train without.

    Raises:
        StructureError: If the models differ in structure.
    """

    def __init__(
        self, models: Sequence[keras.Model], inputs: Mapping[str, np.ndarray], labels: np.ndarray, weights: Any
    ) -> None:
        self._optimizer = keras.optimizers.Adam()
        self._optimizer.build(models[0].trainable_variables)
        self._rate = [variable is self._optimizer.learning_rate for variable in self._optimizer.variables].index(True)
        self._states = [_values(model) for model in models]
        shapes = [[(value.shape, value.dtype) for value in jax.tree.leaves(state)] for state in self._states]
        for member, other in enumerate(shapes):
            if other != shapes[0]:
                raise StructureError(
                    f"The weights of member {member} have other shapes than those of member 0. {_APART}"
                )
        arguments = *self._states[0], inputs, labels, weights
        self._gradient = MemberFunction.trace([_gradient_of(model) for model in models], *arguments)
        self._evaluation = MemberFunction.trace([_evaluation_of(model) for model in models], *arguments)
        self._evaluate = jax.jit(self._evaluate_members)
        self._compiled: dict[tuple[tuple[int, ...], ...], Any] = {}

    def start(self, members: Sequence[int], learning_rates: Sequence[float]) -> State:
        """The state of members before they are trained; of each the model, which others may have too, and its rate."""
        trainable, fixed = (
            [np.stack(values) for values in zip(*(self._states[member][part] for member in members), strict=True)]
            for part in (0, 1)
        )
        optimizer = [np.stack([np.asarray(variable)] * len(members)) for variable in self._optimizer.variables]
        optimizer[self._rate] = np.asarray(learning_rates, optimizer[self._rate].dtype)
        state: State = jax.device_put({"trainable": trainable, "fixed": fixed, "optimizer": optimizer})
        return state

    def constants(self, members: Sequence[int]) -> tuple[list[Any], list[Any]]:
        """What some members hold beside weights, to be trained and to be evaluated."""
        kinds = self._gradient, self._evaluation
        gradient, evaluation = (jax.device_put(kind.constants_of(members)) for kind in kinds)
        return gradient, evaluation

    def train(self, *arguments: Any) -> tuple[State, Any]:
        """Train some steps.

        Args:
            arguments: ``constants, state, inputs, labels, weights, running``. Inputs and labels have axes for members,
                steps and samples, the weights for steps and samples, or are None; ``running`` ``[members]`` tells
                which members are trained, the others keep their state.

        Returns:
            The state after these steps, and the losses ``[members, steps]``, NaN for a member that is not trained.
        """
        found: tuple[State, Any] = self._training(*arguments)(*arguments)
        return found

    def memory(self, *arguments: Any) -> int:
        """Bytes that :meth:`train` holds, these arguments included."""
        needs = self._training(*arguments).memory_analysis()
        return int(needs.argument_size_in_bytes + needs.output_size_in_bytes + needs.temp_size_in_bytes)

    def evaluate(self, *arguments: Any) -> tuple[Any, Any]:
        """Evaluate a batch, the same for all members.

        Args:
            arguments: ``constants, trainable, fixed, inputs, labels, weights, running``; ``running`` ``[members]``
                tells which members are evaluated.

        Returns:
            The losses ``[members]``, and the outputs ``[members, batch, outputs]``, NaN for a member that is not
            evaluated.
        """
        found: tuple[Any, Any] = self._evaluate(*arguments)
        return found

    def _training(self, *arguments: Any) -> Any:
        """The program of steps for arguments of these shapes."""
        shapes = tuple(np.shape(leaf) for leaf in jax.tree.leaves(arguments))
        if shapes not in self._compiled:
            self._compiled[shapes] = jax.jit(self._steps).lower(*arguments).compile()
        return self._compiled[shapes]

    def _steps(self, constants: Any, state: State, inputs: Any, labels: Any, weights: Any, running: Any) -> Any:
        own, merge = self._gradient.split(constants)

        def member(arguments: Any) -> Any:
            own, state, *batches, runs = arguments

            def train() -> Any:
                def one(state: State, batch: Any) -> Any:
                    return self._step(merge(own), state, *batch)

                return jax.lax.scan(one, state, (*batches, weights))

            return _only_if(runs, train, (state, None))

        return _of_each(member, (own, state, inputs, labels, running))

    def _step(self, constants: Any, state: State, inputs: Any, labels: Any, weights: Any) -> Any:
        """A step of one member."""
        loss, fixed, gradients = self._gradient(constants, state["trainable"], state["fixed"], inputs, labels, weights)
        trainable, optimizer = self._optimizer.stateless_apply(state["optimizer"], gradients, state["trainable"])
        return {"trainable": trainable, "fixed": fixed, "optimizer": optimizer}, loss

    def _evaluate_members(
        self, constants: Any, trainable: Any, fixed: Any, inputs: Any, labels: Any, weights: Any, running: Any
    ) -> Any:
        own, merge = self._evaluation.split(constants)

        def member(arguments: Any) -> Any:
            own, *variables, runs = arguments
            return _only_if(
                runs, lambda: self._evaluation(merge(own), *variables, inputs, labels, weights), (None, None)
            )

        return _of_each(member, (own, trainable, fixed, running))


def _of_each(function: Callable[[Any], Any], arguments: Any) -> Any:
    """What a function gives of each member's arguments.

    On a processor one member follows the other: an axis for them made steps slower there, and whoever has stopped then
    costs nothing. Elsewhere all are computed at once.
    """
    members = len(jax.tree.leaves(arguments)[-1])
    return jax.lax.map(function, arguments, batch_size=None if jax.default_backend() == "cpu" else members)


def _only_if(runs: Any, function: Callable[[], Any], otherwise: tuple[Any, ...]) -> Any:
    """What a function gives, if ``runs``; otherwise these, with NaN in the place of None."""
    rest = tuple(
        jax.tree.map(lambda leaf: jax.numpy.full(leaf.shape, jax.numpy.nan, leaf.dtype), shape)
        if given is None
        else given
        for given, shape in zip(otherwise, jax.eval_shape(function), strict=True)
    )
    return jax.lax.cond(runs, function, lambda: rest)


@jax.jit
def choose(first: Any, yes: Any, no: Any) -> Any:
    """Arrays with an axis for the members: those of ``yes`` for the members ``first`` tells, else those of ``no``."""
    return jax.tree.map(lambda one, other: jax.vmap(jax.numpy.where)(first, one, other), yes, no)


def free_memory() -> int:
    """Bytes that are free where the programs run."""
    statistics = jax.devices()[0].memory_stats()
    if statistics is None:  # as of processors, which have the memory of the machine
        return int(psutil.virtual_memory().available)
    return int(statistics["bytes_limit"] - statistics["bytes_in_use"])


def _values(model: keras.Model) -> tuple[list[Any], list[Any]]:
    return [each.value for each in model.trainable_variables], [each.value for each in model.non_trainable_variables]


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
