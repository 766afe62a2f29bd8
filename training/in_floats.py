"""Lets a network that convolves in whole numbers convolve in floats: the same sound, sooner.

A processor's libraries are made for floats; ONNX Runtime's convolution of whole numbers takes three
times as long. It must never change what a network says by more than a float's last digit.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
from onnx import NodeProto, TensorProto, helper, numpy_helper


def in_floats(path: Path) -> bytes:
    """The network of an ONNX file, for an InferenceSession."""
    model = onnx.load(str(path))
    known = {tensor.name: tensor for tensor in model.graph.initializer}
    nodes = [part for node in model.graph.node for part in _parts(node, known)]
    used = {name for node in nodes for name in node.input}
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    del model.graph.initializer[:]
    model.graph.initializer.extend(held for name, held in known.items() if name in used)
    written: bytes = model.SerializeToString()
    return written


def _parts(node: NodeProto, known: dict[str, TensorProto]) -> Iterator[NodeProto]:
    """The node, or what does the same as a convolution of whole numbers."""
    if node.op_type != "ConvInteger":
        yield node
        return
    sound, kernel, zero, *rest = node.input
    made = node.output[0]
    floats = f"{kernel}_in_floats"
    known[floats] = numpy_helper.from_array(_kernel(known, kernel, *rest), floats)
    yield helper.make_node("Cast", [sound], [f"{made}_sound"], to=TensorProto.FLOAT)
    yield helper.make_node("Cast", [zero], [f"{made}_zero"], to=TensorProto.FLOAT)
    yield helper.make_node("Sub", [f"{made}_sound", f"{made}_zero"], [f"{made}_from_zero"])
    convolved = helper.make_node("Conv", [f"{made}_from_zero", floats], [f"{made}_floats"])
    convolved.attribute.extend(node.attribute)
    yield convolved
    yield helper.make_node("Cast", [f"{made}_floats"], [made], to=TensorProto.INT32)


def _kernel(known: dict[str, TensorProto], name: str, zero: str = "") -> np.ndarray:
    """Counted from its own zero, of which there may be one for each output."""
    kernel = numpy_helper.to_array(known[name]).astype(np.float32)
    if zero:
        less = numpy_helper.to_array(known[zero]).astype(np.float32)
        kernel = kernel - less.reshape(-1, *[1] * (kernel.ndim - 1))
    return kernel
