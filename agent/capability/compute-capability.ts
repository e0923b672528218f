/** NVIDIA's compute capability of each card, from its own tool. Empty where there is none, or it does not know the field. */
import { execFile } from "node:child_process";

const deadlineMs = 3_000;

/** By the card's name as the tool gives it, such as "NVIDIA GeForce RTX 4090" → 8.9. */
export function readComputeCapabilities(): Promise<ReadonlyMap<string, number>> {
  const parameters = ["--query-gpu=name,compute_cap", "--format=csv,noheader"];
  return new Promise((resolve) => {
    execFile("nvidia-smi", parameters, { timeout: deadlineMs }, (error, stdout) => {
      resolve(error === null ? parseComputeCapabilities(stdout) : new Map());
    });
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
