"""Small torch networks with the layers that exporters spell in many ways. Imports torch."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn
from torch.nn import functional as F


class Attention(nn.Module):
    """Causal self-attention, heads and length taken from the input."""

    def __init__(self) -> None:
        super().__init__()
        self.project = nn.Linear(32, 96)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        batch, length, width = x.shape
        query, key, value = self.project(x).view(batch, length, 3, 4, 8).permute(2, 0, 3, 1, 4)
        return F.scaled_dot_product_attention(query, key, value, is_causal=True).transpose(1, 2).reshape(batch, length, width)


class Recurrent(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.lstm, self.gru = nn.LSTM(8, 8, 2, batch_first=True, bidirectional=True), nn.GRU(16, 8, batch_first=True)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return self.gru(self.lstm(x)[0])


class Upsampler(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.down, self.up = nn.Conv2d(3, 8, 3, 2, 1), nn.ConvTranspose2d(8, 3, 2, 2)
        self.zoom = nn.Upsample(scale_factor=2, mode="bilinear")

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        half = self.down(x)
        return self.up(half) + self.zoom(half[:, :3])


class Indexed(nn.Module):
    def forward(self, x: torch.Tensor, index: torch.Tensor) -> tuple[torch.Tensor, ...]:
        return x[torch.arange(x.shape[0]), index], torch.topk(x, 3).values, torch.where(x > 0, x, 0.0), x.cumsum(1)


def _convolutional() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(8, 16, 3, groups=4), nn.GroupNorm(4, 16),
        nn.SiLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.1), nn.Linear(16, 10),
    )  # fmt: skip


def _encoder() -> nn.Module:
    layer = nn.TransformerEncoderLayer(32, 4, 64, batch_first=True)
    return nn.Sequential(nn.Embedding(100, 32), nn.TransformerEncoder(layer, 2), nn.Linear(32, 100))


# name -> (the network, its example inputs)
NETWORKS: dict[str, tuple[Callable[[], nn.Module], Callable[[], tuple[torch.Tensor, ...]]]] = {
    "convolutional": (_convolutional, lambda: (torch.randn(2, 3, 16, 16),)),
    "perceptron": (lambda: nn.Sequential(nn.Linear(16, 32), nn.GELU(), nn.LayerNorm(32), nn.Linear(32, 4)), lambda: (torch.randn(2, 16),)),
    "encoder": (_encoder, lambda: (torch.randint(0, 100, (2, 7)),)),
    "attention": (Attention, lambda: (torch.randn(2, 7, 32),)),
    "recurrent": (Recurrent, lambda: (torch.randn(2, 5, 8),)),
    "upsampler": (Upsampler, lambda: (torch.randn(2, 3, 16, 16),)),
    "indexed": (Indexed, lambda: (torch.randn(4, 6), torch.tensor([0, 1, 2, 3]))),
}


def export(name: str, path: str, dynamo: bool) -> None:
    """Exports a network with the new or the legacy exporter."""
    network, inputs = NETWORKS[name]
    torch.manual_seed(0)
    torch.onnx.export(network().eval(), inputs(), path, dynamo=dynamo, verbose=False, **({} if dynamo else {"opset_version": 17}))
