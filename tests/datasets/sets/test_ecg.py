"""What the two electrocardiogram sets share."""

import hashlib
import re
from pathlib import Path

import numpy as np
import pytest
import wfdb
from hypothesis import given, settings
from hypothesis import strategies as st

from tfq_fusion.datasets import MissingDataError
from tfq_fusion.datasets.download import fetch
from tfq_fusion.datasets.sets import ecg


@pytest.fixture
def values() -> np.ndarray:
    return np.random.default_rng(0).integers(-5000, 5000, (12, 1000))


def test_a_record_comes_back_in_the_usual_order_of_leads(values, tmp_path, write_record):
    order = np.random.default_rng(1).permutation(12)
    names = [ecg.LEADS[lead].upper() for lead in order]
    write_record(tmp_path / "7", values[order], 100, names=names)
    found = ecg.read_record("toy", tmp_path / "7", 100)
    assert found.dtype == np.int16
    np.testing.assert_array_equal(found, values)


@pytest.mark.parametrize("position", [0, 11_001, 23_999])
def test_a_flipped_bit_is_noticed(values, tmp_path, write_record, position):
    write_record(tmp_path / "7", values, 100)
    content = bytearray((tmp_path / "7.dat").read_bytes())
    content[position] ^= 4
    (tmp_path / "7.dat").write_bytes(content)
    with pytest.raises(ValueError, match=r"7.dat is damaged: expected checksum \d+ of lead \w+, found .*DATASET=toy"):
        ecg.read_record("toy", tmp_path / "7", 100)


def test_half_a_record_is_refused(values, tmp_path, write_record):
    write_record(tmp_path / "7", values, 100)
    (tmp_path / "7.dat").write_bytes((tmp_path / "7.dat").read_bytes()[:12_000])
    with pytest.raises(ValueError):
        ecg.read_record("toy", tmp_path / "7", 100)


def test_records_of_another_form_are_refused(values, tmp_path, write_record):
    write_record(tmp_path / "7", values, 500)
    with pytest.raises(ValueError, match=r"expected 10 seconds at 100 samples per second.*found 1000 samples at 500"):
        ecg.read_record("toy", tmp_path / "7", 100)
    write_record(tmp_path / "8", values[:3], 100, names=("I", "II", "V2"))
    with pytest.raises(ValueError, match=r"of I, II, III, aVR.*found 1000 samples at 100 of I, II, V2"):
        ecg.read_record("toy", tmp_path / "8", 100)


def test_another_gain_is_refused_where_it_matters(values, tmp_path, write_record):
    write_record(tmp_path / "7", values, 100, gains=[1000.0] * 11 + [500.0])
    np.testing.assert_array_equal(ecg.read_record("toy", tmp_path / "7", 100), values)
    with pytest.raises(ValueError, match="expected 1000 units per mV from 0 for every lead"):
        ecg.read_record("toy", tmp_path / "7", 100, gain=1000)


@pytest.mark.parametrize("fmt", ["16", "24", "212"])
def test_a_sample_without_a_value_is_refused_and_never_read_as_one(values, tmp_path, write_record, fmt):
    values = values % 1000
    values[8, 5] = {"16": -(2**15), "24": -(2**23), "212": -(2**11)}[fmt]  # as WFDB marks it
    write_record(tmp_path / "7", values, 100, fmt=fmt)
    assert np.isnan(wfdb.rdrecord(str(tmp_path / "7")).p_signal[5, 8])
    complaint = {"16": r"7.dat is damaged: .*1 that WFDB marks as having none.*lead V3 at 5. Fetch it anew"}
    with pytest.raises(ValueError, match=complaint.get(fmt, "7.hea is damaged: .*other storage than samples of 16")):
        ecg.read_record("toy", tmp_path / "7", 100)


