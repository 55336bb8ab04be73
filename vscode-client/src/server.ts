/** The server's life: started in the right environment, restarted one at a time, stopped for good. */

import { randomUUID } from "node:crypto";
import * as vscode from "vscode";
import {
  DidChangeConfigurationNotification,
  ExecuteCommandRequest,
  type LanguageClient,
  RevealOutputChannelOn,
  State,
  WorkDoneProgress,
} from "vscode-languageclient/node";
import { QuietClient, restarting } from "./client";
import { type Environment, findEnvironment, Unusable } from "./interpreter";
import { announceModels } from "./models";
import { forget, tell } from "./notice";
import { SECTION, settings } from "./settings";
import { Status } from "./status";
import { MODEL_TEXTS } from "./text";

const SCRIPTS = [
  { scheme: "file", language: "python" },
  { scheme: "untitled", language: "python" },
];

export class Server implements vscode.Disposable {
  private readonly log = vscode.window.createOutputChannel("ONNX Lint", { log: true });
  private readonly status = new Status([...SCRIPTS, MODEL_TEXTS]);
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

  /**
   * Lets the server run one of its commands.
   *
   * @throws an error if there is no server, it refuses, or the command was cancelled.
   */
  async execute<T>(command: string, argument: unknown): Promise<T> {
    return (await this.running.sendRequest(ExecuteCommandRequest.type, { command, arguments: [argument] })) as T;
  }

  /** The same for a command that takes a while, with a notification that shows its progress and can cancel it. */
  async perform<T>(title: string, command: string, argument: unknown): Promise<T> {
    const client = this.running;
    const workDoneToken = randomUUID();
    const options = { location: vscode.ProgressLocation.Notification, cancellable: true, title };
    return vscode.window.withProgress(options, async (shown, cancelled) => {
      let done = 0;
      const listener = client.onProgress(WorkDoneProgress.type, workDoneToken, (step) => {
        if (step.kind !== "report") return;
        const { message = "", percentage = done } = step;
        shown.report({ message, increment: percentage - done });
        done = percentage;
      });
      try {
        const params = { command, arguments: [argument], workDoneToken };
        return (await client.sendRequest(ExecuteCommandRequest.type, params, cancelled)) as T;
      } finally {
        listener.dispose();
      }
    });
  }

  private get running(): LanguageClient {
    if (!this.client?.isRunning()) throw new Error("The server does not run; its log says why.");
    return this.client;
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
        documentSelector: [...SCRIPTS, MODEL_TEXTS],
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
