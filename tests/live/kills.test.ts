/** A short run of the kill campaign (`tests/campaign/kills.ts`), in a process of its own. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import { test } from "node:test";
import { skipWithoutNats } from "../support/nats-server.ts";
import { outcomeOf } from "../support/run-cli.ts";

const campaign = fileURLToPath(
  new URL(`../campaign/kills${extname(fileURLToPath(import.meta.url))}`, import.meta.url),
);

test(
  "KILL-1: whatever is killed, stopped, cut off or filled, nothing is lost, doubled or overspent, and every sweep ends",
  { skip: process.platform === "linux" ? skipWithoutNats : "only Linux shows whose a process is" },
  async () => {
    const words = [campaign, "--count", "25", "--seed", "5", "--every", "400", "--json"];
    const { code, err, out } = await outcomeOf(
      spawn(process.execPath, words, { stdio: ["ignore", "pipe", "pipe"] }),
    );
    assert.equal(code, 0, `${out}${err}`);
    assert.match(out, /"violations": \[\]/);
  },
);
