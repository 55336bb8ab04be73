"""Small models that torch exports, for optimising and benchmarking: a CNN, a transformer, a KV cache, and int8."""

from __future__ import annotations

from pathlib import Path


def cnn(path: Path) -> None:
    """Convolutions with batch norms, and a dynamic batch."""
    import torch
    from torch import nn

    layers = [nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.Conv2d(8, 8, 3), nn.BatchNorm2d(8), nn.ReLU()]
    model = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 4)).eval()
    _export(model, (torch.zeros(2, 3, 32, 32),), path, ({0: torch.export.Dim("batch")},), ["image"])


def transformer(path: Path) -> None:
    """Token ids, an embedding, one encoder layer, and a dynamic batch and length."""
    import torch
    from torch import nn

    class Encoder(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embedding = nn.Embedding(50, 32)
            self.layer = nn.TransformerEncoderLayer(32, 4, 64, batch_first=True)
            self.head = nn.Linear(32, 50)

        def forward(self, input_ids: torch.Tensor) -> torch.Tensor:
            return self.head(self.layer(self.embedding(input_ids)))

    shapes = ({0: torch.export.Dim("batch"), 1: torch.export.Dim("sequence", min=2)},)
    _export(Encoder().eval(), (torch.zeros(2, 9, dtype=torch.long),), path, shapes, ["input_ids"])


def kv_cache(path: Path) -> None:
    """One decoding step of an attention layer with the keys and values of the past."""
    import torch
    from torch import nn

    class Step(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embedding = nn.Embedding(50, 32)
            self.mix = nn.Linear(32, 96)
            self.head = nn.Linear(32, 50)

        def forward(self, input_ids, past_key, past_value):
            query, key, value = self.mix(self.embedding(input_ids)).chunk(3, dim=-1)
            key, value = torch.cat([past_key, key], dim=1), torch.cat([past_value, value], dim=1)
            weights = torch.softmax(query @ key.transpose(1, 2) / 32**0.5, dim=-1)
            return self.head(weights @ value), key, value

    past = {1: torch.export.Dim("past_length")}
    inputs = (torch.zeros(1, 1, dtype=torch.long), torch.zeros(1, 5, 32), torch.zeros(1, 5, 32))
    _export(Step().eval(), inputs, path, (None, past, past), ["input_ids", "past_key", "past_value"])


def int8(path: Path) -> None:
    """The transformer with dynamically quantised weights."""
    from onnxruntime.quantization import quantize_dynamic

    full = path.with_name("full-" + path.name)
    transformer(full)
    quantize_dynamic(full, path)


def _export(model, arguments: tuple, path: Path, shapes: tuple, names: list[str]) -> None:
    import torch

    torch.manual_seed(0)
    torch.onnx.export(
        model,
        arguments,
        str(path),
        dynamo=True,
        dynamic_shapes=shapes,
        input_names=names,
        external_data=False,
        verbose=False,
    )


EXPORTS = {"cnn": cnn, "transformer": transformer, "kv_cache": kv_cache, "int8": int8}
