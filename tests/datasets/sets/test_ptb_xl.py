"""PTB-XL: on a miniature in the same format, of invented records and, where they are, of real ones."""

import hashlib
import shutil
import zlib

import numpy as np
import pandas as pd
import pytest
from scipy.signal import resample_poly

from tfq_fusion.datasets import MissingDataError, fetch, load, state
from tfq_fusion.datasets.download import data_folder
from tfq_fusion.datasets.sets import ecg, ptb_xl

PARTS = ("train", "validation", "test")
CODES = {  # by fold; likelihoods of 0 are unknown, and rhythms and forms are no diagnoses, whatever their class
    1: "{'NORM': 100.0, 'SR': 0.0}",
    2: "{'IMI': 15.0, 'LVH': 0.0}",
    3: "{'SR': 0.0, 'LVOLT': 100.0}",
    4: "{'NDT': 0.0, 'ASMI': 35.0, 'IMI': 50.0}",
    8: "{'LAFB': 100.0, 'NORM': 80.0}",
    9: "{'NORM': 80.0}",
    10: "{'LVH': 100.0, 'LAFB': 0.0, 'AFIB': 0.0}",
}
SUPERCLASSES = {
    "train": [[1, 0, 0, 0, 0], [0, 1, 0, 0, 1], [0, 1, 1, 0, 0], [1, 0, 0, 1, 0]],
    "validation": [[1, 0, 0, 0, 0]],
    "test": [[0, 0, 0, 1, 1]],
}
STATEMENTS = """,description,diagnostic,form,rhythm,diagnostic_class
NORM,normal ECG,1.0,,,NORM
IMI,inferior myocardial infarction,1.0,,,MI
ASMI,anteroseptal myocardial infarction,1.0,,,MI
NDT,non-diagnostic T abnormalities,1.0,1.0,,STTC
LAFB,left anterior fascicular block,1.0,,,CD
LVH,left ventricular hypertrophy,1.0,,,HYP
LVOLT,low QRS voltages,,1.0,,HYP
SR,sinus rhythm,,,1.0,
AFIB,atrial fibrillation,,,1.0,
"""


@pytest.fixture
def records(request) -> dict[int, np.ndarray]:
    """Fold -> digital values ``[12, 1000]``, others in each test; there is one record for each fold."""
    rng = np.random.default_rng(zlib.crc32(request.node.name.encode()))
    return {fold: rng.integers(-2000, 2000, (12, 1000)) for fold in CODES}


@pytest.fixture
def folder(records, tmp_path, monkeypatch, write_record):
    monkeypatch.setenv("TFQ_FUSION_DATA_DIR", str(tmp_path))
    folder = tmp_path / "ptb-xl"
    rows = []
    for fold, values in records.items():
        name = f"records100/0{fold:02d}00/{fold:05d}_lr"
        write_record(folder / name, values, 100, names=[lead.upper() for lead in ecg.LEADS])
        rows.append({"ecg_id": fold, "scp_codes": CODES[fold], "strat_fold": fold, "filename_lr": name})
    pd.DataFrame(rows).to_csv(folder / "ptbxl_database.csv", index=False)
    (folder / "scp_statements.csv").write_text(STATEMENTS, encoding="utf-8")
    return folder


def test_parts_are_the_official_folds_without_what_has_no_diagnosis(folder, records):
    dataset = load("ptb-xl")
    folds = {"train": (1, 2, 4, 8), "validation": (9,), "test": (10,)}
    for part, chosen in folds.items():
        inputs, labels = getattr(dataset, part)
        assert tuple(inputs) == dataset.modalities == ecg.LEADS
        assert labels.dtype == np.float32
        assert labels.tolist() == SUPERCLASSES[part]
        for lead, signals in enumerate(inputs.values()):
            assert signals.dtype == np.float32
            np.testing.assert_array_equal(signals, [records[fold][lead] for fold in chosen])  # microvolts
    assert (dataset.task, dataset.card.classes) == ("multilabel", ("NORM", "MI", "STTC", "CD", "HYP"))
    assert (dataset.card.split.train, dataset.card.split.validation, dataset.card.split.test) == (4, 1, 1)


