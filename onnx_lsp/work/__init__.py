"""Supervised child processes: native code (onnx, onnxruntime, torch) only runs here.

`worker` and `aio` are the two parents (blocking for the CLI, asyncio for the server), `child` is the process they
start, `tasks` is what it can do, `frames` is what goes over the pipes, `limits` is how a child is held.
"""
