/** This machine's own name as a name of the mesh. */
import { hostname } from "node:os";

const lengthMax = 24;

export function machineName(): string {
  return plainName(hostname());
}

/** What a machine calls itself, as a name of the mesh. */
export function plainName(host: string): string {
  const first = host.toLowerCase().split(".")[0] ?? "";
  const plain = first
    .replaceAll(/[^a-z0-9-]+/g, "-")
    .slice(0, lengthMax)
    .replaceAll(/^-+|-+$/g, "");
  return plain === "" ? "here" : plain;
}
