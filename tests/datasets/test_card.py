import re

import pydantic
import pytest
import yaml

from tfq_fusion.datasets.card import Card, read_card
from tfq_fusion.datasets.sets.embedded import DATA


@pytest.fixture
def fields() -> dict:
    return yaml.safe_load((DATA / "traffic-detectors.yaml").read_text(encoding="utf-8"))


def test_a_card_is_named_as_its_file_and_cannot_be_changed():
    card = read_card(DATA, "traffic-detectors")
    assert card.name == "traffic-detectors"
    with pytest.raises(pydantic.ValidationError, match="frozen"):
        card.name = "another"


@pytest.mark.parametrize("content", [b"name: [", b"\xff\xfe\xff", b"!!python/object:os.system {}"])
def test_a_card_that_is_no_yaml_is_named(tmp_path, content):
    (tmp_path / "set.yaml").write_bytes(content)
    with pytest.raises(ValueError, match=re.escape(f"{tmp_path}/set.yaml: expected a card in YAML")):
        read_card(tmp_path, "set")


@pytest.mark.parametrize("field", ["licence", "attribution", "source", "sha256", "split"])
def test_nothing_may_be_left_out(fields, field):
    del fields[field]
    with pytest.raises(pydantic.ValidationError, match=field):
        Card.model_validate(fields)


def test_a_misspelt_field_is_refused(fields):
    fields["license"] = "MIT"
    with pytest.raises(pydantic.ValidationError, match="license"):
        Card.model_validate(fields)


def test_a_hash_has_64_hexadecimal_digits(fields):
    fields["sha256"] = fields["sha256"][:-1]
    with pytest.raises(pydantic.ValidationError, match="sha256"):
        Card.model_validate(fields)


def test_a_set_that_is_downloaded_gets_its_hash_from_its_loader(fields):
    fields["source"] = {"url": "https://example.org", "origin": "an example", "download_bytes": 1}
    del fields["sha256"]
    assert Card.model_validate(fields).sha256 == ""


def test_a_forecast_has_outputs_and_no_classes(fields):
    with pytest.raises(pydantic.ValidationError, match="task 'classification' with 0 classes and 22 outputs"):
        Card.model_validate({**fields, "task": "classification"})
    with pytest.raises(pydantic.ValidationError, match="task 'forecasting' with 2 classes and 22 outputs"):
        Card.model_validate({**fields, "classes": ["a", "b"]})


def test_several_labels_at_once_have_classes_too(fields):
    card = Card.model_validate({**fields, "task": "multilabel", "classes": ["a", "b"], "outputs": []})
    assert (card.task, card.horizon) == ("multilabel", 1)


def test_a_stack_counts_as_its_modalities(fields):
    sensors = {"name": "sensors", "shape": [12], "description": "speeds", "kind": "window", "count": 207}
    assert Card.model_validate({**fields, "modalities": [sensors]}).modality_count == 207
    assert Card.model_validate({**fields, "modalities": [sensors, {**sensors, "count": 3}]}).modality_count == 210


def test_an_unknown_kind_of_signal_is_refused(fields):
    fields["modalities"][0]["kind"] = "sound"
    with pytest.raises(pydantic.ValidationError, match="'vector', 'waveform', 'window' or 'image'"):
        Card.model_validate(fields)
