/** A bundle of a program's files, such as what it left in its output folder, as a folder where somebody wants it. */
import { open, rename, rm } from "node:fs/promises";
import { readBundle, unpackBundle } from "../../agent/program/bundle-folder.ts";
import { accept, type Outcome } from "../../protocol/refusal.ts";
import { partSuffix } from "../../system/partial-file.ts";

/** How its header begins, behind the header's length. */
const bundleStart = '{"format":"trialmesh-bundle"';
const lengthBytes = 4;

export async function isBundleFile(path: string): Promise<boolean> {
  const file = await open(path, "r");
  try {
    const head = Buffer.alloc(lengthBytes + bundleStart.length);
    await file.read(head, 0, head.length, 0);
    return head.subarray(lengthBytes).toString("latin1") === bundleStart;
  } finally {
    await file.close();
  }
}

/** How many files it has. Nothing half of it is left at `out`, where nothing stands yet. */
export async function placeBundle(path: string, out: string): Promise<Outcome<number>> {
  const bundle = await readBundle(path);
  if (!bundle.ok) return bundle;
  const draft = `${out}${partSuffix}`;
  try {
    await unpackBundle(bundle.value, draft);
    await rename(draft, out);
    return accept(bundle.value.files.length);
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}
