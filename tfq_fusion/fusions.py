"""Which fusions there are: each has an entry in the module that makes it, and is found by that.

Entries are read from the sources, as setuptools reads a version: to know names and captions nothing is imported, for
Keras takes seconds.
"""

from __future__ import annotations

import ast
import dataclasses
import functools
import importlib
import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib import resources
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, get_args

from tfq_fusion.arguments import integer

if TYPE_CHECKING:
    from importlib.abc import Traversable

    from tfq_fusion._keras import keras

__all__ = ["FusionEntry", "fusions"]

Kind = Literal["quantum", "control", "classical"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class FusionEntry:
    """A fusion as the tables know it, assigned to a name of the module that makes it.

    All fields but ``make`` are literals there: ``SUM = FusionEntry(name="sum", caption="Sum", kind="classical", ...)``.

    Example:
        >>> from tfq_fusion.fusions import fusions
        >>> qfl = fusions()["qfl"]
        >>> qfl.caption, qfl.kind, qfl.has_degree
        ('QFL', 'quantum', True)

    Attributes:
        name: Its name in commands and tables.
        caption: What people call it.
        kind: "quantum"; "control", a classical fusion with as many weights as a quantum one; or "classical".
        has_degree: Whether its circuit's degree, or that of the circuit that it controls, is chosen.
        make: Makes the layer, not built yet; None for what is no fusion layer but a network or a forecast. It is called
            with keywords: the arguments of :func:`tfq_fusion.models.make_fusion`, of which it names those that it
            needs, and further ones of the layer.
    """

    name: str
    caption: str
    kind: Kind
    has_degree: bool = False
    make: Callable[..., Any] | None = None


@functools.cache
def fusions() -> Mapping[str, FusionEntry]:
    """Every fusion by name, in the order of display: quantum, control and classical ones, each kind by caption.

    Raises:
        ValueError: If an entry is none, or two have one name.
    """
    found: dict[str, FusionEntry] = {}
    for module, source in _sources(resources.files("tfq_fusion"), "tfq_fusion"):
        for entry in _entries(module, source):
            if entry.name in found:
                raise ValueError(f"{module}: there is a fusion {entry.name!r} already. Name this one otherwise.")
            found[entry.name] = entry
    kinds = get_args(Kind)
    order = sorted(found.values(), key=lambda entry: (kinds.index(entry.kind), entry.caption.casefold()))
    return MappingProxyType({entry.name: entry for entry in order})


def make_fusion(
    name: str,
    widths: Sequence[int],
    units: int = 32,
    degree: int = 1,
    engine: str = "compiled",
    seed: int | None = None,
    **arguments: Any,
) -> keras.layers.Layer:
    """A fusion layer by its name in the tables.

    Example:
        >>> from tfq_fusion.models import make_fusion
        >>> type(make_fusion("lmf", widths=[4, 3], units=16)).__name__
        'LowRankFusion'

    Args:
        name: One of :func:`tfq_fusion.fusions.fusions` that is a layer.
        widths: The number of features of each modality.
        units: Width of the output ("concat" has none: it keeps every feature).
        degree: Degree of "qfl"; and for "control" the degree of the QFL whose number of weights it matches.
        engine: What runs "qfl".
        seed: Seeds the initial weights and the observables; None draws one, as the layers do.
        arguments: Further arguments of the layer.

    Returns:
        The layer, not built yet.

    Raises:
        ValueError: If the name is unknown, or another argument out of its range.
    """
    makers = {entry.name: entry.make for entry in fusions().values() if entry.make}
    make = makers.get(name) if isinstance(name, str) else None
    if make is None:
        raise ValueError(f"Unknown fusion {name!r}: expected one of {list(makers)}.")
    units, degree = integer("units", units), integer("degree", degree)
    if not isinstance(widths, (list, tuple)):
        raise ValueError(f"widths should be a list, with the number of features of each modality, got {widths!r}.")
    widths = [integer("widths", width) for width in widths]
    return make(widths=widths, units=units, degree=degree, engine=engine, seed=seed, **arguments)


def _sources(folder: Traversable, package: str) -> Iterator[tuple[str, str]]:
    """Every module of a package and those in it that has an entry, and its source."""
    for file in folder.iterdir():
        if file.is_dir():
            yield from _sources(file, f"{package}.{file.name}")
        elif file.name.endswith(".py") and "FusionEntry(" in (source := file.read_text(encoding="utf-8")):
            yield f"{package}.{file.name.removesuffix('.py')}", source


def _entries(module: str, source: str) -> Iterator[FusionEntry]:
    for node in ast.parse(source).body:
        match node:
            case ast.Assign(
                targets=[ast.Name(id=variable)],
                value=ast.Call(func=ast.Name(id="FusionEntry"), args=[], keywords=keywords),
            ):
                fields = {str(keyword.arg): keyword.value for keyword in keywords}
                make = functools.partial(_make, module, variable) if fields.pop("make", None) else None
                try:
                    yield FusionEntry(**{key: ast.literal_eval(value) for key, value in fields.items()}, make=make)
                except (TypeError, ValueError) as error:
                    raise ValueError(
                        f"{module}: {variable} should be a FusionEntry of literals, but for `make`. ({error})"
                    ) from error


def _make(module: str, variable: str, **arguments: Any) -> Any:
    make = getattr(importlib.import_module(module), variable).make
    # Keras' classes have a constructor that takes anything before the one that says what.
    needed = inspect.signature(make.__init__ if isinstance(make, type) else make).parameters  # type: ignore[misc]
    offered = inspect.signature(make_fusion).parameters
    return make(**{key: value for key, value in arguments.items() if key in needed or key not in offered})
