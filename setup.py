"""What setup.cfg cannot say: packages are found, and the data sets that travel with them lie in ``data/``."""

from setuptools import find_packages, setup

setup(packages=[*find_packages(include=["tfq_fusion*", "reproduce*"]), "tfq_fusion.data"])
