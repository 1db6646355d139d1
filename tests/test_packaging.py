"""What an installation holds."""

import configparser
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_setup_cfg_lists_every_package():
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    listed = set(config["options"]["packages"].split())
    files = (file for top in ("tfq_fusion", "reproduce") for file in (ROOT / top).rglob("__init__.py"))
    found = {".".join(file.parent.relative_to(ROOT).parts) for file in files}
    assert listed == found | {"tfq_fusion.data"}
