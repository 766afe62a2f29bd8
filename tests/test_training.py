"""What training is fed with is what it says: the same voices sooner, and actors' own lines."""

import struct
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from training.actors import entries
from training.in_floats import in_floats


@pytest.fixture
def convolving(tmp_path: Path) -> Path:
    """An ONNX file: two sounds, a kernel of three for each of four outputs, none counted from 0."""
    chance = np.random.default_rng(5)
    kernel = chance.integers(-128, 128, (4, 2, 3)).astype(np.int8)
    zeros = chance.integers(-5, 6, 4).astype(np.int8)
    held = [
        numpy_helper.from_array(kernel, "kernel"),
        numpy_helper.from_array(np.uint8(117), "sound_zero"),
        numpy_helper.from_array(zeros, "kernel_zero"),
    ]
    names = ["sound", "kernel", "sound_zero", "kernel_zero"]
    node = helper.make_node("ConvInteger", names, ["made"], pads=[2, 2], dilations=[2])
    sound = helper.make_tensor_value_info("sound", TensorProto.UINT8, [1, 2, 50])
    told = helper.make_tensor_value_info("made", TensorProto.INT32, None)
    graph = helper.make_graph([node], "convolving", [sound], [told], held)
    path = tmp_path / "convolving.onnx"
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(made, str(path))
    return path


def said(network: bytes) -> np.ndarray:
    sound = np.random.default_rng(6).integers(0, 256, (1, 2, 50)).astype(np.uint8)
    made = onnxruntime.InferenceSession(network).run(None, {"sound": sound})[0]
    return np.asarray(made)


def by_hand() -> np.ndarray:
    chance = np.random.default_rng(5)
    kernel = chance.integers(-128, 128, (4, 2, 3)).astype(int)
    kernel -= chance.integers(-5, 6, 4)[:, None, None]
    sound = np.random.default_rng(6).integers(0, 256, (2, 50)).astype(int) - 117
    padded = np.pad(sound, ((0, 0), (2, 2)))
    parts = np.stack([padded[:, 2 * tap : 2 * tap + 50] for tap in range(3)], axis=2)
    return np.einsum("oct,cnt->on", kernel, parts)[None]


def test_a_network_in_floats_says_the_same_to_the_last_bit(convolving: Path) -> None:
    made = in_floats(convolving)
    assert "ConvInteger" not in {node.op_type for node in onnx.load_from_string(made).graph.node}
    assert np.array_equal(said(made), by_hand())


def test_of_an_adventure_its_spoken_lines_are_read_and_nothing_else() -> None:
    files = [(b"01.SB", b"first"), (b"ROOM.PCX", b"a picture"), (b"02.SB", b"second line")]
    at = 15 + 21 * len(files)
    table = b""
    for name, contents in files:
        table += struct.pack(">12sBII", name, 1, at, len(contents))
        at += len(contents)
    head = b"QTBLCEM10\0\0\0\x01" + struct.pack(">H", len(files))
    archive = head + table + b"".join(contents for _, contents in files)
    assert list(entries(archive)) == [("01", b"first"), ("02", b"second line")]


def test_another_kind_of_archive_is_refused_by_what_it_begins_with() -> None:
    with pytest.raises(ValueError, match="begins with b'RIFF'"):
        list(entries(b"RIFF" + bytes(40)))
