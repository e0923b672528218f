/** Folders of models that are served: gone with whoever opened them, or with the next where that one was killed; never somebody else's. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { makeModelFolder } from "../../agent/serving/model-folder.ts";

const left: string[] = [];
after(() => {
  for (const path of left) rmSync(path, { recursive: true, force: true, maxRetries: 5 });
});

function leave(name: string): string {
  const path = join(tmpdir(), name);
  mkdirSync(path, { recursive: true });
  writeFileSync(join(path, "model.onnx"), "");
  left.push(path);
  return path;
}

test("MODEL-RUN-5: what a killed process left is removed, what one that lives has is not", () => {
  const { pid: gone } = spawnSync(process.execPath, ["-e", ""]);
  const ofDead = leave(`trialmesh-model-${gone}-abc`);
  const ofLiving = leave(`trialmesh-model-${process.pid}-other`);
  const others = leave(`trialmesh-model-notes-${process.pid}`);
  const folder = makeModelFolder();
  assert.deepEqual(
    [ofDead, ofLiving, others, folder.path].map((path) => existsSync(path)),
    [false, true, true, true],
  );
  folder.remove();
  folder.remove();
  assert.equal(existsSync(folder.path), false);
});
