"""What our own checks have called wrong, so that the native words about the same thing are left out."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from onnx_lsp.diagnostics import Diagnostic, Severity

# What the checker says of a whole graph, and the rules that say it with a place.
ECHOES = (
    (re.compile(r"single static assignment"), frozenset({"ONX014", "ONX015", "ONX016", "ONX017", "ONX019"})),
    (re.compile(r"topologically sorted|is not output of any previous nodes"), frozenset({"ONX010", "ONX011", "ONX012"})),
    (re.compile(r"[Ff]ield 'name' of|[Ii]nitializer name"), frozenset({"ONX008", "ONX017", "ONX022", "ONX050"})),
    (re.compile(r"overflow"), frozenset({"SEC020"})),
    (re.compile(r"TensorProto|initializer|tensor name|raw_data|_data\b"), frozenset({"ONX020", "ONX022", "FIL025"})),
    (re.compile(r"parse|[Ss]parse"), frozenset({"ONX022"})),
    (re.compile(r"[Ff]ield '(type|elem_type|shape)' of|value_info"), frozenset({"ONX025", "ONX020", "ONX017"})),
    (re.compile(r"opset|domain"), frozenset({"ONX002", "ONX003", "ONX004", "ONX007", "ONX052", "ONX030"})),
    (re.compile(r"existing"), frozenset({"ONX021"})),
    (re.compile(r"in initializer but not in graph input"), frozenset({"ONX006"})),
    (re.compile(r"deprecated"), frozenset({"ONX031"})),
    (re.compile(r"ir_version"), frozenset({"ONX006"})),
    (re.compile(r"metadata"), frozenset({"ONX009"})),
    (re.compile(r"[Ff]unction"), frozenset({"ONX050", "ONX051", "ONX052", "ONX055", "ONX056"})),
    (re.compile(r"[Aa]ttribute"), frozenset({"ONX033", "ONX034", "ONX035", "ONX036", "ONX056"})),
    (re.compile(r"Graph must have|outputs? of|not output"), frozenset({"ONX013"})),
)  # fmt: skip


DECLARED = frozenset({"SHP002", "ONX070"})  # a wrong declaration says nothing about the bodies of its node


@dataclass(slots=True)
class Told:
    """Grows while checks run.

    Attributes:
        places: model paths of findings.
        explaining: those that explain what is wrong inside of a node or function too.
        codes: rules that found something.
    """

    places: set[str] = field(default_factory=set)
    explaining: set[str] = field(default_factory=set)
    codes: set[str] = field(default_factory=set)

    def add(self, item: Diagnostic) -> None:
        """Notes a finding, if it calls something wrong."""
        if item.severity <= Severity.WARNING:
            self.codes.add(item.code)
            if item.location:
                self.places.add(item.location)
                self.explaining |= set() if item.code in DECLARED else {item.location}
            if item.code == "ONX057":  # the cause of what is wrong with all of them
                self.places.update(place.location for place in item.related if place.location)

    def __bool__(self) -> bool:
        return bool(self.codes)

    def covers(self, path: str | None, text: str) -> bool:
        """Whether native words about a path (None: about no node) were told already.

        The native code often names the node around the one that is wrong, or only mentions it.
        """
        if path is None:
            return any(place in text for place in self.places) or self._echoes(text)
        around = any(path.startswith((f"{place}.", f"{place}/node")) for place in self.explaining if place != "graph")
        return path in self.places or around or any(place.startswith(f"{path}.") for place in self.places) or (
            "SSA" in text and self._echoes(text)
        )  # fmt: skip

    def _echoes(self, text: str) -> bool:
        return any(pattern.search(text) and codes & self.codes for pattern, codes in ECHOES)
