"""The results file: what is written comes back, and a broken line is named."""

import math

import hypothesis
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reproduce.claims import rows
from reproduce.claims.rows import (
    COLUMNS,
    Place,
    caption,
    decode,
    encode,
    from_csv,
    read_table,
    to_csv,
    validated,
    write_csv,
)
from reproduce.sweep.runs import TRAINING

HEADER = (
    "dataset,modalities,fusion,degree,engine,metric,mean,std,ci95_low,ci95_high,"
    "seeds,fusion_params,total_params,train_seconds,experiment,options,arguments,learning_rate,tuning,stopped_early"
)
TUNED = 'training,{},{},0.01,"{""0.001"":0.7,""0.01"":0.5,""0.1"":null}",0.95'
QFL = f"toy,3,qfl,2,tfq,accuracy,0.9,0.01,0.88,0.92,3,54,999,12.5,{TUNED}"
TFN = "toy,3,tfn,,,accuracy,,,,,0,7812500000,,,training,{},{},,{},"
LMF = f"toy,3,lmf,,,accuracy,,,,,3,300,999,2.5,{TUNED}"
NOISE = QFL.replace("training,{},{}", 'noise,"{""channel"":""none"",""rate"":0.0}","{""blocks"":2}"')


def _file(tmp_path, *lines):
    path = tmp_path / "table1.csv"
    path.write_text("\n".join([HEADER, *lines]) + "\n", encoding="utf-8")
    return path


def test_columns_are_the_documented_ones():
    assert ",".join(COLUMNS) == HEADER


def test_reading_gives_types_and_missing_values(tmp_path):
    frame = read_table(_file(tmp_path, QFL, TFN))
    assert list(frame.columns) == COLUMNS
    assert frame.loc[0, ["degree", "mean", "seeds", "fusion_params"]].tolist() == [2, 0.9, 3, 54]
    assert frame.loc[1, ["degree", "engine", "mean", "total_params"]].isna().all()
    assert frame.loc[1, "fusion_params"] == 7_812_500_000
    assert frame["mean"].dtype == np.float64 and frame["seeds"].dtype == "Int64"


def test_a_parameter_count_beyond_64_bits_survives(tmp_path):
    path = _file(tmp_path, TFN.replace("7812500000", str(5**207)))
    write_csv(read_table(path), path)
    assert read_table(path).loc[0, "fusion_params"] == 5**207


def test_writing_what_was_read_gives_the_same_bytes(tmp_path):
    path = _file(tmp_path, QFL, TFN, LMF, NOISE)
    copy = tmp_path / "results" / "copy.csv"
    write_csv(read_table(path), copy)
    assert copy.read_bytes() == path.read_bytes()


@hypothesis.settings(max_examples=20)
@given(st.floats(1e-6, 1e6), st.floats(0, 1e3))
def test_floats_keep_six_significant_digits(tmp_path_factory, mean, half_width):
    path = tmp_path_factory.mktemp("results") / "table1.csv"
    frame = read_table(_file(path.parent, QFL.replace("accuracy", "mae")))
    frame.loc[0, ["mean", "ci95_low", "ci95_high"]] = [mean, mean - half_width, mean + half_width]
    write_csv(frame, path)
    back = read_table(path)
    for column in ("mean", "ci95_low", "ci95_high"):
        assert back.loc[0, column] == pytest.approx(frame.loc[0, column], rel=5e-6)


@hypothesis.settings(max_examples=20)
@given(st.floats(1e-6, 1e6), st.floats(0, 1e3))
def test_a_validated_frame_is_what_its_file_gives(mean, half_width):
    frame = from_csv("\n".join([HEADER, QFL.replace("accuracy", "mae"), TFN, LMF]), "table1.csv")
    frame.loc[0, ["mean", "ci95_low", "ci95_high"]] = [mean, mean - half_width, mean + half_width]
    frame.loc[1, "fusion_params"] = 5**207
    pd.testing.assert_frame_equal(validated(frame, "table1.csv"), from_csv(to_csv(frame), "table1.csv"))


@pytest.mark.parametrize(("column", "value"), [("mean", 2.0), ("mean", np.inf), ("fusion", "qlf"), ("seeds", 0)])
def test_a_frame_with_a_broken_row_is_refused_as_its_file_would_be(column, value):
    frame = from_csv("\n".join([HEADER, TFN, QFL]), "table1.csv")
    frame.loc[1, column] = value
    with pytest.raises(ValueError, match=r"^table1\.csv, line 3: "):
        validated(frame, "table1.csv")


