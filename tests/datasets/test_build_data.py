"""The parts of scripts/build_data.py, without the network."""

import importlib.util
import io
import re
import shutil
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components

SCRIPT = Path(__file__).parents[2] / "scripts" / "build_data.py"
spec = importlib.util.spec_from_file_location("build_data", SCRIPT)
build_data = importlib.util.module_from_spec(spec)
spec.loader.exec_module(build_data)


@given(st.integers(7, 29), st.floats(-2, 2), st.floats(-2, 2))
def test_resampling_keeps_a_straight_line_straight(frames, start, end):
    line = np.linspace(start, end, frames)
    resampled = build_data.resample(np.stack([line, -line]), frames=16)
    expected = np.linspace(start, end, 16)
    np.testing.assert_allclose(resampled, np.stack([expected, -expected]), atol=1e-12)


def test_resampling_interpolates_between_neighbours():
    resampled = build_data.resample(np.array([[0.0, 1.0, 4.0, 9.0]]), frames=7)
    np.testing.assert_allclose(resampled, [[0, 0.5, 1, 2.5, 4, 6.5, 9]])


def test_ts_files_are_channels_between_colons_and_a_label():
    samples, labels = build_data.parse_ts("#a comment\n@dimensions 2\n@data\n1,2,3:4,5,6:1\n-7.5,8:9,0:9\n")
    assert [sample.tolist() for sample in samples] == [[[1, 2, 3], [4, 5, 6]], [[-7.5, 8], [9, 0]]]
    assert labels.tolist() == [0, 8]


def test_draws_are_disjoint_balanced_and_eligible():
    labels = np.repeat([3, 1, 2], 30)
    eligible = np.arange(0, 90, 2)
    small, large = build_data.draw_per_class(labels, eligible, [4, 6])
    assert np.bincount(labels[small])[1:].tolist() == [4, 4, 4]
    assert np.bincount(labels[large])[1:].tolist() == [6, 6, 6]
    assert len({*small, *large}) == 30
    assert {*small, *large} <= {*eligible}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("1F3C3-200D-2640-FE0F-200D-27A1-FE0F", "1F3C3"),  # woman running facing right, runner
        ("1F3CB-FE0F-200D-2642-FE0F", "1F3CB-FE0F"),  # man lifting weights, person lifting weights
        ("1F468-200D-1F33E", "1F9D1-200D-1F33E"),  # man farmer, farmer
        ("1F468-200D-1F469-200D-1F467", "1F9D1-200D-1F9D1-200D-1F9D2"),  # man, woman, girl; adult, adult, child
    ],
)
def test_variants_of_one_emoji_are_one_family(one, other):
    assert build_data.family_code(one) == build_data.family_code(other)


def test_other_emoji_are_families_of_their_own():
    codes = ["2640-FE0F", "2642-FE0F", "27A1-FE0F", "1F934", "1F478", "1F468-200D-1F33E", "1F468-200D-1F373"]
    assert len({build_data.family_code(code) for code in codes}) == len(codes)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Timor-Leste Flag flag-tl", "timor leste tl"),
        ("Åland Islands Flag flag-ax", "åland islands ax"),
        ("OPEN MAILBOX WITH RAISED FLAG mailbox_with_mail", "open mailbox with raised mailbox with mail"),
        ("CANNED FOOD canned_food", "canned canned"),
        ("PLACEBO", "placebo"),
    ],
)
def test_names_lose_the_words_of_their_category(name, text):
    assert build_data.without_category_words(name) == text


def test_thumbnails_are_block_means_on_white():
    rng = np.random.default_rng(0)
    sheet = np.zeros((68, 68, 4), np.uint8)
    sheet[35:67, 1:33] = rng.integers(0, 256, (32, 32, 4))
    file = io.BytesIO()
    Image.fromarray(sheet, "RGBA").save(file, "PNG")
    transparent, painted = build_data.thumbnails(
        file.getvalue(), [{"sheet_x": 1, "sheet_y": 0}, {"sheet_x": 0, "sheet_y": 1}]
    )
    assert np.all(transparent == 255)
    tile = Image.fromarray(sheet[35:67, 1:33], "RGBA")
    white = Image.new("RGBA", (32, 32), "white")
    expected = Image.alpha_composite(white, tile).convert("RGB").resize((8, 8), Image.Resampling.BOX)
    np.testing.assert_allclose(painted.astype(int), np.asarray(expected).astype(int), atol=1)


@given(st.integers(1, 20).flatmap(lambda n: st.lists(st.lists(st.integers(0, 9), min_size=n, max_size=n), min_size=1)))
def test_joined_groups_are_connected_components(groupings):
    keys = np.array(groupings)
    joined = build_data.join_groups([build_data.group_ids(key) for key in keys])
    shared = (keys[:, :, None] == keys[:, None, :]).any(axis=0)
    _, expected = connected_components(csr_matrix(shared), directed=False)
    np.testing.assert_array_equal(joined[:, None] == joined, expected[:, None] == expected)


@given(st.sets(st.integers(0, 30), max_size=6), st.integers(1, 5))
def test_windows_have_no_gap_and_precede_their_target(absent, length):
    times = [time for time in range(31) if time not in absent]
    counts = np.array([[time, -time] for time in times])
    begin, windows, targets = build_data.sliding_windows(counts, 900 * np.array(times), length, step=900)
    expected = [time for time in times if all(time + ahead in times for ahead in range(1, length + 1))]
    assert begin.tolist() == [900 * time for time in expected]
    assert windows.tolist() == [[[time + k, -time - k] for k in range(length)] for time in expected]
    assert targets.tolist() == [[time + length, -time - length] for time in expected]


