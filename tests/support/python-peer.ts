/** A Python with packages of a test's own that runs scripts for it. */
import { execFileSync } from "node:child_process";
import { broughtPython, pythonIn } from "./brought-folder.ts";

const runMs = 120_000;
const outputBytesMax = 256 * 1024 * 1024;

export type PythonPeer =
  | { readonly ok: true; readonly run: (script: string, ...words: readonly string[]) => string }
  | { readonly ok: false; readonly why: string };

/** `packages`: as pip takes them, with their versions. */
export function pythonPeer(name: string, packages: readonly string[]): PythonPeer {
  const brought = broughtPython(name, packages);
  if (!brought.ok) return brought;
  return {
    ok: true,
    run: (script, ...words) =>
      execFileSync(pythonIn(brought.home), ["-c", script, ...words], {
        encoding: "utf8",
        timeout: runMs,
        maxBuffer: outputBytesMax,
        stdio: ["ignore", "pipe", "pipe"],
      }),
  };
}
