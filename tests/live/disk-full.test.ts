// Disks that are full while a mesh works: its parts wait, say where and why, and go on by themselves once there is room.
import assert from "node:assert/strict";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { LiveMesh, valueOf } from "../support/live-mesh.ts";
import { SmallDisk, skipWithoutMount } from "../support/small-disk.ts";
import { until } from "../support/until.ts";

const skip = skipWithoutMount(mkdtempSync(join(tmpdir(), "trialmesh-mount-")));
const fullMs = 4_000;

interface Case {
  /** Below the home. */
  readonly folder: string;
  readonly size: string;
  /** What `up` says while it is full, and once there is room. */
  readonly full: RegExp;
  readonly room: RegExp;
}

const cases: readonly Case[] = [
  {
    folder: "coordinator/one",
    size: "32m",
    full: /coordinator: The disk that holds .*coordinator\/one.* is full/,
    room: /coordinator: the disk takes what this coordinator stores again/,
  },
  {
    folder: "agent/one",
    size: "32m",
    full: /agent: owner: .*less than the .* that stay free .* is free on the disk of .*agent\/one/,
    room: /agent: owner: open/,
  },
  {
    folder: "server",
    size: "400m",
    full: /server: its disk takes nothing \(no space left on device\): .*server\/store/,
    room: /server: its disk takes what it stores again/,
  },
  { folder: "", size: "400m", full: /(is full|no space left)/, room: /(again|going on)/ },
];

describe("full disks", { skip }, () => {
  for (const { folder, full, room, size } of cases) {
    test(`DISK-1: with the disk of ${folder === "" ? "the whole home" : folder} full, everything waits, says so once and goes on`, async () => {
      const mesh = new LiveMesh();
      const disk = new SmallDisk(join(mesh.homePath(LiveMesh.home), folder), size);
      try {
        const up = await mesh.up("--port", "0", "--slots", "2");
        await mesh.ok(LiveMesh.home, "account", "open", "alice", "--grant", "500");
        const sweep = valueOf(
          await mesh.launch("alice", { name: "full", trials: 12, epochs: 20, milliseconds: 60, seed: 1 }),
        );
        await mesh.trialThat(sweep, "a trial to be done", ({ state }) => state === "completed");
        const from = up.said.length;
        disk.fill();
        await until("it to say that the disk is full", () => full.test(up.said.slice(from)) || null);
        await sleep(fullMs);
        const whileFull = up.said.slice(from);
        assert.match(whileFull, full);
        assert.doesNotMatch(whileFull, /ended/, whileFull);
        for (const line of new Set(whileFull.split("\n")))
          assert.ok(whileFull.split(line).length <= 4 || line.length < 20, `said again and again: ${line}`);
        disk.free();
        await until("it to say that there is room", () => (room.test(up.said.slice(from)) ? true : null));
        const { summary } = await mesh.ended(sweep);
        assert.equal(summary.counts.completed, 12, up.said.slice(from));
        await mesh.audit();
        await up.end("SIGTERM");
      } finally {
        disk.remove();
        await mesh.close();
      }
    });
  }

  test("DISK-2: a program that eats into what its agent keeps free is ended, with what it wrote and where; the agent works on", async () => {
    const mesh = new LiveMesh();
    const disk = new SmallDisk(join(mesh.homePath(LiveMesh.home), "agent/one"), "64m");
    try {
      const up = await mesh.up("--port", "0", "--slots", "1");
      mesh.cli.write("fill.sh", "while head -c 1000000 /dev/zero >> junk; do sleep 0.02; done; sleep 60\n");
      const file = mesh.cli.write(
        "fill.yaml",
        `name: fill
command: [sh, fill.sh]
objective: { metric: loss, goal: minimize }
parameters: { rate: { distribution: uniform, min: 0.1, max: 0.4 } }
search: { trials: 1 }
`,
      );
      await mesh.ok(LiveMesh.home, "sweep", "run", file, "--detach");
      const said = await up.saidLine(/agent: (trial s1-1 was ended: .*)/);
      assert.match(
        said,
        /it wrote [\d.]+ MiB into .*agent\/one\/cache\/work\/\d+ and left [\d.]+ (?:B|[KM]iB) free on its disk, where 6\.4 MiB stay free/,
      );
      const { trials } = await mesh.ended("s1");
      assert.match(JSON.stringify(trials), /it wrote [\d.]+ MiB into /);
      const next = valueOf(
        await mesh.launch("owner", { name: "next", trials: 2, epochs: 2, milliseconds: 20, seed: 2 }),
      );
      assert.equal((await mesh.ended(next)).summary.counts.completed, 2);
    } finally {
      disk.remove();
      await mesh.close();
    }
  });
});
