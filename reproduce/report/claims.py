"""The page that holds what is published against what was reproduced."""

from __future__ import annotations

from collections.abc import Sequence

from reproduce.claims.papers import Paper, Verdict
from reproduce.report.markdown import pipe_table

CLAIMS = "claims.md"
"""The page's name in a results folder."""


STATISTICS = "../docs/statistics.md"
"""Where a page of a results folder finds what the words of comparisons mean."""


def claims_page(found: Sequence[Verdict], papers: Sequence[Paper]) -> str:
    """The verdicts on all claims of these papers, the reasons, and what the sources do not state."""
    lines = [
        {
            "Claim": verdict.claim,
            "Statement": verdict.statement,
            "Published": verdict.published,
            "Confidence": verdict.confidence,
            "Verdict": f"**{verdict.verdict}**",
        }
        for verdict in found
    ]
    reasons = [
        f"- **{verdict.claim}**, {verdict.verdict}: {verdict.reason}"
        + (f" *Our reading:* {verdict.reading}" if verdict.reading else "")
        for verdict in found
    ]
    unknown = [
        f"- [{paper.title}](https://arxiv.org/abs/{paper.arxiv}): "
        + ", ".join(name for name, value in paper.settings.items() if value is None)
        for paper in papers
    ]
    sections = [
        "# Published against reproduced",
        "Each claim is held against the table that it names, as that stands in this folder. The papers' full text was "
        "not at hand. Confidence in what is published: A = the authors' own words, B = a digest that agrees with an "
        "abstract, C = one digest alone.\n\n"
        "A claim that one fusion is better than others is *reproduced* if every comparison says *better*, *not "
        "reproduced* if any says *worse* or *equivalent*, else *undecided*: seeds or test samples were too few to "
        f"tell. [What these words mean]({STATISTICS}) is fixed before the results. Where a table has no comparison of "
        "two fusions, their 95 % intervals say *better* or *worse* if they do not touch, and the reason says so.",
        pipe_table(lines),
        "## Why",
        "\n".join(reasons),
        "## Not stated in the sources at hand",
        "\n".join(unknown),
    ]
    return "\n\n".join(sections) + "\n"
