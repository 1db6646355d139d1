"""What tests of several runs share."""

from pathlib import Path

import pytest

from reproduce.sweep.processes import worker


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """The module ``tiny_runs``, which the processes that run can import as well."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(Path(__file__).parent)
        patch.setenv("TINY_RUNS", str(tmp_path_factory.mktemp("attempts")))
        import tiny_runs

        yield tiny_runs
        worker.close_idle()  # they have seen the environment of these tests
