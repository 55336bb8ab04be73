"""Execution providers: what was asked for, opened for real, or a refusal that says why. Never a silent fallback.

`Provider` and `parse` belong to the parent; `open_session` and `placement` run in a child.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from dataclasses import dataclass

LIBRARY_SUFFIXES = (".so", ".dll", ".dylib")
EXTENDED = {
    "disable": "ORT_DISABLE_ALL",
    "basic": "ORT_ENABLE_BASIC",
    "extended": "ORT_ENABLE_EXTENDED",
    "all": "ORT_ENABLE_ALL",
}
WHEELS = {
    "openvino": "onnxruntime-openvino",
    "cuda": "onnxruntime-gpu",
    "tensorrt": "onnxruntime-gpu",
    "dml": "onnxruntime-directml",
    "qnn": "onnxruntime-qnn",
    "coreml": "onnxruntime (macOS)",
    "migraphx": "onnxruntime-migraphx",
}


class Refused(Exception):
    """A session that would not run where it was asked to; the message says why."""


@dataclass(frozen=True, slots=True)
class Provider:
    """One `--ep`: a name, or a plugin library, with options, perhaps in another Python environment."""

    name: str = "CPU"
    library: str = ""
    options: tuple[tuple[str, str], ...] = ()
    python: str = ""

    @property
    def is_cpu(self) -> bool:
        return not self.library and plain(self.name) == "cpu"

    @property
    def label(self) -> str:
        options = ",".join(f"{key}={value}" for key, value in self.options)
        environment = os.path.basename(os.path.dirname(os.path.dirname(self.python)))
        return self.name + (f":{options}" if options else "") + (f"@{environment}" if self.python else "")


@dataclass(frozen=True, slots=True)
class SessionSetup:
    """How a session is opened. `threads` 0 leaves the number to onnxruntime; threads spin only when `spin` says so."""

    model: str
    provider: Provider
    threads: int = 0
    spin: bool = False
    io_binding: bool = False
    level: str = "all"
    strict: bool = False
    config: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Placed:
    """How many nodes of one op type run on one provider, after onnxruntime's own optimisations."""

    provider: str
    op: str
    nodes: int


def parse(text: str) -> Provider:
    """Reads `[NAME=]WHAT[:key=value,...][@PYTHON]`; WHAT is a provider's name or the path of a plugin library.

    Raises:
        ValueError: it is not of that form.
    """
    rest, _, python = text.partition("@")
    what, options = rest, ()
    head, colon, tail = rest.rpartition(":")
    if colon and "=" in tail and os.sep not in tail:
        what = head
        pairs = [item.partition("=") for item in tail.split(",")]
        if not all(key and equals for key, equals, _ in pairs):
            raise ValueError(f"`{text}`: options are written `:key=value,key=value`")
        options = tuple((key, value) for key, _, value in pairs)
    name, equals, library = what.partition("=")
    if not equals and (os.sep in what or what.lower().endswith(LIBRARY_SUFFIXES)):
        name, library = os.path.basename(what).split(".")[0], what
    if not name:
        raise ValueError(f"`{text}`: which provider? Write for example `CPU`, `OpenVINO` or `./libplugin.so`")
    return Provider(name, os.path.abspath(library) if library else "", options, python)


def plain(name: str) -> str:
    """`CUDAExecutionProvider`, `cuda` and `CUDA` are one provider."""
    return name.lower().removesuffix("executionprovider")


