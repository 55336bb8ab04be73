/** The report of an action: a page that fits the theme, and can be saved as a page or as data. */

import { basename } from "node:path";
import * as vscode from "vscode";

const KIND = "onnx-lint.report";
const POLICY = `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">`;

/** What the server answers. */
export interface Report {
  readonly report: Readonly<Record<string, unknown>>;
  readonly html: string;
}

export class Reports implements vscode.Disposable {
  private readonly shown = new Map<vscode.WebviewPanel, { report: Report; model: vscode.Uri }>();

  /** Opens a tab with a report. It can neither run nor load anything. */
  show(report: Report, model: vscode.Uri, title: string): void {
    const name = `${basename(model.path)}: ${title}`;
    const panel = vscode.window.createWebviewPanel(KIND, name, vscode.ViewColumn.Active, {
      enableScripts: false,
      enableFindWidget: true,
      localResourceRoots: [],
    });
    panel.webview.html = report.html.replace("<head>", `<head>${POLICY}`);
    this.shown.set(panel, { report, model });
    panel.onDidDispose(() => this.shown.delete(panel));
  }

  /** Saves the report in front: as a page, or as data where the name ends in `.json`. */
  async save(): Promise<void> {
    const front = [...this.shown].find(([panel]) => panel.active)?.[1];
    if (!front) return;
    const target = await vscode.window.showSaveDialog({
      defaultUri: front.model.with({ path: front.model.path.replace(/\.onnx$/, ".report.html") }),
      filters: { Page: ["html"], Data: ["json"] },
      title: "Save the report as a page (.html) or as data (.json)",
    });
    if (!target) return;
    const { html, report } = front.report;
    const text = target.path.endsWith(".json") ? JSON.stringify(report, undefined, 2) : html;
    await vscode.workspace.fs.writeFile(target, new TextEncoder().encode(text));
  }

  dispose(): void {
    for (const panel of [...this.shown.keys()]) panel.dispose();
  }
}
