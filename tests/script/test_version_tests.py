"""Conditions on the installed torch decide which arm runs, where they can."""

from __future__ import annotations

import pytest

from tests.script.helpers import calls, codes, lint

IMPORTS = "import torch\nfrom packaging import version\nfrom project.utils import is_torch_less_than_1_11, TORCH_2_4\n"
OLD = 'OLD = version.parse(version.parse(torch.__version__).base_version) < version.parse("1.11")\n'

# The condition, and the exporter of the call where it holds and of the one where it does not, for torch 2.13.
CONDITIONS = {
    'version.parse(torch.__version__) >= version.parse("2.9")': ("new", None),
    'torch.__version__ < "2.5"': (None, "new"),
    'tuple(map(int, torch.__version__.split(".")[:2])) >= (2, 9)': ("new", None),
    '(version.parse(torch.__version__) < version.parse("2.9.1"))': (None, "new"),
    'not version.parse(torch.__version__) < version.parse("2.9")': ("new", None),
    "OLD": (None, "new"),
    "not OLD": ("new", None),
    "is_torch_less_than_1_11": (None, "new"),
    "TORCH_2_4": (None, None),
    'check_version(torch.__version__, "2.4")': (None, None),
    'torch.__version__ >= "2.5" and ready': (None, None),
    "ready": ("new", "new"),
}


@pytest.mark.parametrize(("condition", "wanted"), CONDITIONS.items(), ids=CONDITIONS)
def test_the_arm_that_runs(condition: str, wanted: tuple[str | None, str | None]) -> None:
    script = f"if {condition}:\n    torch.onnx.export(m, x, f)\nelse:\n    torch.onnx.export(m, x, f)\n"
    assert tuple(call.exporter for call in calls(IMPORTS + OLD + script)) == wanted


def test_an_argument_for_an_older_torch_is_right_in_its_arm() -> None:
    script = "if OLD:\n    torch.onnx.export(m, x, f, enable_onnx_checker=True)\nelse:\n    torch.onnx.export(m, x, f, 13)\n"
    found = [code for code, _ in codes(lint(IMPORTS + OLD + script))]
    assert "EXP101" not in found and "EXP103" in found
