/** The editor's settings in the form of the configuration file: what is set, and nothing else. */

import * as vscode from "vscode";

export const SECTION = "onnx-lint";
const OURS = new Set(["interpreter", "measuringTime"]); // settings of the extension itself

/** The settings that somebody set, with the keys of `onnx-lint.toml`. */
export function settings(): Record<string, unknown> {
  const configuration = vscode.workspace.getConfiguration(SECTION);
  const names = Object.keys(configuration).filter((name) => !OURS.has(name) && configuration.has(name));
  const set = names.filter((name) => {
    const found = configuration.inspect(name);
    return [found?.globalValue, found?.workspaceValue, found?.workspaceFolderValue].some((value) => value !== undefined);
  });
  return Object.fromEntries(set.map((name) => [kebab(name), configuration.get(name)]));
}

function kebab(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
