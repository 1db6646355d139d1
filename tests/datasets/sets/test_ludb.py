"""LUDB: on a small tree in the same format, and itself where it is."""

import dataclasses
import lzma
import tarfile

import numpy as np
import pandas as pd
import pytest
import wfdb
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tfq_fusion.datasets import MissingDataError, load, state
from tfq_fusion.datasets.download import data_folder
from tfq_fusion.datasets.registry import DOWNLOADS
from tfq_fusion.datasets.sets import ecg, ludb

SUBJECTS = 40
PARTS = ("train", "validation", "test")
HYPERTROPHY = np.arange(SUBJECTS) % 2
SINUS = np.arange(SUBJECTS) % 4 < 3
FREQUENCIES = np.linspace(1, 20, SUBJECTS)


def limb_leads(one: np.ndarray, two: np.ndarray) -> list[np.ndarray]:
    return [one, two, two - one, -(one + two) / 2, one - two / 2, two - one / 2]


@pytest.fixture(scope="module")
def tree(tmp_path_factory, write_record):
    """Sine waves as LUDB would write them: right in digital values, and each lead with a gain of its own."""
    folder = tmp_path_factory.mktemp("tree") / "ludb"
    rng = np.random.default_rng(0)
    time = np.arange(5000) / 500
    rows = []
    for subject, frequency in enumerate(FREQUENCIES, start=1):
        sine, cosine = np.sin(2 * np.pi * frequency * time), np.cos(2 * np.pi * frequency * time)
        leads = [*limb_leads(np.round(800 * sine) * 2, np.round(300 * cosine) * 2), *(100 * n * sine for n in range(6))]
        write_record(folder / "data" / str(subject), np.stack(leads), 500, gains=rng.integers(600, 2400, 12).tolist())
        rhythm = ("Sinus rhythm\nWandering pacemaker", "Sinus rhythm")[subject % 2]
        left = ("Left ventricular overload", "Left ventricular overload\nLeft ventricular hypertrophy ")
        rows.append(
            {
                "ID": subject,
                "Sex": "F\n",
                "Rhythms": rhythm if SINUS[subject - 1] else "Irregular Sinus rhythm",
                "Hypertrophies": left[HYPERTROPHY[subject - 1]] if subject % 3 or HYPERTROPHY[subject - 1] else None,
            }
        )
    pd.DataFrame(rows).to_csv(folder / "ludb.csv", index=False)
    return folder


@pytest.fixture(autouse=True)
def few_subjects(request, monkeypatch):
    if "data" not in request.keywords:
        records = tuple(f"data/{n}.{suffix}" for n in range(1, SUBJECTS + 1) for suffix in ("hea", "dat"))
        monkeypatch.setattr(ludb, "RECORDS", records)
        files = tuple(ecg.remote_file("ludb", "1.0.1", path) for path in ("ludb.csv", *records))
        monkeypatch.setitem(DOWNLOADS, "ludb", dataclasses.replace(ludb.LUDB, files=files))


@pytest.fixture
def folder(tree, monkeypatch):
    monkeypatch.setenv("TFQ_FUSION_DATA_DIR", str(tree.parent))
    return tree


@pytest.fixture
def copy(tree, tmp_path, monkeypatch):
    """A copy that a test may change."""
    monkeypatch.setenv("TFQ_FUSION_DATA_DIR", str(tmp_path))
    for file in tree.rglob("*.*"):
        target = tmp_path / "ludb" / file.relative_to(tree)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(file.read_bytes())
    return tmp_path / "ludb"


def whole(dataset) -> tuple[np.ndarray, np.ndarray]:
    """All signals ``[records, leads, 1000]`` and labels, whatever their part."""
    parts = [getattr(dataset, part) for part in PARTS]
    signals = [np.stack(list(inputs.values()), axis=1) for inputs, _ in parts]
    return np.concatenate(signals), np.concatenate([labels for _, labels in parts])