def test_normal_or_not(folder):
    dataset = load("ptb-xl", target="norm", leads=("V2", "I"))
    assert (dataset.task, dataset.card.classes) == ("classification", ("not normal", "normal"))
    labels = {part: getattr(dataset, part)[1] for part in PARTS}
    assert {part: array.tolist() for part, array in labels.items()} == {
        "train": [1, 0, 0, 1],
        "validation": [1],
        "test": [0],
    }
    assert labels["train"].dtype == np.int64
    whole = load("ptb-xl")
    assert dataset.modalities == ("V2", "I")
    np.testing.assert_array_equal(dataset.train[0]["V2"], whole.train[0]["V2"])
    assert dataset.card.sha256 == whole.card.sha256 != ""


def test_unknown_targets_are_named(folder):
    with pytest.raises(ValueError, match="`target` should be one of superclasses, norm, got 'rhythm'"):
        load("ptb-xl", target="rhythm")


def test_what_is_missing_is_named(folder):
    (folder / "records100" / "00400" / "00004_lr.dat").unlink()
    assert state("ptb-xl") == "partial"
    with pytest.raises(
        MissingDataError, match=r"(?s)1 of 14 files of records.*records100/00400/00004_lr.dat.*ptb-xl/1.0.3"
    ):
        load("ptb-xl")
    (folder / "scp_statements.csv").unlink()
    with pytest.raises(MissingDataError, match=r"(?s)1 of 2 files are not there.*scp_statements.csv"):
        load("ptb-xl")


def test_a_record_that_is_not_in_microvolts_is_refused(folder, records, write_record):
    write_record(folder / "records100" / "00400" / "00004_lr", records[4], 100, gains=200)
    with pytest.raises(ValueError, match=r"00004_lr.hea is damaged: expected 1000 units per mV"):
        load("ptb-xl")


def test_a_path_that_leads_out_of_the_folder_is_refused(folder):
    table = folder / "ptbxl_database.csv"
    table.write_text(table.read_text().replace("records100/00400/", "../elsewhere/"))
    with pytest.raises(ValueError, match="relative POSIX path without"):
        load("ptb-xl")


def test_fetching_gets_the_tables_and_the_small_records_alone(folder, server, monkeypatch):
    monkeypatch.setattr(ecg, "MIRRORS", (f"{server.url}/",))
    expected = load("ptb-xl").train[1]
    (folder / "records500").mkdir()
    (folder / "records500" / "00001_hr.dat").write_bytes(b"large")
    files = {file.relative_to(folder).as_posix(): file.read_bytes() for file in folder.rglob("*.*")}
    sums = "".join(f"{hashlib.sha256(content).hexdigest()} {path}\n" for path, content in files.items())
    server.files = {f"/ptb-xl/1.0.3/{path}": content for path, content in files.items()}
    server.files["/ptb-xl/1.0.3/SHA256SUMS.txt"] = sums.encode()
    shutil.rmtree(folder)
    assert state("ptb-xl") == "missing"
    np.testing.assert_array_equal(fetch("ptb-xl").train[1], expected)
    assert state("ptb-xl") == "ready"
    assert {path for path, _ in server.requests} == set(server.files) - {"/ptb-xl/1.0.3/records500/00001_hr.dat"}


def test_a_sample_without_a_value_is_refused(folder, records, write_record):
    records[4][11, 999] = -32768
    write_record(folder / "records100" / "00400" / "00004_lr", records[4], 100)
    with pytest.raises(ValueError, match=r"00004_lr.dat is damaged: .*marks as having none.*lead V6 at 999"):
        load("ptb-xl")


def test_an_empty_header_is_named_with_what_it_should_be(folder):
    (folder / "records100" / "00400" / "00004_lr.hea").write_bytes(b"")
    with pytest.raises(ValueError, match=r"00004_lr.hea is damaged: expected a WFDB header.*found .*DATASET=ptb-xl"):
        load("ptb-xl")


