"""`python -m onnx_lsp.cli` is `onnx-lint`."""

from onnx_lsp.cli.main import main

raise SystemExit(main())
