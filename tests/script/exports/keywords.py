import torch
from torch import nn


class Classifier(nn.Module):
    def __init__(self, classes: int) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.head = nn.Linear(8, classes)

    def forward(self, image):
        return self.head(self.body(image))


def main():
    model = Classifier(classes=10)
    model.eval()
    torch.onnx.export(
        model,
        args=(torch.rand(1, 3, 32, 32),),
        f='model.onnx',
        opset_version=18,
        output_names=['scores'],
    )


if __name__ == '__main__':
    main()
