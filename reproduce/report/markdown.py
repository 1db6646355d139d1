"""Markdown for pages."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd


def pipe_table(lines: Sequence[dict[str, str]], right: Sequence[str] = ()) -> str:
    """A table of these lines; the columns ``right`` are aligned to the right."""
    frame = pd.DataFrame(lines).map(lambda text: text.replace("|", "\\|"))
    alignment = ["right" if column in right else "left" for column in frame.columns]
    return frame.to_markdown(index=False, disable_numparse=True, tablefmt="pipe", colalign=alignment)