def test_einthoven_s_law_holds_though_the_headers_break_it(folder):
    signals, _ = whole(load("ludb"))
    one, two, three, right, left, foot = signals.transpose(1, 0, 2)[:6]
    np.testing.assert_allclose(one + three, two, atol=1e-2)
    np.testing.assert_allclose(right + left + foot, 0, atol=1e-2)
    physical = wfdb.rdrecord(str(folder / "data" / "1")).p_signal.T
    assert np.abs(physical[0] + physical[2] - physical[1]).max() > 0.1


def test_signals_are_resampled_and_keep_their_units(folder):
    signals, _ = whole(load("ludb"))
    strengths = np.abs(np.fft.rfft(signals[:, 0], axis=1))
    frequencies = strengths.argmax(axis=1) / 10  # the spectrum has ten points per hertz
    np.testing.assert_allclose(np.sort(frequencies), FREQUENCIES, atol=0.06)
    np.testing.assert_allclose(np.abs(signals[:, 0, 50:-50]).max(axis=1), 1600, rtol=0.06)


def test_labels_are_whole_lines_of_the_table(folder):
    frequency_of = {}
    for target, expected in (("hypertrophy", HYPERTROPHY), ("rhythm", SINUS)):
        signals, labels = whole(load("ludb", target=target))
        subjects = np.abs(np.fft.rfft(signals[:, 0], axis=1)).argmax(axis=1).argsort().argsort()
        np.testing.assert_array_equal(labels, expected[subjects])
        frequency_of[target] = subjects
    np.testing.assert_array_equal(*frequency_of.values())  # one split for both targets
    assert load("ludb", target="rhythm").card.classes == ("another rhythm", "sinus rhythm")


def test_every_person_is_in_one_part_and_once_in_a_test_part(folder):
    tested, following = [], set()
    for fold in range(5):
        dataset = load("ludb", fold=fold)
        parts = [{row.tobytes() for row in getattr(dataset, part)[0]["I"]} for part in PARTS]
        assert [len(part) for part in parts] == [24, 8, 8]
        assert len(set.union(*parts)) == SUBJECTS
        split = dataset.card.split
        assert (split.train, split.validation, split.test) == (24, 8, 8)
        assert dataset.test[1].sum() == 4
        tested.append(parts[2])
        if fold:
            assert parts[2] == following
        following = parts[1]
    assert len(set.union(*tested)) == SUBJECTS
    assert following == tested[0]


def test_any_leads_in_any_order(folder):
    whole, some = load("ludb"), load("ludb", leads=("V2", "I"))
    assert some.modalities == tuple(some.train[0]) == ("V2", "I")
    assert some.train[0]["V2"].shape == (24, 1000)
    assert some.train[0]["V2"].dtype == np.float32
    assert all(modality.kind == "waveform" for modality in some.card.modalities)
    for lead in some.modalities:
        np.testing.assert_array_equal(some.test[0][lead], whole.test[0][lead])


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"leads": ("I",)}, "`leads` should be 2 or more of I, II, III"),
        ({"leads": "V1"}, "each once; got V1"),
        ({"leads": None}, "each once; got None"),
        ({"leads": (1, 2)}, "each once; got 1, 2"),
        ({"leads": ("I", "I")}, "each once; got I, I"),
        ({"leads": ("I", "V7")}, "each once; got I, V7"),
        ({"target": "axis"}, "`target` should be one of hypertrophy, rhythm, got 'axis'"),
        ({"target": ["rhythm"]}, "`target` should be one of hypertrophy, rhythm, got"),
        ({"fold": 5}, "`fold` should be between 0 and 4, an integer; got 5"),
    ],
)
def test_options_out_of_range_are_named(folder, options, complaint):
    with pytest.raises(ValueError, match=complaint):
        load("ludb", **options)


