"""The card of a data set: where it comes from, what it holds, how it is split, and what is wrong with it."""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, model_validator

if TYPE_CHECKING:
    from importlib.abc import Traversable

DATA = resources.files("tfq_fusion.data")


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class PackageSource(_Frozen):
    """Where the raw data of an embedded set come from.

    Example:
        >>> from tfq_fusion.datasets import describe
        >>> describe("emoji").source.package
        'emoji-datasource'

    Attributes:
        registry: The package registry that serves ``package``.
        package: Name of the package.
        version: Its exact version.
        path: Folder inside the package's archive that holds the raw files.
        origin: Who made the data and where they first appeared.
    """

    registry: Literal["PyPI", "npm"]
    package: str
    version: str
    path: str
    origin: str


class WebSource(_Frozen):
    """Where a data set is downloaded from.

    Example:
        >>> from tfq_fusion.datasets import WebSource
        >>> source = WebSource(url="https://example.org/data", origin="An author, 2020", download_bytes=1_000_000)
        >>> source.download_bytes
        1000000

    Attributes:
        url: The page or folder of the data set; its loader knows the files.
        origin: Who made the data and where they first appeared.
        download_bytes: Size of the whole download.
    """

    url: str
    origin: str
    download_bytes: int = Field(gt=0)


class Modality(_Frozen):
    """One modality, or a stack of equal ones in a single array.

    Example:
        >>> from tfq_fusion.datasets import Modality
        >>> picture = Modality(name="front", shape=(8, 8, 3), description="RGB from 0 to 255", kind="image")
        >>> picture.count
        1

    Attributes:
        name: Its key in ``Dataset.train[0]``, ``Dataset.validation[0]`` and ``Dataset.test[0]``.
        shape: Shape of one sample of one modality, without the batch axis.
        description: What it is, with units.
        kind: What it is to an encoder: features without an order, a waveform, a short window of a series, an image.
        count: How many modalities the array stacks. Above one, its shape is ``[samples, count, *shape]``.
    """

    name: str
    shape: tuple[int, ...]
    description: str
    kind: Literal["vector", "waveform", "window", "image"] = "vector"
    count: int = Field(1, ge=1)


class Split(_Frozen):
    """The fixed split.

    Example:
        >>> from tfq_fusion.datasets import describe
        >>> split = describe("emoji").split
        >>> split.train, split.validation, split.test
        (1153, 277, 476)

    Attributes:
        train: Number of training samples.
        validation: Number of validation samples.
        test: Number of test samples.
        official_test: Whether the test part is the one that the data's authors set aside.
        method: How the parts were made.
    """

    train: int
    validation: int
    test: int
    official_test: bool
    method: str


class Card(_Frozen):
    """A data set's card, read from ``<name>.yaml``.

    Example:
        >>> from tfq_fusion.datasets import describe
        >>> card = describe("emoji")
        >>> card.task, card.licence, card.split.train
        ('classification', 'Apache-2.0 (google), CC BY 4.0 (twitter), MIT (name)', 1153)
        >>> [modality.name for modality in card.modalities]
        ['google', 'twitter', 'name']

    Attributes:
        name: The name that :func:`tfq_fusion.datasets.load` takes.
        title: A title for people.
        task: What is predicted.
        source: Where the raw data come from.
        licence: Licence of the data.
        attribution: The credit that the licence asks for, with the reference to cite.
        modalities: The modalities, in the order of the data set's dictionaries.
        classes: Class names. A label is an index into them, or where several can be true 0 or 1 for each. Empty for a
            forecast.
        outputs: Names of what a forecast predicts at each step. Empty for classes.
        horizon: How many steps a forecast looks ahead. The target's columns are all outputs at the first step, then
            all at the second, and so on.
        split: The fixed split.
        sha256: Identifies the data, in hexadecimal: for an embedded set the SHA-256 of ``<name>.npz``; for a downloaded
            one the fingerprint of its files and its loader, which the loader fills in and the file leaves empty.
        notes: What was changed, known defects, and reference figures.
    """

    name: str
    title: str
    task: Literal["classification", "multilabel", "forecasting"]
    source: PackageSource | WebSource
    licence: str
    attribution: str
    modalities: tuple[Modality, ...] = Field(min_length=1)
    classes: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    horizon: int = Field(1, ge=1)
    split: Split
    sha256: str = Field(default="", pattern="^([0-9a-f]{64})?$")
    notes: tuple[str, ...]

    @property
    def modality_count(self) -> int:
        """The number of modalities, each one of a stack counted."""
        return sum(modality.count for modality in self.modalities)

    @model_validator(mode="after")
    def _task_has_its_labels(self) -> Card:
        forecasting = self.task == "forecasting"
        if (bool(self.classes), bool(self.outputs)) != (not forecasting, forecasting):
            raise ValueError(
                "A forecasting task expects `outputs` and no `classes`, any other the reverse; "
                f"got task {self.task!r} with {len(self.classes)} classes and {len(self.outputs)} outputs."
            )
        return self

    @model_validator(mode="after")
    def _embedded_file_has_its_hash(self) -> Card:
        if isinstance(self.source, PackageSource) and not self.sha256:
            raise ValueError("The card of an embedded set expects the `sha256` of its file, got none.")
        return self


def read_card(folder: Traversable, name: str) -> Card:
    """Reads ``<name>.yaml`` from ``folder``.

    Raises:
        FileNotFoundError: If there is no such card.
        ValueError: If it is no YAML, or as a ``pydantic.ValidationError``, if a field is missing, unknown or of the
            wrong kind.
    """
    file = folder / f"{name}.yaml"
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        raise ValueError(f"{file}: expected a card in YAML. Reinstall tfq-fusion. ({error})") from error
    return Card.model_validate(content)
