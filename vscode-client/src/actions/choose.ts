/** What a person chooses before an action starts. Each question is answered by one Enter if nothing special is wanted. */

import * as vscode from "vscode";

const MOST = 1000; // models in the list
const OTHERS = "providers"; // remembered: those that were typed in
const PICKED = "picked"; // remembered: those that were chosen last
const SIZES = /^\d+(\.\.\d+)?(,\d+(\.\.\d+)?)*$/;
const GOALS = [
  { goal: "latency", label: "Latency", description: "faster runs" },
  { goal: "startup", label: "Start-up", description: "sessions that are created faster" },
  { goal: "size", label: "Size", description: "a smaller file" },
  { goal: "portability", label: "Portability", description: "fewer nodes, all of them in the standard" },
] as const;

/** A dynamic dimension of a model, and the sizes that the project's configuration remembers for it. */
export interface Dim {
  readonly name: string;
  readonly sizes: string | null;
}

type Provider = vscode.QuickPickItem & { readonly provider?: string };
type DimItem = vscode.QuickPickItem & { readonly dim?: string };

/** Asks for a model of the workspace, or of the disk. */
export async function chooseModel(): Promise<vscode.Uri | undefined> {
  const models = await vscode.workspace.findFiles("**/*.onnx", undefined, MOST);
  const items = models.map((uri) => {
    const path = vscode.workspace.asRelativePath(uri);
    return { label: path.split("/").pop() ?? path, description: path, uri };
  });
  items.sort((one, other) => one.description.localeCompare(other.description));
  const browse = { label: "$(folder-opened) Browse…", description: "", uri: undefined, alwaysShow: true };
  const chosen = await vscode.window.showQuickPick([...items, browse], { title: "Which model?", matchOnDescription: true });
  if (chosen && !chosen.uri) {
    return (await vscode.window.showOpenDialog({ filters: { Models: ["onnx"] } }))?.[0];
  }
  return chosen?.uri;
}

/** Asks for providers, the baseline first: the installed ones, and those that somebody typed in. */
export async function chooseProviders(
  installed: readonly string[],
  memory: vscode.Memento,
): Promise<string[] | undefined> {
  const others = memory.get<string[]>(OTHERS, []);
  const picked = memory.get<string[]>(PICKED, ["CPU"]);
  const ordered = [...installed].sort((one, other) => Number(other === "CPU") - Number(one === "CPU"));
  const items: Provider[] = [
    ...ordered.map((name) => ({ label: name, description: "installed", provider: name, picked: picked.includes(name) })),
    ...others.map((text) => ({ label: shortened(text), description: text, provider: text, picked: picked.includes(text) })),
    { label: "$(add) Another provider…", description: "a plugin's library, options, or another Python environment" },
  ];
  const chosen = await vscode.window.showQuickPick(items, {
    title: "On which providers? The first one is the baseline.",
    canPickMany: true,
  });
  if (!chosen) return undefined;
  const providers = chosen.flatMap(({ provider }) => provider ?? []);
  if (chosen.some(({ provider }) => provider === undefined)) {
    const typed = await typeProvider();
    if (!typed) return undefined;
    providers.push(typed);
    await memory.update(OTHERS, [...new Set([...others, typed])]);
  }
  await memory.update(PICKED, providers);
  return providers.length > 0 ? providers : ["CPU"];
}

function shortened(text: string): string {
  return text.length > 40 ? `…${text.slice(-39)}` : text;
}

async function typeProvider(): Promise<string | undefined> {
  const typed = await vscode.window.showInputBox({
    title: "Another provider",
    prompt: "[NAME=]WHAT[:key=value,…][@PYTHON]: a provider's name or a plugin's library, its options, another Python",
    placeHolder: "/path/to/libmy_ep.so",
    ignoreFocusOut: true,
  });
  return typed?.trim() === "" ? undefined : typed?.trim();
}

/** Asks for the sizes of dynamic dimensions; those without any are chosen to fit. What is set is remembered. */
export async function chooseDims(
  dims: readonly Dim[],
  memory: vscode.Memento,
): Promise<Record<string, string> | undefined> {
  const sizes = new Map<string, string>();
  for (const { name, sizes: configured } of dims) {
    const known = memory.get<string>(key(name)) ?? configured;
    if (known) sizes.set(name, known);
  }
  while (dims.length > 0) {
    const items: DimItem[] = [
      { label: "$(play) Measure at these sizes", alwaysShow: true },
      ...dims.map(({ name }) => ({ label: name, description: sizes.get(name) ?? "chosen to fit", dim: name })),
    ];
    const chosen = await vscode.window.showQuickPick(items, { title: "At which sizes of the dynamic dimensions?" });
    if (!chosen) return undefined;
    if (chosen.dim === undefined) break;
    const typed = await typeSizes(chosen.dim, sizes.get(chosen.dim));
    if (typed === undefined) continue;
    if (typed) sizes.set(chosen.dim, typed);
    else sizes.delete(chosen.dim);
    await memory.update(key(chosen.dim), typed);
  }
  return Object.fromEntries(sizes);
}

function key(dim: string): string {
  return `dim ${dim}`;
}

async function typeSizes(dim: string, known: string | undefined): Promise<string | undefined> {
  const typed = await vscode.window.showInputBox({
    title: `Sizes of ${dim}`,
    prompt: "1,8 or 16..512 (doubled from the first to the last); empty: chosen to fit",
    value: known ?? "",
    validateInput: (text) => (text === "" || SIZES.test(text) ? undefined : "Sizes are written 1,8 or 16..512"),
  });
  return typed?.trim();
}

/** Asks what an optimisation shall win. */
export async function chooseGoal(): Promise<string | undefined> {
  const chosen = await vscode.window.showQuickPick(GOALS, { title: "What shall be won?" });
  return chosen?.goal;
}

/** Asks where the result goes if the usual place is taken: `undefined` is nowhere. */
export async function chooseOutput(usual: vscode.Uri, exists: boolean): Promise<vscode.Uri | undefined> {
  if (!exists) return usual;
  return vscode.window.showSaveDialog({ defaultUri: usual, filters: { Models: ["onnx"] }, title: "Write the result to" });
}
