import torch


class Add(torch.nn.Module):
    def forward(self, a, b):
        return a + b


def dummy(batch: int = 1):
    a = torch.tensor([[1.0, 2.0, 3.0]])
    return a, torch.randn(batch, 3)


def main():
    model = Add().eval()
    with torch.no_grad():
        torch.onnx.export(model, dummy(), "model.onnx", opset_version=13, dynamo=False,)


main()
