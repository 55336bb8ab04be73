/** Which Python runs the server: the setting, else what the Python extension has chosen, else the PATH. */

import { execFile } from "node:child_process";
import { homedir } from "node:os";
import { isAbsolute, resolve } from "node:path";
import { promisify } from "node:util";
import type { PythonExtension } from "@vscode/python-extension";
import * as vscode from "vscode";

const OLDEST = [3, 11] as const;
const PATIENCE = 30_000; // milliseconds for an interpreter's first start on a cold disk
const QUESTION = `
import json, sys
try:
    from onnx_lsp import __version__ as server
except ImportError:
    server = None
print(json.dumps({"python": sys.executable, "version": sys.version_info[:3], "server": server}))
`;

/** A Python that has the server. */
export interface Environment {
  /** The absolute path of the interpreter. */
  readonly python: string;
  /** The version of `onnx-lsp` in it. */
  readonly server: string;
}

/** No server can be started: says why, and which command repairs it, if one does. */
export class Unusable extends Error {
  constructor(
    message: string,
    readonly repair?: string,
  ) {
    super(message);
  }
}

interface Answer {
  readonly python: string;
  readonly version: readonly [number, number, number];
  readonly server: string | null;
}

/**
 * Finds the Python that runs the server. A chosen one that lacks it is not silently replaced by another.
 *
 * @param folder where interpreters are started: never the workspace, where modules and programs may lie in the way.
 * @throws Unusable if there is none, or it lacks the server.
 */
export async function findEnvironment(folder: string): Promise<Environment> {
  const chosen = configuredPython() ?? (await activePython());
  const candidates = chosen ? [chosen] : process.platform === "win32" ? ["python", "py"] : ["python3", "python"];
  for (const python of candidates) {
    const answer = await ask(python, folder);
    // A path is kept as it was given (it may be a wrapper); a name of the PATH is looked up once, here.
    if (answer) return judge(isAbsolute(python) ? { ...answer, python } : answer);
  }
  throw new Unusable(
    chosen
      ? `\`${chosen}\` does not run; check the setting onnx-lint.interpreter.`
      : "No Python was found; set onnx-lint.interpreter to one that has onnx-lsp.",
  );
}

/** Calls back when the Python extension's choice changes, once that extension runs. */
export async function onDidChangeEnvironment(changed: () => void): Promise<vscode.Disposable | undefined> {
  return (await pythonApi())?.environments.onDidChangeActiveEnvironmentPath(changed);
}

function configuredPython(): string | undefined {
  const value = vscode.workspace.getConfiguration("onnx-lint").get<string>("interpreter", "").trim();
  if (!value) return undefined;
  const root = vscode.workspace.workspaceFolders?.[0]?.uri.fsPath ?? "";
  const path = value.replace(/^~(?=[\\/])/, homedir()).replaceAll("${workspaceFolder}", root);
  return /[\\/]/.test(path) ? resolve(root, path) : path;
}

async function activePython(): Promise<string | undefined> {
  const environments = (await pythonApi())?.environments;
  if (!environments) return undefined;
  const active = environments.getActiveEnvironmentPath(vscode.workspace.workspaceFolders?.[0]?.uri);
  return (await environments.resolveEnvironment(active))?.executable.uri?.fsPath;
}

/** Untrusted workspaces may bring their own environment, so there the Python extension is not asked. */
async function pythonApi(): Promise<PythonExtension | undefined> {
  if (!vscode.workspace.isTrusted) return undefined;
  return vscode.extensions.getExtension<PythonExtension | undefined>("ms-python.python")?.activate();
}

async function ask(python: string, folder: string): Promise<Answer | undefined> {
  try {
    const { stdout } = await promisify(execFile)(python, ["-c", QUESTION], { cwd: folder, timeout: PATIENCE });
    return JSON.parse(stdout) as Answer;
  } catch {
    return undefined; // not there, or not a Python
  }
}

function judge({ python, version, server }: Answer): Environment {
  const [major, minor] = version;
  if (major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1])) {
    throw new Unusable(`${python} is Python ${version.join(".")}; onnx-lsp needs ${OLDEST.join(".")} or newer.`);
  }
  if (server === null) {
    throw new Unusable(`onnx-lsp is not installed in ${python}.`, `${quoted(python)} -m pip install onnx-lsp`);
  }
  return { python, server };
}

function quoted(path: string): string {
  return /\s/.test(path) ? `"${path}"` : path;
}
