/** A folder whose files are swapped for links to a secret all the time, packed again and again by somebody who may read the secret. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { packFolder } from "../../agent/program/bundle-folder.ts";
import { systemCode } from "../../system/system-error.ts";

/** Swaps a file, and a folder, for links without a moment in which there is none. */
const swapping = `
cd "$1"
while :; do
  ln -s ../secret/key link && mv -T link kept && mv -T deep old && ln -s ../secret deep
  printf own > own && mv -T own kept && rm deep && mv -T old deep
done`;

test(
  "SANDBOX-11: nothing outside the folder is ever read, however fast its files become links",
  { skip: process.platform === "linux" ? false : "only Linux says what was opened" },
  async () => {
    const place = mkdtempSync(join(tmpdir(), "trialmesh-swapped-"));
    const folder = join(place, "folder");
    for (const name of ["folder", "folder/deep", "secret"]) mkdirSync(join(place, name));
    writeFileSync(join(place, "secret", "key"), "SECRET");
    for (const path of ["kept", "deep/key"]) writeFileSync(join(folder, path), "own");
    const options = { maxMiB: 1, maxFiles: 10, only: null, what: "it", advice: "" };
    const swapper = spawn("sh", ["-c", swapping, "sh", folder], { stdio: "ignore" });
    let read = 0;
    try {
      for (let round = 0; round < 1_500; round++) {
        const packed = await packFolder(folder, options).catch((error: unknown) => {
          assert.ok(["ENOENT", "ELOOP", "ENOTDIR"].includes(systemCode(error) ?? ""), String(error));
          return null;
        });
        if (packed?.ok !== true) continue;
        for (const { content } of packed.value) {
          read++;
          assert.notEqual(Buffer.from(content).toString(), "SECRET");
        }
      }
      assert.ok(read > 0, "it was packed at times");
    } finally {
      swapper.kill("SIGKILL");
      await new Promise((resolve) => swapper.once("close", resolve));
      rmSync(place, { recursive: true, force: true, maxRetries: 5 });
    }
  },
);
