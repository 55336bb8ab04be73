"""What the connected client can do, read once from its `initialize` request."""

from __future__ import annotations

from dataclasses import dataclass

from lsprotocol import types
from pygls.capabilities import get_capability


@dataclass(frozen=True, slots=True)
class Client:
    """The capabilities that change what the server does."""

    pulls: bool = False
    refreshes: bool = False
    watches: bool = False
    related: bool = False
    content: bool = False
    versioned_edits: bool = False
    asks_configuration: bool = False
    progress: bool = False

    @classmethod
    def of(cls, capabilities: types.ClientCapabilities) -> Client:
        """Reads the capabilities; whatever is absent is False."""

        def has(name: str) -> bool:
            return bool(get_capability(capabilities, name))

        return cls(
            pulls=get_capability(capabilities, "text_document.diagnostic") is not None,
            refreshes=has("workspace.diagnostics.refresh_support"),
            watches=has("workspace.did_change_watched_files.dynamic_registration"),
            related=has("text_document.publish_diagnostics.related_information")
            or has("text_document.diagnostic.related_information"),
            content=get_capability(capabilities, "workspace.text_document_content") is not None,
            versioned_edits=has("workspace.workspace_edit.document_changes"),
            asks_configuration=has("workspace.configuration"),
            progress=has("window.work_done_progress"),
        )
