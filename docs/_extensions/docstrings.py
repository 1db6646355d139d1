"""What autodoc does not see by itself in this library's docstrings, classes and constants."""

import re
import sys
import textwrap
from typing import Any, Generic, TypeVar, get_origin

import numpy.typing
from sphinx.application import Sphinx
from sphinx.pycode import ModuleAnalyzer
from sphinx.util.inspect import signature, stringify_signature


def show_mathematics(app: Sphinx, what: str, name: str, value: Any, options: Any, lines: list[str]) -> None:
    """Formulas between dollars, as Cirq and TensorFlow write them."""
    text = re.sub(r"^( *)\$\$(.+?)\$\$$", _block, "\n".join(lines), flags=re.DOTALL | re.MULTILINE)
    text = re.sub(r"\$([^$]+)\$", lambda found: f":math:`{' '.join(found[1].split())}`", text)
    lines[:] = text.splitlines()


def _block(found: re.Match[str]) -> str:
    indent, formula = found.groups()
    formula = textwrap.indent(textwrap.dedent(formula).strip(), f"{indent}   ")
    return f"{indent}.. math::\n\n{formula}\n"


def describe_constant(app: Sphinx, what: str, name: str, value: Any, options: Any, lines: list[str]) -> None:
    """What stands below a constant where it is assigned, in place of the docstring of its type."""
    if what != "data":
        return
    package, _, constant = name.rpartition(".")
    modules = [module for module in sys.modules if f"{module}.".startswith(f"{package}.")]
    docs = (ModuleAnalyzer.for_module(module).find_attr_docs() for module in sorted(modules))
    lines[:] = next((found["", constant] for found in docs if ("", constant) in found), [])


def show_constructor(
    app: Sphinx, what: str, name: str, value: Any, options: Any, arguments: str | None, returned: str | None
) -> tuple[str, str | None] | None:
    """The arguments of a class of Keras, which has a ``__new__`` that takes anything."""
    if what != "class" or arguments != "(*args, **kwargs)":
        return None
    app.emit("autodoc-before-process-signature", value.__init__, True)  # keeps defaults as they are written
    return stringify_signature(signature(value.__init__, bound_method=True), show_annotation=False), returned


def show_public_bases(app: Sphinx, name: str, value: type, options: Any, bases: list[type]) -> None:
    """The bases of a private base in its place."""
    bases[:] = [base for each in bases for base in (each.__bases__ if each.__name__.startswith("_") else (each,))]


def skip_field(app: Sphinx, what: str, name: str, value: Any, skip: bool, options: Any) -> bool | None:
    """The field of a named tuple, which the docstring of its class describes."""
    return True if (getattr(value, "__doc__", None) or "").startswith("Alias for field number") else None


_Scalar = TypeVar("_Scalar")


class NDArray(Generic[_Scalar]):
    """What annotations call an array: evaluated, NumPy's own would be an ``ndarray[Any, dtype[floating[Any]]]``."""

    __module__ = "numpy.typing"

    def __class_getitem__(cls, scalar: Any) -> Any:
        """``NDArray[floating]`` of ``floating[Any]``, whose parameter says nothing."""
        return super().__class_getitem__(get_origin(scalar) or scalar)


def setup(app: Sphinx) -> dict[str, Any]:
    """Listen to autodoc."""
    numpy.typing.NDArray = NDArray  # autodoc evaluates annotations in modules that it imports later
    app.setup_extension("sphinx.ext.autodoc")
    app.connect("autodoc-process-docstring", show_mathematics)
    app.connect("autodoc-process-docstring", describe_constant)
    app.connect("autodoc-process-signature", show_constructor)
    app.connect("autodoc-process-bases", show_public_bases)
    app.connect("autodoc-skip-member", skip_field)
    return {"parallel_read_safe": True}