@pytest.mark.parametrize(
    "damage",
    {
        "empty": lambda header: b"",
        "half": lambda header: header[: len(header) // 2],
        "no header": lambda header: b"<html>Please log in</html>",
        "another file": lambda header: header.replace(b"7.dat", b"../8.dat"),
        "no checksums": lambda header: b"7 12 100 1000\n" + b"7.dat 16\n" * 12,
        "segments": lambda header: b"7/1 12 100 1000\n8 1000\n",
        "endless": lambda header: header.replace(b" 1000\n", b" 99999999999999\n", 1),
        "frames": lambda header: header.replace(b" 16 ", b" 16x2 "),
    }.items(),
    ids=lambda damage: damage[0],
)
def test_a_header_that_is_none_is_named_with_what_it_should_be(values, tmp_path, write_record, damage):
    write_record(tmp_path / "8", values, 100)
    write_record(tmp_path / "7", values, 100)
    file = tmp_path / "7.hea"
    file.write_bytes(damage[1](file.read_bytes()))
    with pytest.raises(ValueError, match=rf"^{re.escape(str(file))} is damaged: expected .*, found .*DATASET=toy"):
        ecg.read_record("toy", tmp_path / "7", 100)


@pytest.fixture(scope="module")
def record(tmp_path_factory, write_record) -> tuple[np.ndarray, dict[Path, bytes]]:
    """Values, and the files of their record."""
    folder, values = tmp_path_factory.mktemp("record"), np.arange(12_000).reshape(12, 1000)
    write_record(folder / "7", values, 100)
    return values, {folder / name: (folder / name).read_bytes() for name in ("7.hea", "7.dat")}


@settings(max_examples=50)
@given(st.data())
def test_whatever_a_record_holds_it_is_read_or_refused_by_name(record, data):
    values, contents = record
    for file, content in contents.items():
        file.write_bytes(content)
    file = data.draw(st.sampled_from(sorted(contents)))
    content = contents[file]
    begin = data.draw(st.integers(0, len(content)))
    file.write_bytes(
        content[:begin] + data.draw(st.binary(max_size=9)) + content[data.draw(st.integers(begin, begin + 9)) :]
    )
    try:
        np.testing.assert_array_equal(ecg.read_record("toy", file.with_suffix(""), 100), values)
    except ValueError as error:
        assert re.match(rf"{re.escape(str(file.parent))}/7.(hea|dat) is damaged: expected", str(error))


@pytest.fixture
def project(server, tmp_path, monkeypatch):
    """A project at a local PhysioNet: what it lists and what it has."""
    monkeypatch.setenv("TFQ_FUSION_DATA_DIR", str(tmp_path))
    monkeypatch.setattr(ecg, "MIRRORS", (f"{server.url}/files/", f"{server.url}/bucket/"))
    contents = {"table.csv": b"a,b", "records100/1.dat": b"wanted", "records500/1.dat": b"too much"}
    sums = "".join(f"{hashlib.sha256(content).hexdigest()} {path}\n" for path, content in contents.items())
    for mirror in ("files", "bucket"):
        server.files |= {f"/{mirror}/toy/1.0/{path}": content for path, content in contents.items()}
    server.files["/files/toy/1.0/SHA256SUMS.txt"] = sums.encode()
    return server


def test_only_wanted_files_are_fetched(project, tmp_path):
    folder = fetch("toy", ecg.listed_files("toy", "1.0", lambda path: not path.startswith("records500"), False))
    assert folder == tmp_path / "toy"
    assert (folder / "records100" / "1.dat").read_bytes() == b"wanted"
    assert {path for path, _ in project.requests} == {
        f"/files/toy/1.0/{path}" for path in ("SHA256SUMS.txt", "table.csv", "records100/1.dat")
    }


def test_what_physionet_lists_is_what_is_accepted(project):
    project.files["/files/toy/1.0/table.csv"] = b"tampered"
    folder = fetch("toy", ecg.listed_files("toy", "1.0", lambda path: True, False))
    assert (folder / "table.csv").read_bytes() == b"a,b"  # of the bucket
    project.files["/bucket/toy/1.0/records100/1.dat"] = project.files["/files/toy/1.0/records100/1.dat"] = b"tampered"
    (folder / "records100" / "1.dat").unlink()
    with pytest.raises(MissingDataError, match=r"records100/1\.dat could not be downloaded"):
        fetch("toy", ecg.listed_files("toy", "1.0", lambda path: True, False))


def test_a_list_that_is_none_is_refused(project):
    project.files["/files/toy/1.0/SHA256SUMS.txt"] = b"<html>Please log in</html>"
    with pytest.raises(ValueError, match=r"SHA256SUMS.txt: expected a SHA-256 and a path in each line, got '<html>"):
        fetch("toy", ecg.listed_files("toy", "1.0", lambda path: True, False))