@pytest.mark.parametrize(
    "codes",
    ["", "NORM", "{'NORM': 100.0", "{'NORM'}", "['NORM']", "{'NORM': 'high'}", "{1: 2}", "[" * 100_000, "{'IMII': 1}"],
    ids=lambda codes: codes[:20],
)
def test_malformed_statements_are_named_with_file_record_and_expectation(folder, codes):
    file = folder / "ptbxl_database.csv"
    table = pd.read_csv(file)
    table.loc[table["ecg_id"] == 9, "scp_codes"] = codes
    table.to_csv(file, index=False)
    with pytest.raises(ValueError) as caught:
        load("ptb-xl")
    for part in (str(file), "scp_codes such as {'NORM': 100.0}", codes[:60], "record 9", "make data DATASET=ptb-xl"):
        assert part in str(caught.value)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("ptbxl_database.csv", ""),
        ("ptbxl_database.csv", "<html>Please log in</html>"),
        ("scp_statements.csv", ""),
        ("scp_statements.csv", ",description,diagnostic\nNORM,normal ECG,1.0\n"),
        ("scp_statements.csv", STATEMENTS.replace(",CD", ",DC")),
    ],
)
def test_a_table_that_is_none_is_named_and_the_set_is_partial(folder, name, content):
    (folder / name).write_text(content)
    with pytest.raises(ValueError, match=rf"{name} is damaged: expected a table .*found .*DATASET=ptb-xl"):
        load("ptb-xl")
    assert state("ptb-xl") == ("partial" if name == "ptbxl_database.csv" else "ready")


@pytest.mark.parametrize("fold", [0, 11, 999, "first"])
def test_a_fold_out_of_range_is_named(folder, fold):
    file = folder / "ptbxl_database.csv"
    table = pd.read_csv(file, dtype=str)
    table.loc[0, "strat_fold"] = str(fold)
    table.to_csv(file, index=False)
    with pytest.raises(ValueError, match=r"ptbxl_database.csv is damaged: expected .*strat_fold from 1 to 10"):
        load("ptb-xl")


@pytest.mark.parametrize("rows", [0, 4, 6])
def test_a_part_without_records_is_named(folder, rows):
    file = folder / "ptbxl_database.csv"
    pd.read_csv(file)[:rows].to_csv(file, index=False)
    with pytest.raises(ValueError, match=r"ptbxl_database.csv is damaged: expected .*without any diagnosis"):
        load("ptb-xl")


def test_a_record_in_two_folds_is_refused(folder):
    file = folder / "ptbxl_database.csv"
    table = pd.read_csv(file)
    table.loc[5, "filename_lr"] = table.loc[0, "filename_lr"]
    table.to_csv(file, index=False)
    with pytest.raises(ValueError, match=r"ptbxl_database.csv is damaged: .*filename_lr"):
        load("ptb-xl")


def test_a_whole_copy_under_another_name_counts_before_half_a_download(folder):
    shutil.copytree(folder, folder.with_name(ptb_xl.PTB_XL.aliases[0]))
    shutil.rmtree(folder / "records100")
    assert state("ptb-xl") == "ready"
    assert len(load("ptb-xl").train[1]) == 4


def exchange_samples(folder):
    """Change a record so that its checksums stay right."""
    file = folder / "records100" / "00400" / "00004_lr.dat"
    values = np.fromfile(file, "<i2").reshape(1000, 12)
    file.write_bytes(values[::-1].tobytes())


def test_other_samples_are_other_data_though_their_checksums_agree(folder):
    before = load("ptb-xl")
    exchange_samples(folder)
    after = load("ptb-xl")
    assert after.card.sha256 != before.card.sha256
    assert (after.train[0]["I"] != before.train[0]["I"]).any()


