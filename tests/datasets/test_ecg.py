"""What the two electrocardiogram sets share."""

import hashlib

import numpy as np
import pytest

from tfq_fusion.datasets import MissingDataError, ecg


@pytest.fixture
def values() -> np.ndarray:
    return np.random.default_rng(0).integers(-5000, 5000, (12, 1000))


def test_a_record_comes_back_in_the_usual_order_of_leads(values, tmp_path, write_record):
    order = np.random.default_rng(1).permutation(12)
    names = [ecg.LEADS[lead].upper() for lead in order]
    write_record(tmp_path / "7", values[order], 100, names=names)
    found = ecg.read_record(tmp_path / "7", 100)
    assert found.dtype == np.int16
    np.testing.assert_array_equal(found, values)


@pytest.mark.parametrize("position", [0, 11_001, 23_999])
def test_a_flipped_bit_is_noticed(values, tmp_path, write_record, position):
    write_record(tmp_path / "7", values, 100)
    content = bytearray((tmp_path / "7.dat").read_bytes())
    content[position] ^= 4
    (tmp_path / "7.dat").write_bytes(content)
    with pytest.raises(ValueError, match="7 is damaged: the checksum of lead"):
        ecg.read_record(tmp_path / "7", 100)


def test_half_a_record_is_refused(values, tmp_path, write_record):
    write_record(tmp_path / "7", values, 100)
    (tmp_path / "7.dat").write_bytes((tmp_path / "7.dat").read_bytes()[:12_000])
    with pytest.raises(ValueError):
        ecg.read_record(tmp_path / "7", 100)


def test_records_of_another_form_are_refused(values, tmp_path, write_record):
    write_record(tmp_path / "7", values, 500)
    with pytest.raises(ValueError, match=r"expected 10 seconds at 100 samples per second.*got 1000 samples at 500"):
        ecg.read_record(tmp_path / "7", 100)
    write_record(tmp_path / "8", values[:3], 100, names=("I", "II", "V2"))
    with pytest.raises(ValueError, match=r"of I, II, III, aVR.*got 1000 samples at 100 of I, II, V2"):
        ecg.read_record(tmp_path / "8", 100)


def test_another_gain_is_refused_where_it_matters(values, tmp_path, write_record):
    write_record(tmp_path / "7", values, 100, gains=[1000.0] * 11 + [500.0])
    np.testing.assert_array_equal(ecg.read_record(tmp_path / "7", 100), values)
    with pytest.raises(ValueError, match="expected 1000 units per mV from 0 for every lead"):
        ecg.read_record(tmp_path / "7", 100, gain=1000)


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
    folder = ecg.fetch_physionet("toy", "1.0", lambda path: not path.startswith("records500"), progress=False)
    assert folder == tmp_path / "toy"
    assert (folder / "records100" / "1.dat").read_bytes() == b"wanted"
    assert {path for path, _ in project.requests} == {
        f"/files/toy/1.0/{path}" for path in ("SHA256SUMS.txt", "table.csv", "records100/1.dat")
    }


def test_what_physionet_lists_is_what_is_accepted(project):
    project.files["/files/toy/1.0/table.csv"] = b"tampered"
    folder = ecg.fetch_physionet("toy", "1.0", lambda path: True, progress=False)
    assert (folder / "table.csv").read_bytes() == b"a,b"  # of the bucket
    project.files["/bucket/toy/1.0/records100/1.dat"] = project.files["/files/toy/1.0/records100/1.dat"] = b"tampered"
    (folder / "records100" / "1.dat").unlink()
    with pytest.raises(MissingDataError, match=r"records100/1\.dat could not be downloaded"):
        ecg.fetch_physionet("toy", "1.0", lambda path: True, progress=False)


def test_a_list_that_is_none_is_refused(project):
    project.files["/files/toy/1.0/SHA256SUMS.txt"] = b"<html>Please log in</html>"
    with pytest.raises(ValueError, match=r"SHA256SUMS.txt: expected a SHA-256 and a path in each line, got '<html>"):
        ecg.fetch_physionet("toy", "1.0", lambda path: True, progress=False)
