"""docs/coming-from.md and the README's loop of PyTorch, run as they stand there, where what they need is installed."""

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tfq_fusion._keras import LEGACY, keras

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "coming-from.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"<!-- (\w+)(?:: ([\w, ]+))? -->\n```python\n(.*?)```", PAGE, re.DOTALL)

pytestmark = [
    pytest.mark.skipif(LEGACY, reason="examples of Keras 3"),
]


@pytest.mark.parametrize(("backend", "needs", "code"), EXAMPLES, ids=[each[1] or each[0] for each in EXAMPLES])
def test_an_example_ends_as_it_says(tmp_path, backend, needs, code):
    for module in filter(None, [backend, *needs.split(", ")]):
        if importlib.util.find_spec(module) is None:
            pytest.skip(f"{module} is not installed")
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "KERAS_BACKEND": backend}
    run = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    (said,) = re.findall(r"print\(.*\)  # (.*)$", code, re.MULTILINE)
    assert run.stdout.strip() == said


@pytest.mark.skipif(keras.backend.backend() != "torch", reason="an example of PyTorch")
def test_the_loop_of_pytorch_learns(capsys):
    page = (ROOT / "README.md").read_text(encoding="utf-8").partition("### On PyTorch")[2]
    (code,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    exec(compile(code, "README.md", "exec"), {})
    assert float(capsys.readouterr().out) < 0.6  # from ln 2 = 0.69 on
