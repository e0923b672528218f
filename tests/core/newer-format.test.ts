/** Bytes of a format after those known here are told as that, not as damage. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { decodeBundle, encodeBundle } from "../../agent/program/bundle.ts";
import { buildVersion } from "../../data/manifest/manifest.ts";
import { readManifest } from "../../data/manifest/read-manifest.ts";
import type { Outcome } from "../../protocol/refusal.ts";
import { decodeCheckpoint, encodeCheckpoint, type CheckpointMeta } from "../../training/task/checkpoint.ts";
import { versionFile } from "../support/version-file.ts";

const folder = mkdtempSync(join(tmpdir(), "trialmesh-newer-"));
after(() => rmSync(folder, { recursive: true, maxRetries: 5 }));

/** The same bytes with another number for one. */
function renumbered(bytes: Uint8Array, from: string, to: string): Buffer {
  const copy = Buffer.from(bytes);
  const at = copy.lastIndexOf(from);
  assert.ok(at > 0 && from.length === to.length);
  copy.write(to, at);
  return copy;
}

function isNewer(read: Outcome<unknown>): void {
  assert.ok(!read.ok);
  assert.equal(read.refusal.code, "conflict");
  assert.match(
    read.refusal.message,
    / was written by a newer version of trialmesh \(its format is 9, and this version reads up to \d\); upgrade/,
  );
}

test("FORMAT-6: a checkpoint of a newer format", () => {
  const meta: CheckpointMeta = {
    format: "trialmesh-checkpoint",
    version: 1,
    task: "noop",
    model: "noop",
    params: {},
    labels: [],
    seed: 1,
    epoch: 1,
    step: 1,
    backend: "none",
    extra: {},
  };
  const bytes = encodeCheckpoint(meta, new Map());
  assert.ok(decodeCheckpoint(bytes).ok);
  isNewer(decodeCheckpoint(renumbered(bytes, '\\"version\\":1', '\\"version\\":9')));
});

test("FORMAT-6: a bundle of a newer format", () => {
  const bytes = encodeBundle({ files: [], note: null });
  assert.ok(decodeBundle(bytes).ok);
  isNewer(decodeBundle(renumbered(bytes, '"version":1', '"version":9')));
});

test("FORMAT-6: a dataset version of a newer build", async () => {
  const examples = [{ text: "a", label: 0 }];
  const dataset = {
    kind: "text",
    name: "tiny",
    labels: ["x"],
    train: examples,
    validation: examples,
    test: examples,
  } as const;
  const path = await versionFile(folder, "tiny.parquet", dataset);
  assert.ok((await readManifest(path)).ok);
  writeFileSync(path, renumbered(readFileSync(path), `"build":${buildVersion}`, '"build":9'));
  isNewer(await readManifest(path));
});
