import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from tfq_fusion._keras import keras
from tfq_fusion.layers.fusion.modalities import (
    batch_size,
    concatenate_modalities,
    modality_widths,
    project_modalities,
    split_modalities,
    stack_modalities,
)

pytestmark = pytest.mark.keras

LIST = [np.float32([[1, 2], [3, 4]]), np.float32([[5, 6, 7], [8, 9, 10]])]
STACKED = np.arange(12, dtype=np.float32).reshape(2, 3, 2)


@given(batch=st.none() | st.integers(0, 9), widths=st.lists(st.integers(1, 9), min_size=2, max_size=9), data=st.data())
def test_widths_and_batch_of_a_list_of_shapes(batch, widths, data):
    # Any of the batch sizes may be unknown, as in a functional model with mixed inputs.
    known = data.draw(st.lists(st.booleans(), min_size=len(widths), max_size=len(widths)))
    shapes = [(batch if is_known else None, width) for is_known, width in zip(known, widths, strict=True)]
    assert modality_widths(shapes) == tuple(widths)
    assert batch_size(shapes) == (batch if any(known) else None)


@pytest.mark.parametrize(
    "shape", [(None, 3, 4), [None, 3, 4], tf.TensorShape([None, 3, 4])], ids=["tuple", "list", "TensorShape"]
)
def test_shape_of_a_stacked_tensor(shape):
    assert modality_widths(shape) == (4, 4, 4)
    assert batch_size(shape) is None


@pytest.mark.parametrize(
    "shapes", [[[7, 4], [7, 3]], ((7, 4), (7, 3)), [tf.TensorShape([7, 4]), tf.TensorShape([7, 3])]]
)
def test_shapes_come_as_lists_from_json_and_as_tensor_shapes_from_legacy_keras(shapes):
    assert modality_widths(shapes) == (4, 3)
    assert batch_size(shapes) == 7


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ([], "at least two modalities, got 0"),
        (None, "at least two modalities, got 0"),
        (tf.TensorShape(None), "at least two modalities, got 0"),
        ([(2, 4)], "at least two modalities, got 1"),
        ((2, 1, 4), "at least two modalities, got 1"),
        ((2, 4), r"one tensor of shape \(2, 4\)"),
        ((2, 3, 4, 5), r"one tensor of shape \(2, 3, 4, 5\)"),
        ((2, None, 4), "known number of modalities"),
        ((2, 3, None), "Modality 0 .* known number of features"),
        ([(2, 4), (2, None)], "Modality 1 .* known number of features"),
        ([(2, 4), (2, 0)], r"Modality 1 .* got \(2, 0\)"),
        ([(2, 4), (2,)], r"Modality 1 .* got \(2,\)"),
        ([(2, 4), (2, 4, 1)], r"Modality 1 .* got \(2, 4, 1\)"),
        ([(2, 4), None], r"Modality 1 .* got \(\)"),
        ([(2, 4), (3, 4), (None, 4)], r"same batch size, got \[2, 3, None\]"),
        ({"image": (2, 4), "text": (2, 4)}, r"a dict of \['image', 'text'\]. Pass a list"),
    ],
)
def test_shapes_that_are_no_modalities(shape, message):
    with pytest.raises(ValueError, match=message):
        modality_widths(shape)


@pytest.mark.parametrize("convert", [np.asarray, tf.constant, tf.Variable])
def test_split_keeps_a_list_and_unstacks_a_tensor(convert):
    for found, expected in zip(split_modalities([convert(modality) for modality in LIST]), LIST, strict=True):
        np.testing.assert_array_equal(found, expected)
    for position, found in enumerate(split_modalities(convert(STACKED))):
        np.testing.assert_array_equal(found, STACKED[:, position])


def test_concatenation_keeps_the_order_of_modalities():
    np.testing.assert_array_equal(concatenate_modalities(LIST), np.hstack(LIST))
    np.testing.assert_array_equal(concatenate_modalities(STACKED), np.hstack(list(STACKED.swapaxes(0, 1))))


def test_a_stack_pads_narrower_modalities_with_zeros():
    padded = [[[1, 2, 0], [5, 6, 7]], [[3, 4, 0], [8, 9, 10]]]
    np.testing.assert_array_equal(stack_modalities(LIST, (2, 3)), padded)
    np.testing.assert_array_equal(stack_modalities(list(STACKED.swapaxes(0, 1)), (2, 2, 2)), STACKED)
    np.testing.assert_array_equal(stack_modalities(STACKED, (2, 2, 2)), STACKED)


@pytest.mark.parametrize(("widths", "stacked"), [((2, 3, 1), False), ((3, 3), False), ((3, 3), True)])
def test_each_modality_is_projected_by_a_matrix_of_its_own(widths, stacked):
    rng = np.random.default_rng(0)
    inputs = [rng.normal(size=(5, width)) for width in widths]
    matrices = [rng.normal(size=(width, 4)) for width in widths]
    expected = np.stack([modality @ matrix for modality, matrix in zip(inputs, matrices, strict=True)], axis=1)
    found = project_modalities(
        np.stack(inputs, axis=1) if stacked else inputs, widths, tf.constant(np.vstack(matrices))
    )
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_split_of_symbolic_tensors():
    listed = split_modalities([keras.Input((4,)), keras.Input((3,))])
    stacked = split_modalities(keras.Input((3, 4)))
    assert [tuple(tensor.shape) for tensor in listed] == [(None, 4), (None, 3)]
    assert [tuple(tensor.shape) for tensor in stacked] == [(None, 4)] * 3


def test_split_inside_a_tensorflow_function_with_unknown_batch():
    @tf.function(input_signature=[[tf.TensorSpec((None, 2)), tf.TensorSpec((None, 3))]])
    def last(inputs):
        return split_modalities(inputs)[-1]

    np.testing.assert_array_equal(last(LIST), LIST[-1])


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_eager_features_must_be_finite(bad):
    with pytest.raises(ValueError, match="Modality 1 holds NaN or infinite"):
        split_modalities([LIST[0], np.full((2, 3), bad)])
    with pytest.raises(ValueError, match="Modality 0 holds NaN or infinite"):
        split_modalities(np.full((2, 3, 2), bad))


def test_split_checks_the_widths_that_weights_were_built_for():
    assert len(split_modalities(LIST, widths=(2, 3))) == 2
    with pytest.raises(ValueError, match=r"built for modalities of \(3, 2\) features, got \(2, 3\)"):
        split_modalities(LIST, widths=(3, 2))