def test_other_columns_are_refused_on_writing(tmp_path):
    frame = pd.DataFrame({column: [] for column in COLUMNS}).rename(columns={"std": "sd"})
    with pytest.raises(ValueError, match=r"missing: \['std'\], unknown: \['sd'\]"):
        write_csv(frame, tmp_path / "table1.csv")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (QFL.replace("0.9,", "0.9x,"), "column mean, .* got '0.9x'"),
        (QFL.replace("0.9,", "nan,"), "column mean, .* got 'nan'"),
        (QFL.replace(",3,54", ",three,54"), "column seeds, .* got 'three'"),
        (QFL.replace(",3,54", ",,54"), "column seeds"),
        (QFL.replace("qfl", "qlf"), "unknown fusion 'qlf'; known are qfl"),
        (QFL.replace("accuracy", "acuracy"), "unknown metric 'acuracy'"),
        (QFL.replace("qfl,2", "qfl,"), "qfl needs a degree"),
        (QFL.replace("qfl,2", "gcn,2"), "a degree belongs to qfl and to its control; gcn has none"),
        (QFL.replace("0.88,0.92", "0.88,"), "both ci95_low and ci95_high"),
        (QFL.replace("0.88,0.92", "0.91,0.92"), "outside its own interval"),
        (QFL.replace(",3,54", ",0,54"), "a mean over no seeds"),
        (QFL.replace("toy", ""), "trained on no data set"),
        (QFL.replace("training", ""), "column experiment"),
        (QFL.replace("training,{}", "training,"), "column options, .*expected a JSON object"),
        (QFL.replace("training,{}", "training,[]"), "column options, .*expected a JSON object"),
        (QFL.replace("{},{}", '{},"{""b"":1,""a"":2}"'), "column arguments, .*with sorted keys and no spaces"),
        (QFL.replace("{},{}", '{},"{""a"": 1}"'), "column arguments, .*with sorted keys and no spaces"),
        (QFL.replace("{},{}", '{},"{""a"":NaN}"'), "column arguments, .*expected a JSON object"),
        (QFL[:20], "expected 20 cells, got 6"),
        ("", "expected 20 cells, got 0"),
        (QFL.replace("0.9,0.01,0.88,0.92", "2.0,0.01,1.9,2.1"), "expected a mean accuracy from 0 to 1, got .*2.0"),
        (QFL.replace("accuracy,0.9,0.01,0.88,0.92", "mae,-1,,,"), "expected a mean mae from 0 to inf, got .*mae,-1"),
        (QFL.replace("toy,3", f"toy,{2**63}"), "column modalities, .* less than or equal to 9223372036854775807"),
        (QFL.replace(",54,999", f",54,{2**63}"), "column total_params, .* less than or equal to"),
        (TFN, r"\('training', 'toy', '{}', 3, 'tfn', '{}', None, 'accuracy'\) is already on line 2"),
    ],
)
def test_a_broken_line_is_named(tmp_path, line, message):
    path = _file(tmp_path, TFN, line, LMF)
    with pytest.raises(ValueError, match=rf"table1\.csv, line 3: .*{message}"):
        read_table(path)


@given(
    st.lists(
        st.text(alphabet='0123456789.,-+e"{}[:\n\r\0 \u0663naif_', max_size=40)
        | st.sampled_from([QFL, TFN, LMF, NOISE])
    )
)
def test_whatever_the_text_it_is_a_table_or_a_line_is_named(parts):
    try:
        frame = from_csv("\n".join([HEADER, *parts]), "table1.csv")
    except ValueError as error:
        assert str(error).startswith("table1.csv, line ")
    else:
        assert list(frame.columns) == COLUMNS


def test_a_wrong_header_is_named(tmp_path):
    path = tmp_path / "table1.csv"
    path.write_text(HEADER.replace("std", "sd") + "\n")
    with pytest.raises(ValueError, match=r"table1\.csv, line 1: expected the columns"):
        read_table(path)


settings = st.dictionaries(
    st.text(max_size=3),
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=3),
    max_size=3,
)


@hypothesis.settings(max_examples=30)
@given(settings, settings)
def test_settings_are_written_in_one_way_and_read_back_in_a_file(options, arguments):
    assert decode(encode(options)) == options
    assert encode(options) == encode(dict(reversed(options.items())))
    frame = from_csv("\n".join([HEADER, QFL]), "table1.csv").assign(
        options=encode(options), arguments=encode(arguments)
    )
    pd.testing.assert_frame_equal(from_csv(to_csv(frame), "table1.csv"), frame)


def test_settings_are_told_in_words():
    arguments = encode({"entangler": "all_to_all", "blocks": 2})
    assert arguments == '{"blocks":2,"entangler":"all_to_all"}'
    assert caption("qfl", 3, arguments) == "QFL (P = 3, blocks = 2, entangler = all to all)"
    assert caption("qfl", None, encode({"scale": math.pi / 4})) == "QFL (scale = 0.25pi)"
    assert caption("concat") == "Concat"


def test_a_place_is_called_by_its_experiment_or_by_the_data_set_that_is_trained_on():
    assert str(Place("training", "emoji")) == "emoji"
    assert str(Place("remedies", "emoji")) == "remedies"
    assert (
        str(Place("noise", "emoji", encode({"channel": "none", "rate": 1e-3})))
        == "noise (channel = none, rate = 0.001)"
    )


def test_cells_differ_by_experiment_options_and_arguments(tmp_path):
    frame = read_table(_file(tmp_path, QFL, NOISE, NOISE.replace(":0.0", ":0.5"), NOISE.replace(":2", ":3")))
    assert frame["fusion"].tolist() == ["qfl"] * 4
    assert frame["experiment"].tolist() == ["training", "noise", "noise", "noise"]
    with pytest.raises(ValueError, match=r"line 3: .*'noise'.* is already on line 2"):
        read_table(_file(tmp_path, NOISE, NOISE))


def test_rows_and_runs_call_training_alike():
    assert rows.TRAINING == TRAINING


def test_a_learning_rate_is_one_of_those_that_were_tried(tmp_path):
    with pytest.raises(ValueError, match=r"line 2: .*none of those that it was tuned among"):
        read_table(_file(tmp_path, QFL.replace(",0.01,", ",0.02,")))
