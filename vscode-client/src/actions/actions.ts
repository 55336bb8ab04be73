/** "ONNX: Optimize and Benchmark…", "Optimize…" and "Benchmark…": the questions, the server's work, the report. */

import { basename } from "node:path";
import * as vscode from "vscode";
import { LSPErrorCodes, ResponseError } from "vscode-languageclient/node";
import type { Server } from "../server";
import { chooseDims, chooseGoal, chooseModel, chooseOutput, chooseProviders, type Dim } from "./choose";
import { type Report, Reports } from "./report";

/** What there is to choose for a model (the server's command `onnx-lint.choices`). */
interface Choices {
  readonly providers: readonly string[];
  readonly dims: readonly Dim[];
  readonly output: string;
  readonly exists: boolean;
}

type Kind = "benchmark" | "optimize" | "optimizeAndBenchmark";
type Wanted = Readonly<Record<string, unknown>>;

const TITLES: Record<Kind, string> = {
  benchmark: "Benchmark",
  optimize: "Optimization",
  optimizeAndBenchmark: "Optimization and Benchmark",
};

export class Actions implements vscode.Disposable {
  private readonly reports = new Reports();
  private readonly commands: vscode.Disposable[];

  constructor(
    private readonly server: Server,
    private readonly memory: vscode.Memento,
  ) {
    const kinds = Object.keys(TITLES) as Kind[];
    this.commands = [
      ...kinds.map((kind) =>
        // From the explorer: the model that was clicked, and all that are selected.
        vscode.commands.registerCommand(`onnx-lint.${kind}`, (clicked?: vscode.Uri, selected?: vscode.Uri[]) =>
          this.run(kind, clicked, selected),
        ),
      ),
      vscode.commands.registerCommand("onnx-lint.saveReport", () => this.reports.save()),
    ];
  }

  dispose(): void {
    for (const command of this.commands) command.dispose();
    this.reports.dispose();
  }

  private async run(kind: Kind, clicked?: vscode.Uri, selected?: vscode.Uri[]): Promise<void> {
    const model = clicked ?? (await chooseModel());
    if (!model) return;
    try {
      const choices = await this.server.execute<Choices>("onnx-lint.choices", model.toString());
      const wanted = await this.ask(kind, choices);
      if (!wanted) return;
      const models = kind === "benchmark" && selected ? [model, ...selected.filter((uri) => !same(uri, model))] : [model];
      const command = kind === "benchmark" ? "onnx-lint.runBenchmark" : "onnx-lint.runOptimization";
      const seconds = vscode.workspace.getConfiguration("onnx-lint").get<number>("measuringTime");
      const request = { models: models.map(String), seconds, ...wanted };
      const title = `${TITLES[kind]} of ${basename(model.path)}`;
      const report = await this.server.perform<Report | null>(title, command, request);
      if (report) this.reports.show(report, model, TITLES[kind]);
    } catch (error) {
      if (error instanceof ResponseError && error.code === LSPErrorCodes.RequestCancelled) return;
      await vscode.window.showErrorMessage(`ONNX Lint: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  /** Asks what the action needs to know; `undefined` if the person stops answering. */
  private async ask(kind: Kind, choices: Choices): Promise<Wanted | undefined> {
    const goal = kind === "optimize" ? await chooseGoal() : "latency";
    if (!goal) return undefined;
    const providers = kind === "optimize" ? [] : await chooseProviders(choices.providers, this.memory);
    if (!providers) return undefined;
    const dims = await chooseDims(choices.dims, this.memory);
    if (!dims) return undefined;
    if (kind === "benchmark") return { providers, dims };
    const output = await chooseOutput(vscode.Uri.parse(choices.output), choices.exists);
    if (!output) return undefined;
    return { providers, dims, goal, output: output.toString(), overwrite: true }; // the dialog has asked
  }
}

function same(one: vscode.Uri, other: vscode.Uri): boolean {
  return one.toString() === other.toString();
}
