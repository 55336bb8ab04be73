/** Models open as text: a read-only document whose content, findings and repairs come from the server. */

import * as vscode from "vscode";

const KIND = "onnx-lint.model";

/** The documents that the server writes for models. */
export const MODEL_TEXTS = { scheme: "onnx" };

export function registerModelEditor(): vscode.Disposable {
  return vscode.window.registerCustomEditorProvider(KIND, new ModelEditor());
}

/** A model is binary, which no text editor opens: this one opens its text in its own place, and is gone. */
class ModelEditor implements vscode.CustomReadonlyEditorProvider {
  openCustomDocument(uri: vscode.Uri): vscode.CustomDocument {
    return { uri, dispose: () => undefined };
  }

  async resolveCustomEditor({ uri }: vscode.CustomDocument, panel: vscode.WebviewPanel): Promise<void> {
    try {
      const text = await vscode.workspace.openTextDocument(textOf(uri));
      const viewColumn = panel.viewColumn ?? vscode.ViewColumn.Active;
      await vscode.window.showTextDocument(text, { viewColumn });
      panel.dispose();
    } catch (error) {
      panel.webview.html = `<p>The text of this model cannot be shown: ${escaped(String(error))}</p>`;
    }
  }
}

function textOf(model: vscode.Uri): vscode.Uri {
  return model.with({ scheme: MODEL_TEXTS.scheme, path: `${model.path}.onnxtxt` });
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}
