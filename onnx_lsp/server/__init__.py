"""The language server: pygls over stdio. Thin: documents, publishing, and one module per feature.

`app` puts the parts together; `documents` holds what is open, `scripts` and `models` lint it, `publishing` shows it,
`features/` answers the client. Nothing here decides what a finding is.
"""
