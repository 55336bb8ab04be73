/** Models in the editor. They are never sent to the server: it reads them from the disk. */

import * as vscode from "vscode";
import { DidChangeWatchedFilesNotification, FileChangeType, type FileEvent, type LanguageClient } from "vscode-languageclient/node";

const MOST = 100;
const PATIENCE = 10_000; // milliseconds for the search: a folder may be a whole disk

/** Tells the server of the models that lie in the workspace already; later changes it watches by itself. */
export async function announceModels(client: LanguageClient): Promise<void> {
  const search = new vscode.CancellationTokenSource();
  const timer = setTimeout(() => {
    search.cancel();
  }, PATIENCE);
  try {
    const models = await vscode.workspace.findFiles("**/*.onnx", undefined, MOST, search.token);
    const changes = models.map((model): FileEvent => {
      return { uri: client.code2ProtocolConverter.asUri(model), type: FileChangeType.Changed };
    });
    if (client.isRunning()) await client.sendNotification(DidChangeWatchedFilesNotification.type, { changes });
  } finally {
    clearTimeout(timer);
    search.dispose();
  }
}
