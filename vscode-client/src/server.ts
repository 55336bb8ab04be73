/** The server's life: started in the right environment, restarted one at a time, stopped for good. */

import * as vscode from "vscode";
import {
  DidChangeConfigurationNotification,
  type LanguageClient,
  RevealOutputChannelOn,
  State,
} from "vscode-languageclient/node";
import { QuietClient, restarting } from "./client";
import { type Environment, findEnvironment, Unusable } from "./interpreter";
import { announceModels } from "./models";
import { forget, tell } from "./notice";
import { SECTION, settings } from "./settings";
import { Status } from "./status";

const SCRIPTS = [
  { scheme: "file", language: "python" },
  { scheme: "untitled", language: "python" },
];

export class Server implements vscode.Disposable {
  private readonly log = vscode.window.createOutputChannel("ONNX Lint", { log: true });
  private readonly status = new Status(SCRIPTS);
  private client: LanguageClient | undefined;
  private work: Promise<void> = Promise.resolve();

  constructor(private readonly context: vscode.ExtensionContext) {}

  /** Starts the server anew. Calls queue up, so that two servers never run side by side. */
  restart(): Promise<void> {
    return this.next(async () => {
      await this.end();
      await this.begin();
    });
  }

  stop(): Promise<void> {
    return this.next(() => this.end());
  }

  /** Hands the editor's settings to the server. */
  async configure(): Promise<void> {
    if (!this.client?.isRunning()) return;
    await this.client.sendNotification(DidChangeConfigurationNotification.type, {
      settings: { [SECTION]: settings() },
    });
  }

  showLogs(): void {
    this.log.show();
  }

  dispose(): void {
    this.status.dispose();
    this.log.dispose();
  }

  private next(step: () => Promise<void>): Promise<void> {
    this.work = this.work.then(step, step);
    return this.work;
  }

  private async begin(): Promise<void> {
    this.status.starting();
    try {
      const environment = await findEnvironment(this.context.extensionPath);
      this.log.info(`onnx-lsp ${environment.server} in ${environment.python}`);
      this.client = this.create(environment);
      await this.client.start();
      await forget(this.context.globalState);
    } catch (error) {
      this.fail(error);
    }
  }

  private fail(error: unknown): void {
    this.status.stopped(error);
    this.log.error(error instanceof Error ? error : String(error));
    if (error instanceof Unusable) void tell(error, this.context.globalState);
  }

  private async end(): Promise<void> {
    const client = this.client;
    this.client = undefined;
    try {
      await client?.dispose();
    } catch (error) {
      this.log.debug(String(error)); // it was about to start: its process is ended all the same
    }
  }

  private create(environment: Environment): LanguageClient {
    const client = new QuietClient(
      "onnx-lsp",
      "ONNX Lint",
      // -P: a folder `onnx_lsp` in the workspace is not the server.
      { command: environment.python, args: ["-P", "-m", "onnx_lsp.server"] },
      {
        documentSelector: SCRIPTS,
        initializationOptions: () => ({ settings: settings() }),
        outputChannel: this.log,
        revealOutputChannelOn: RevealOutputChannelOn.Never,
        initializationFailedHandler: () => false, // no pop-up: the error handler counts it
        errorHandler: restarting(() => {
          this.fail(new Unusable("The server keeps ending; its log says why."));
        }),
      },
    );
    client.onDidChangeState(({ newState }) => {
      if (this.client !== client) return;
      if (newState === State.Running) {
        this.status.running(environment);
        void announceModels(client);
      }
      if (newState === State.Starting) this.status.starting();
    });
    return client;
  }
}