def test_an_archive_is_as_good_as_its_records(copy):
    expected, labels = whole(load("ludb"))
    pack(copy, lambda file: f"lobachevsky/{file.relative_to(copy).as_posix()}")
    copy.rename(copy.with_name("ludb_12lead"))
    assert state("ludb") == "ready"
    found = whole(load("ludb"))
    np.testing.assert_array_equal(found[0], expected)
    np.testing.assert_array_equal(found[1], labels)


def test_an_archive_cannot_write_elsewhere(copy):
    pack(copy, lambda file: f"../../outside/data/{file.name}")
    with pytest.raises(ValueError, match=r"ludb_1.0.1.tar.xz is damaged.*missing"):
        load("ludb")
    assert not list(copy.parent.parent.rglob("outside"))


def pack(folder, name):
    """Move the records into the archive."""
    with tarfile.open(folder / "ludb_1.0.1.tar.xz", "w:xz", preset=0) as archive:
        for file in sorted((folder / "data").iterdir()):
            archive.add(file, name(file))
            file.unlink()


def test_what_is_missing_is_named(copy):
    (copy / "data" / "7.dat").unlink()
    assert state("ludb") == "partial"
    with pytest.raises(
        MissingDataError, match=r"(?s)1 of 81 files.*DATASET=ludb.*data/7.dat.*physionet.org/files/ludb/1.0"
    ):
        load("ludb")


def test_a_changed_record_is_not_taken_from_what_was_prepared_before(copy):
    before = load("ludb").card.sha256
    content = bytearray((copy / "data" / "7.dat").read_bytes())
    content[1000] ^= 1
    (copy / "data" / "7.dat").write_bytes(content)
    with pytest.raises(ValueError, match=r"7.dat is damaged"):
        load("ludb")
    content[1000] ^= 1
    (copy / "data" / "7.dat").write_bytes(content)
    assert load("ludb").card.sha256 == before


def test_a_sample_without_a_value_is_refused(copy, write_record):
    values = np.zeros((12, 5000))
    values[1, 7] = -32768
    write_record(copy / "data" / "7", values, 500)
    with pytest.raises(ValueError, match=r"7.dat is damaged: .*marks as having none \(-32768\).*lead II at 7"):
        load("ludb")


TABLES = {
    "empty": lambda table: "",
    "no table": lambda table: "<html>Please log in</html>",
    "a column is missing": lambda table: table.replace("Rhythms", "Rhythm", 1),
    "a person is missing": lambda table: "".join(table.splitlines(keepends=True)[:-3]),
    "a person twice": lambda table: table.replace("\n12,", "\n13,", 1),
    "a path": lambda table: table.replace("\n12,", "\n../data/12,", 1),
    "numbers": lambda table: "ID,Rhythms,Hypertrophies\n" + "".join(f"{n},1,2\n" for n in range(1, SUBJECTS + 1)),
    "no sinus rhythm": lambda table: table.replace("Sinus rhythm", "Sinusrhythm"),
}


@pytest.mark.parametrize("damage", TABLES.values(), ids=TABLES)
def test_a_table_that_is_none_is_named_with_what_it_should_be(copy, damage):
    file = copy / "ludb.csv"
    file.write_text(damage(file.read_text()))
    with pytest.raises(ValueError, match=r"ludb.csv is damaged: expected a table of ID.*, found .*DATASET=ludb"):
        load("ludb")


ARCHIVES = {
    "empty": b"",
    "half": lzma.compress(bytes(1000))[:40],
    "no archive": lzma.compress(b"no archive"),
    "no tar.xz": b"no archive",
    "a bomb": lzma.compress(bytes(1 << 21)),
}


