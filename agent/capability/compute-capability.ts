/** NVIDIA's driver and its cards' compute capability, from its own tool. Empty where there is none, or it does not know the field. */
import { execFile } from "node:child_process";
import { guardedEnvironment } from "../../system/own-guard.ts";

const deadlineMs = 3_000;

/** By the card's name as the tool gives it, such as "NVIDIA GeForce RTX 4090" → 8.9. */
export function readComputeCapabilities(): Promise<ReadonlyMap<string, number>> {
  return ask("name,compute_cap").then((text) => (text === null ? new Map() : parseComputeCapabilities(text)));
}

/** Such as "550.54.15"; null where there is no NVIDIA driver. */
export async function readDriverVersion(): Promise<string | null> {
  const [first = ""] = ((await ask("driver_version")) ?? "").split("\n");
  return /^\d+(?:\.\d+)+$/.test(first.trim()) ? first.trim() : null;
}

/** What its tool prints, a line for each card; null where it is not there or does not answer. */
function ask(fields: string): Promise<string | null> {
  const parameters = [`--query-gpu=${fields}`, "--format=csv,noheader"];
  return new Promise((resolve) => {
    execFile(
      "nvidia-smi",
      parameters,
      { env: guardedEnvironment(), timeout: deadlineMs },
      (error, stdout) => {
        resolve(error === null ? stdout : null);
      },
    );
  });
}

/** Lines of `name, major.minor`; what has another form is left out. */
export function parseComputeCapabilities(text: string): ReadonlyMap<string, number> {
  const found = new Map<string, number>();
  for (const line of text.split("\n")) {
    const [, name, version] = /^\s*(.+?)\s*,\s*(\d+\.\d+)\s*$/.exec(line) ?? [];
    if (name !== undefined && version !== undefined) found.set(name, Number(version));
  }
  return found;
}

/** The card's compute capability, though the two sources name it a little differently; null where unknown. */
export function computeCapabilityOf(model: string, known: ReadonlyMap<string, number>): number | null {
  const plain = (name: string) => name.toLowerCase().replace(/nvidia|geforce|\s+/g, "");
  for (const [name, version] of known) if (plain(name) === plain(model)) return version;
  return null;
}
