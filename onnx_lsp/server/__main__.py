"""`python -m onnx_lsp.server`."""

import sys

from onnx_lsp.server.main import main

sys.exit(main())
