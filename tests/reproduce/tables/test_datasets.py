"""The data sets that a table needs."""

import pytest

from reproduce.tables import datasets
from reproduce.tables.datasets import load_all


def test_data_sets_by_name_in_the_order_asked_for():
    found = load_all([("japanese-vowels", {"channels": 3}), ("emoji", {})])
    assert [(dataset.card.name, dataset.card.modality_count) for dataset in found] == [
        ("japanese-vowels", 3),
        ("emoji", 3),
    ]


def test_all_that_are_missing_are_named_at_once_with_the_commands_that_get_them(monkeypatch):
    def load(name, **options):
        if name != "mfeat":
            raise FileNotFoundError(f"{name} is not there")

    monkeypatch.setattr(datasets, "load", load)
    with pytest.raises(FileNotFoundError) as caught:
        load_all([("cifar-10", {}), ("mfeat", {}), ("mnist", {}), ("cifar-10", {})])
    assert str(caught.value) == (
        "Data sets that are not there: cifar-10, mnist. "
        "Get them with `make data DATASET=cifar-10`, `make data DATASET=mnist`."
    )
