"""Writes the report: a template, a style sheet, a script and Plotly's library, in one file."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from reproduce.report.html.contents import Contents, read_contents
from reproduce.sweep.run.provenance import commit
from tfq_fusion.files import write_files

REPORT = "report.html"
"""The report's name in a results folder."""


def write_report(folder: Path) -> Path:
    """Writes the report of a folder of results into it.

    Returns:
        The file.

    Raises:
        OSError: If it cannot be written.
        ValueError: As :func:`reproduce.report.html.contents.read_contents`.
        StoreError: Likewise.
    """
    path = folder / REPORT
    write_files({path: render(read_contents(folder), str(folder)).encode()})
    return path


def render(contents: Contents, folder: str) -> str:
    """The report as HTML; ``folder`` is what it calls the folder of results."""
    environment = Environment(
        loader=PackageLoader("reproduce.report.html", ""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.policies["json.dumps_kwargs"] = {"allow_nan": False, "separators": (",", ":")}
    return environment.get_template("report.html.jinja").render(
        contents=contents,
        folder=folder,
        commit=commit(),
        style=_source("report.css"),
        script=_source("report.js"),
        plotly=Markup(get_plotlyjs()),
    )


def _source(name: str) -> Markup:
    """A file of this package, which is trusted as it stands."""
    return Markup(resources.files("reproduce.report.html").joinpath(name).read_text(encoding="utf-8"))