def open_session(setup: SessionSetup, profile_prefix: str = ""):
    """Opens a session in this process.

    Returns:
        The `onnxruntime.InferenceSession`, the full name of its provider, and the seconds its creation took.

    Raises:
        Refused: onnxruntime is missing, the provider is not there, or another one would run.
    """
    try:
        import onnxruntime
    except ImportError:
        raise Refused("onnxruntime is not installed; run `pip install 'onnx-lsp[optimize]'`") from None
    options = _session_options(onnxruntime, setup, profile_prefix)
    arguments: dict[str, object] = {}
    if setup.provider.library:
        name = _add_plugin(onnxruntime, options, setup.provider)
    else:
        name = _available(onnxruntime, setup.provider)
        chosen = dict(setup.provider.options)
        if plain(name) == "openvino" and setup.threads:
            chosen.setdefault("num_of_threads", str(setup.threads))
        arguments = {"providers": [name], "provider_options": [chosen]}
    started = time.perf_counter()
    try:
        session = onnxruntime.InferenceSession(setup.model, options, enable_fallback=0, **arguments)
    except runtime_errors() as error:
        raise Refused(first_line(error)) from None
    seconds = time.perf_counter() - started
    if name not in session.get_providers():
        raise Refused(f"`{name}` was asked for, but the session runs on {', '.join(session.get_providers())}")
    return session, name, seconds


def _session_options(onnxruntime, setup: SessionSetup, profile_prefix: str):
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = setup.threads
    options.graph_optimization_level = getattr(onnxruntime.GraphOptimizationLevel, EXTENDED[setup.level])
    options.add_session_config_entry("session.intra_op.allow_spinning", "1" if setup.spin else "0")
    options.add_session_config_entry("session.record_ep_graph_assignment_info", "1")
    if setup.strict:
        options.add_session_config_entry("session.disable_cpu_ep_fallback", "1")
    for key, value in setup.config:
        options.add_session_config_entry(key, value)
    if profile_prefix:
        options.enable_profiling = True
        options.profile_file_prefix = profile_prefix
    return options


def _available(onnxruntime, provider: Provider) -> str:
    available = onnxruntime.get_available_providers()
    for name in available:
        if plain(name) == plain(provider.name):
            return name
    have = ", ".join(name.removesuffix("ExecutionProvider") for name in available)
    wheel = WHEELS.get(plain(provider.name))
    hint = f"; it comes with `{wheel}`" if wheel else "; a plugin provider is named by its library's path"
    raise Refused(f"onnxruntime {onnxruntime.__version__} has no provider `{provider.name}`, only {have}{hint}")


def _add_plugin(onnxruntime, options, provider: Provider) -> str:
    if not hasattr(onnxruntime, "register_execution_provider_library"):
        raise Refused(f"onnxruntime {onnxruntime.__version__} takes no plugin providers; 1.22 and later do")
    if not os.path.isfile(provider.library):
        raise Refused(f"there is no library `{provider.library}`")
    before = {device.ep_name for device in onnxruntime.get_ep_devices()}
    try:
        onnxruntime.register_execution_provider_library(provider.name, provider.library)
    except runtime_errors() as error:
        reason = first_line(error).rpartition(" with error: ")[2]
        raise Refused(f"`{provider.library}` cannot be loaded: {reason}") from None
    devices = [device for device in onnxruntime.get_ep_devices() if device.ep_name not in before]
    if not devices:
        raise Refused(f"`{provider.library}` offers no device on this machine")
    name = devices[0].ep_name
    options.add_provider_for_devices([device for device in devices if device.ep_name == name], dict(provider.options))
    return name


def placement(session) -> tuple[Placed, ...] | None:
    """Nodes per provider and op type; None where this onnxruntime cannot tell (before 1.24)."""
    if not hasattr(session, "get_provider_graph_assignment_info"):
        return None
    counts: Counter = Counter()
    for part in session.get_provider_graph_assignment_info():
        counts.update((part.ep_name, node.op_type) for node in part.get_nodes())
    return tuple(Placed(name, op, nodes) for (name, op), nodes in sorted(counts.items()))


def runtime_errors() -> tuple[type[Exception], ...]:
    """What onnxruntime raises: a type per status code, without a common base, and what its bindings raise."""
    from onnxruntime.capi import onnxruntime_pybind11_state as state

    own = (item for item in vars(state).values() if isinstance(item, type) and issubclass(item, Exception))
    return (*own, RuntimeError, ValueError)


def first_line(error: Exception) -> str:
    """What an exception says, without onnxruntime's prefix and its stack trace."""
    text = str(error).strip().split("\n")[0]
    return text.split(" : ", 3)[-1] if text.startswith("[ONNXRuntimeError]") else text
