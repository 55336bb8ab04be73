"""Exports a small residual network, trained or fresh, for onnxruntime.

python export.py --checkpoint resnet.pt --output resnet.onnx
"""

import argparse

import torch
from torch import nn


class Block(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)

    def forward(self, x):
        y = torch.relu(self.bn1(self.conv1(x)))
        return torch.relu(x + self.bn2(self.conv2(y)))


class ResNet(nn.Module):
    def __init__(self, classes: int, channels: int = 32, depth: int = 4) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, channels, 7, stride=4, padding=3)
        self.blocks = nn.Sequential(*(Block(channels) for _ in range(depth)))
        self.head = nn.Linear(channels, classes)

    def forward(self, image):
        features = self.blocks(self.stem(image)).mean(dim=(2, 3))
        return self.head(features)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkpoint", help="weights saved with torch.save(model.state_dict(), …)")
    parser.add_argument("--output", default="resnet.onnx")
    parser.add_argument("--image-size", type=int, default=224)
    parser.add_argument("--opset", type=int, default=13)
    args = parser.parse_args()

    model = ResNet(classes=10)
    if args.checkpoint:
        model.load_state_dict(torch.load(args.checkpoint, weights_only=True))
    model.eval()

    image = torch.randn(1, 3, args.image_size, args.image_size)
    torch.onnx.export(
        model,
        image,
        args.output,
        input_names=["image"],
        output_names=["scores"],
        opset_version=args.opset,
    )
    print(f"wrote {args.output}")


if __name__ == "__main__":
    main()
