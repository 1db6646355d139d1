"""The page of verdicts: the committed one is that of the committed tables."""

from pathlib import Path

from reproduce.claims.comparisons import read_comparisons
from reproduce.claims.papers import load_papers, verdicts
from reproduce.claims.rows import read_tables
from reproduce.report.claims import CLAIMS, claims_page

RESULTS = Path(__file__).resolve().parents[3] / "results"


def test_the_committed_page_is_that_of_the_committed_tables():
    papers = load_papers()
    page = claims_page(verdicts(read_tables(RESULTS), papers, read_comparisons(RESULTS)), papers)
    assert (RESULTS / CLAIMS).read_text(encoding="utf-8") == page
