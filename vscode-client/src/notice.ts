/** Tells a person once, not once per window and start, that the server cannot run. */

import * as vscode from "vscode";
import { Unusable } from "./interpreter";

const TOLD = "told";
const COPY = "Copy Command";
const CHOOSE = "Choose Interpreter";
const LOGS = "Show Logs";

/** Shows why there is no server, unless just that was told before. */
export async function tell(problem: Unusable, memory: vscode.Memento): Promise<void> {
  if (memory.get(TOLD) === problem.message) return;
  await memory.update(TOLD, problem.message);
  const advice = problem.repair ? ` Run \`${problem.repair}\`, then "ONNX: Restart Language Server".` : "";
  const actions = problem.repair ? [COPY, CHOOSE] : [LOGS, CHOOSE];
  const answer = await vscode.window.showWarningMessage(`ONNX Lint: ${problem.message}${advice}`, ...actions);
  if (answer === COPY && problem.repair) await vscode.env.clipboard.writeText(problem.repair);
  if (answer === LOGS) await vscode.commands.executeCommand("onnx-lint.showLogs");
  if (answer === CHOOSE) {
    await vscode.commands.executeCommand("workbench.action.openSettings", "onnx-lint.interpreter");
  }
}

/** The server runs: a later problem is news again. */
export async function forget(memory: vscode.Memento): Promise<void> {
  await memory.update(TOLD, undefined);
}
