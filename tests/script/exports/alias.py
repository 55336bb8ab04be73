import functools

import torch as t
from torch.onnx import export as to_onnx

save = functools.partial(to_onnx, verbose=False)


def run(net, example, path="model.onnx"):
    net = net.eval()
    save(net, example, path, dynamo=False)


run(t.nn.Linear(4, 2), t.rand(1, 4))