def test_bytes_depend_on_the_arrays_alone():
    one, other = np.arange(3), np.zeros((2, 2), np.float32)
    contents = build_data.npz({"b": one, "a": other})
    assert contents == build_data.npz({"a": other, "b": one})
    members = zipfile.ZipFile(io.BytesIO(contents)).infolist()
    assert [(each.filename, each.date_time[0], each.compress_type) for each in members] == [
        ("a.npy", 1980, zipfile.ZIP_STORED),
        ("b.npy", 1980, zipfile.ZIP_STORED),
    ]


@pytest.mark.parametrize("name", ["a.whl", "a.tgz"])
def test_a_member_of_a_wheel_or_tarball_is_read_in_memory(tmp_path, name):
    archive = tmp_path / name
    if name.endswith("whl"):
        with zipfile.ZipFile(archive, "w") as wheel:
            wheel.writestr("package/data.csv", "1,2")
    else:
        with tarfile.open(archive, "w:gz") as tarball:
            entry = tarfile.TarInfo("package/data.csv")
            entry.size = 3
            tarball.addfile(entry, io.BytesIO(b"1,2"))
    assert build_data.member(archive, "package/data.csv") == b"1,2"
    assert list(tmp_path.iterdir()) == [archive]


@pytest.mark.parametrize("name", ["a.whl", "a.tgz"])
def test_no_more_of_an_archive_is_unpacked_than_a_set_can_need(tmp_path, monkeypatch, name):
    monkeypatch.setattr(build_data, "MEMBER_LIMIT", 1 << 20)
    archive = tmp_path / name
    if name.endswith("whl"):
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as wheel:
            wheel.writestr("package/data.csv", bytes(1 << 21))
    else:
        with tarfile.open(archive, "w:gz") as tarball:
            entry = tarfile.TarInfo("package/data.csv")
            entry.size = 1 << 21
            tarball.addfile(entry, io.BytesIO(bytes(1 << 21)))
    with pytest.raises(SystemExit, match=r"package/data.csv in a\.\w+ should have at most 1,048,576 bytes"):
        build_data.member(archive, "package/data.csv")


@pytest.mark.parametrize("name", ["a.whl", "a.tgz"])
def test_a_file_that_an_archive_lacks_is_named(tmp_path, name):
    with zipfile.ZipFile(tmp_path / "a.whl", "w"), tarfile.open(tmp_path / "a.tgz", "w:gz"):
        pass
    with pytest.raises(SystemExit, match=rf"package/data.csv in {name} should be a file. Check `path` in the card"):
        build_data.member(tmp_path / name, "package/data.csv")


def test_a_link_in_a_tarball_is_not_followed(tmp_path):
    with tarfile.open(tmp_path / "a.tgz", "w:gz") as tarball:
        entry = tarfile.TarInfo("package/data.csv")
        entry.type, entry.linkname = tarfile.SYMTYPE, "other.csv"
        tarball.addfile(entry)
        other = tarfile.TarInfo("package/other.csv")
        other.size = 3
        tarball.addfile(other, io.BytesIO(b"1,2"))
    with pytest.raises(SystemExit, match=r"package/data.csv in a.tgz should be a file"):
        build_data.member(tmp_path / "a.tgz", "package/data.csv")


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path, monkeypatch):
    (tmp_path / "mfeat.npz").write_bytes(b"before")
    monkeypatch.setattr(build_data, "download", lambda source, folder: folder)
    monkeypatch.setitem(build_data.BUILDERS, "mfeat", lambda read: {"labels": np.arange(3)})
    with (tmp_path / "mfeat.npz").open("rb") as before, pytest.raises(typer.Exit):
        try:
            build_data.main("mfeat", tmp_path)
        finally:
            assert before.read() == b"before"  # who reads it meanwhile reads one file
    assert (tmp_path / "mfeat.npz").read_bytes()[:2] == b"PK"
    assert [each.name for each in tmp_path.iterdir()] == ["mfeat.npz"]


def test_a_file_unlike_its_card_ends_the_command_and_leaves_the_card(tmp_path, monkeypatch, capsys):
    cards = tmp_path / "cards"
    cards.mkdir()
    shutil.copy(build_data.DATA / "mfeat.yaml", cards)
    before = (cards / "mfeat.yaml").read_text(encoding="utf-8")
    monkeypatch.setattr(build_data, "DATA", cards)
    monkeypatch.setattr(build_data, "download", lambda source, folder: folder)
    monkeypatch.setitem(build_data.BUILDERS, "mfeat", lambda read: {"labels": np.arange(3)})

    with pytest.raises(typer.Exit) as exit_:
        build_data.main("mfeat", tmp_path / "built")

    assert exit_.value.exit_code == 1
    assert (tmp_path / "built" / "mfeat.npz").exists()
    assert (cards / "mfeat.yaml").read_text(encoding="utf-8") == before
    stated = re.search('sha256: "(.*)"', before).group(1)
    captured = capsys.readouterr()
    assert stated in captured.err
    assert re.search("SHA-256 [0-9a-f]{64}", captured.out)


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(typer.BadParameter, match=r"'mnist'.*emoji, japanese-vowels, mfeat, traffic-detectors"):
        build_data.main("mnist")
