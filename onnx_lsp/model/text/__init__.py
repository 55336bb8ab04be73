"""The model as text: ONNX's own syntax, one line per item, and the map from model paths to lines.

`words` writes names, numbers and types, `tensors` their data or what stands for it, `payload` finds and hashes weights,
`extras` writes in comments what the syntax has no words for, `layout` keeps the lines and the map, and `printer` walks
the model. The syntax and our extensions of it: docs/model-text.md.
"""

from onnx_lsp.model.text.layout import Text
from onnx_lsp.model.text.printer import item, render
from onnx_lsp.model.text.style import FULL, VIEW, Style

__all__ = ["FULL", "VIEW", "Style", "Text", "item", "render"]
