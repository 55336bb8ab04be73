/** Puts the extension together: the server, what restarts it, and the commands. */

import * as vscode from "vscode";
import { Actions } from "./actions/actions";
import { onDidChangeEnvironment } from "./interpreter";
import { forget } from "./notice";
import { Server } from "./server";
import { SECTION } from "./settings";
import { registerModelEditor } from "./text";

let server: Server | undefined;

export async function activate(context: vscode.ExtensionContext): Promise<void> {
  const active = (server = new Server(context));
  context.subscriptions.push(
    active,
    registerModelEditor(),
    new Actions(active, context.workspaceState),
    vscode.commands.registerCommand("onnx-lint.restart", async () => {
      await forget(context.globalState); // who asks wants to hear what is wrong
      await active.restart();
    }),
    vscode.commands.registerCommand("onnx-lint.showLogs", () => {
      active.showLogs();
    }),
    vscode.commands.registerCommand("onnx-lint.fixAll", fixAll),
    vscode.workspace.onDidGrantWorkspaceTrust(() => active.restart()),
    vscode.workspace.onDidChangeConfiguration((change) => settingsChanged(active, change)),
  );
  await active.restart();
  const watch = await onDidChangeEnvironment(() => void active.restart());
  if (watch) context.subscriptions.push(watch);
}

export async function deactivate(): Promise<void> {
  await server?.stop();
}

async function settingsChanged(active: Server, change: vscode.ConfigurationChangeEvent): Promise<void> {
  if (change.affectsConfiguration(`${SECTION}.interpreter`)) await active.restart();
  else if (change.affectsConfiguration(SECTION)) await active.configure();
}

async function fixAll(): Promise<void> {
  await vscode.commands.executeCommand("editor.action.sourceAction", {
    kind: "source.fixAll.onnx-lint",
    apply: "first",
  });
}
