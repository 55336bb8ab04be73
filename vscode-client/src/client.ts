/** The protocol's client, without a pop-up for each thing that fails: the status item and one notice tell. */

import { CloseAction, ErrorAction, type ErrorHandler, LanguageClient } from "vscode-languageclient/node";

const RESTARTS = 4;
const WITHIN = 180_000; // milliseconds

export class QuietClient extends LanguageClient {
  override error(message: string, data?: unknown): void {
    super.error(message, data, false);
  }
}

/** Starts a server that died again, but not one that keeps dying; then `gaveUp` is called. */
export function restarting(gaveUp: () => void): ErrorHandler {
  let deaths: number[] = [];
  return {
    error: () => ({ action: ErrorAction.Continue, handled: true }), // a broken pipe is closed soon
    closed: () => {
      const now = Date.now();
      deaths = [...deaths.filter((death) => now - death < WITHIN), now];
      if (deaths.length <= RESTARTS) return { action: CloseAction.Restart, handled: true };
      gaveUp();
      return { action: CloseAction.DoNotRestart, handled: true };
    },
  };
}