@pytest.mark.parametrize("content", ARCHIVES.values(), ids=ARCHIVES)
def test_an_archive_that_is_none_is_named(copy, monkeypatch, content):
    monkeypatch.setattr(ludb, "ARCHIVE_LIMIT", 1 << 20)
    (copy / "data" / "7.dat").unlink()
    (copy / "ludb_1.0.1.tar.xz").write_bytes(content)
    with pytest.raises(ValueError, match=r"ludb_1.0.1.tar.xz is damaged: expected a tar.xz of 80 files.*DATASET=ludb"):
        load("ludb")


def test_a_damaged_record_is_named_inside_its_archive(copy):
    (copy / "data" / "7.hea").write_bytes(b"")
    pack(copy, lambda file: f"lobachevsky/data/{file.name}")
    with pytest.raises(ValueError, match=rf"^{copy}/ludb_1.0.1.tar.xz/data/7.hea is damaged: expected a WFDB header"):
        load("ludb")


def test_links_in_an_archive_are_not_followed(copy):
    secret = copy / "data" / "7.hea"
    content = secret.read_bytes()
    secret.unlink()
    secret.symlink_to(copy / "secret")
    (copy / "secret").write_bytes(content)
    pack(copy, lambda file: f"lobachevsky/data/{file.name}")
    with pytest.raises(ValueError, match=r"tar.xz is damaged.*1 of them missing, the first one data/7.hea"):
        load("ludb")


def test_records_that_were_fetched_replace_a_damaged_archive(copy):
    expected, _ = whole(load("ludb"))
    (copy / "ludb_1.0.1.tar.xz").write_bytes(b"damaged")
    np.testing.assert_array_equal(whole(load("ludb"))[0], expected)


@pytest.mark.data("ludb")
@pytest.mark.parametrize(("target", "counts"), [("hypertrophy", [92, 108]), ("rhythm", [57, 143])])
def test_ludb_has_its_published_counts(target, counts):
    _, labels = whole(load("ludb", target=target))
    assert np.bincount(labels).tolist() == counts


@pytest.mark.data("ludb")
def test_einthoven_s_law_holds_in_ludb():
    one, two, three = whole(load("ludb", leads=("I", "II", "III")))[0].transpose(1, 0, 2)
    assert one.shape == (200, 1000)
    np.testing.assert_allclose(one + three, two, atol=1e-2)


@pytest.mark.data("ludb")
def test_ludb_is_what_another_resampled():
    file = data_folder() / "ludb_12lead" / "ludb_100hz_int16.npz"
    if not file.is_file():
        pytest.skip(f"{file.name} is not there")
    with np.load(file, allow_pickle=False) as arrays:
        other = arrays["signals"].transpose(0, 2, 1)[:, :, 20:-20]  # which has transients at both ends
    found = whole(load("ludb"))[0][:, :, 20:-20]
    rows = [np.abs(other[:, 0] - lead).max(axis=1).argmin() for lead in found[:, 0]]
    assert sorted(rows) == list(range(200))
    np.testing.assert_allclose(found, other[rows], atol=0.51)


@pytest.mark.data("ludb")
def test_simple_features_tell_as_much_as_the_card_says():
    found = []
    for target in ("hypertrophy", "rhythm"):
        for fold in range(5):
            dataset = load("ludb", target=target, fold=fold)
            model = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=2000))
            model.fit(features(dataset.train[0]), dataset.train[1])
            found.append(roc_auc_score(dataset.test[1], model.decision_function(features(dataset.test[0]))))
    rounded = [f"{value:.3f}" for value in found]
    assert rounded == [
        *("0.836", "0.801", "0.795", "0.569", "0.852"),
        *("0.708", "0.619", "0.515", "0.699", "0.495"),
    ]
    (stated,) = [note for note in dataset.card.notes if "ROC AUC" in note]
    assert all(value in stated for value in rounded)


def features(inputs) -> np.ndarray:
    signals = np.stack(list(inputs.values()), axis=1)
    signals = signals - np.median(signals, axis=2, keepdims=True)
    return np.concatenate([signals.max(axis=2), signals.min(axis=2), signals.std(axis=2)], axis=1)
