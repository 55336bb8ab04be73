/** The language status item: what the server is doing, or why there is none. */

import * as vscode from "vscode";
import { type Environment, Unusable } from "./interpreter";

export class Status implements vscode.Disposable {
  private readonly item: vscode.LanguageStatusItem;

  constructor(selector: vscode.DocumentSelector) {
    this.item = vscode.languages.createLanguageStatusItem("onnx-lint", selector);
    this.item.name = "ONNX Lint";
    this.starting();
  }

  starting(): void {
    this.show("onnx-lint", "starting", vscode.LanguageStatusSeverity.Information);
    this.item.busy = true;
  }

  running({ python, server }: Environment): void {
    this.show(`onnx-lint ${server}`, python, vscode.LanguageStatusSeverity.Information);
    this.item.command = { command: "onnx-lint.showLogs", title: "Show Logs" };
  }

  /** There is no server, because of `reason`. */
  stopped(reason: unknown): void {
    const repair = reason instanceof Unusable && reason.repair;
    const detail = repair ? `run ${repair}` : reason instanceof Error ? reason.message : String(reason);
    this.show("onnx-lint does not run", detail, vscode.LanguageStatusSeverity.Error);
    this.item.command = { command: "onnx-lint.restart", title: "Restart" };
  }

  private show(text: string, detail: string, severity: vscode.LanguageStatusSeverity): void {
    Object.assign(this.item, { text, detail, severity, busy: false, command: undefined });
  }

  dispose(): void {
    this.item.dispose();
  }
}
