/**
 * Opens the terminal interface. Ink and React read the environment when they are imported, so this file imports
 * them only once the environment is right; without a terminal use `plain.ts`, which never starts Ink.
 */
import type { MeshClient } from "../protocol/client.ts";
import { systemClock } from "../protocol/time/system-clock.ts";
import type { CheckVersion } from "../client/model/check-version.ts";
import type { Launcher } from "../client/sweep/launcher.ts";
import type { StartWith } from "./model/ui.ts";
import { openStore } from "./ui-store.ts";
import { glyphsFor } from "../text/glyph.ts";

export interface TuiOptions {
  readonly client: MeshClient;
  /** No command is sent, and the person cannot change that. */
  readonly readOnly: boolean;
  readonly launch: Launcher;
  readonly stdin: NodeJS.ReadableStream;
  readonly stdout: NodeJS.WritableStream;
  readonly startWith?: StartWith;
  /** Asked before an alias moves to a version; without it every version counts as able to serve. */
  readonly checkVersion?: CheckVersion;
}

/** Resolves when the person quits. Closing the client is the caller's. */
export async function runTui(options: TuiOptions): Promise<void> {
  const { stdin, stdout } = options;
  prepareEnvironment(process.env);
  const { showApp } = await import("./app.tsx");
  let leave = () => {};
  const store = openStore({
    client: options.client,
    clock: systemClock,
    launcher: options.launch,
    readOnly: options.readOnly,
    glyphs: glyphsFor(process.env),
    startWith: options.startWith,
    checkVersion: options.checkVersion,
    copy: (text) => stdout.write(clipboardSequence(text)),
    quit: () => leave(),
  });
  try {
    await showApp({ store, onReady: (exit) => (leave = exit) }, { stdin, stdout });
  } finally {
    store.stop();
  }
}

/** Ink's colours know FORCE_COLOR, not NO_COLOR; React's production build is the quick one. */
function prepareEnvironment(env: Record<string, string | undefined>): void {
  if (env["NO_COLOR"] !== undefined && env["NO_COLOR"] !== "") env["FORCE_COLOR"] = "0";
  env["NODE_ENV"] ??= "production";
}

/** OSC 52: the terminal puts the text on the clipboard, over any number of ssh hops. */
function clipboardSequence(text: string): string {
  return `\u001b]52;c;${Buffer.from(text, "utf8").toString("base64")}\u0007`;
}