def test_records_are_those_of_the_list_of_hashes_that_stands_for_them(folder):
    files = {file.relative_to(folder).as_posix(): file.read_bytes() for file in folder.rglob("*.*")}
    sums = "".join(f"{hashlib.sha256(content).hexdigest()} {path}\n" for path, content in files.items())
    (folder / "SHA256SUMS.txt").write_text(sums)
    exchange_samples(folder)
    with pytest.raises(ValueError, match=r"00004_lr.dat is damaged: expected SHA-256 \w+, found \w+.*DATASET=ptb-xl"):
        load("ptb-xl")
    (folder / "SHA256SUMS.txt").write_text(sums.replace("00004_lr.dat", "00005_lr.dat"))
    with pytest.raises(ValueError, match=r"SHA256SUMS.txt.*00004_lr.dat"):
        load("ptb-xl")


@pytest.fixture
def real():
    """The real tables of version 1.0.1, and 25 real records."""
    folder = data_folder() / "ptbxl_meta_25_records"
    if not folder.is_dir():
        pytest.skip(f"{folder.name} is not in TFQ_FUSION_DATA_DIR")
    with np.load(folder / "ptbxl_records.npz", allow_pickle=False) as arrays:
        return pd.read_csv(folder / "ptbxl_database.csv.gz"), folder / "scp_statements.csv", dict(arrays)


@pytest.mark.data
def test_the_whole_table_has_the_published_classes_and_the_sizes_that_the_card_states(real):
    table, statements, _ = real
    labels = ptb_xl.superclasses(table, pd.read_csv(statements, index_col=0))
    assert labels.sum(axis=0).tolist() == [9528, 5486, 5250, 4907, 2655]
    folds = table["strat_fold"][labels.any(axis=1)]
    assert [(folds <= 8).sum(), (folds == 9).sum(), (folds == 10).sum()] == [17111, 2156, 2163]
    (note,) = [note for note in ptb_xl.read_card(ptb_xl.DATA, "ptb-xl").notes if "1.0.1" in note]
    assert all(f"{count:,}" in note for count in (9528, 5486, 5250, 4907, 2655, 17111, 2156, 2163))


@pytest.mark.data
def test_a_miniature_of_real_records(real, tmp_path, monkeypatch, write_record):
    table, statements, arrays = real
    signals = {int(n): values.T for n, values in zip(arrays["ecg_id_100hz"], arrays["signals_100hz"], strict=True)}
    for number, values in zip(arrays["ecg_id_500hz"], arrays["signals_500hz"], strict=True):
        signals[int(number)] = resample_poly(values.T.astype(float), 1, 5, axis=1).round()
    table = table[table["ecg_id"].isin(signals)]
    folder = tmp_path / "ptb-xl"
    for number, name in zip(table["ecg_id"], table["filename_lr"], strict=True):
        write_record(folder / name, signals[number], 100, names=[lead.upper() for lead in ecg.LEADS])
    table.to_csv(folder / "ptbxl_database.csv", index=False)
    shutil.copy(statements, folder)
    monkeypatch.setenv("TFQ_FUSION_DATA_DIR", str(tmp_path))

    stated = dict(zip(arrays["ecg_id_100hz"], arrays["superclass_100hz"], strict=True))
    stated |= dict(zip(arrays["ecg_id_500hz"], arrays["superclass_500hz"], strict=True))
    dataset = load("ptb-xl")
    fold = dict(zip(table["ecg_id"], table["strat_fold"], strict=True))
    chosen = {
        "train": [number for number in sorted(stated) if stated[number] and fold[number] <= 8],
        "validation": [number for number in sorted(stated) if stated[number] and fold[number] == 9],
        "test": [number for number in sorted(stated) if stated[number] and fold[number] == 10],
    }
    assert {part: len(numbers) for part, numbers in chosen.items()} == {"train": 17, "validation": 2, "test": 5}
    for part, numbers in chosen.items():
        inputs, labels = getattr(dataset, part)
        names = ["|".join(sorted(np.array(dataset.card.classes)[row == 1])) for row in labels]
        assert names == [stated[number] for number in numbers]
        for position, number in enumerate(numbers):
            found = np.stack([inputs[lead][position] for lead in ecg.LEADS])
            np.testing.assert_array_equal(found, signals[number])
