// A short run of the campaign `damage` (tests/campaign), and what it does not try: the command line, ended in its midst.
import assert from "node:assert/strict";
import { existsSync, readdirSync, rmSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { after, before, describe, test } from "node:test";
import { DamagePlace } from "../campaign/damage/damage-kind.ts";
import { journalDamage } from "../campaign/damage/journal-damage.ts";
import { runDamage } from "../campaign/damage/run-damage.ts";
import { flipBit } from "../campaign/damage/spoil-file.ts";
import { balancesOf, journalHashes, type Balances } from "../campaign/damage/whole-mesh.ts";
import { LiveMesh } from "../support/live-mesh.ts";
import { skipWithoutNats } from "../support/nats-server.ts";
import { runCli } from "../support/run-cli.ts";
import { until } from "../support/until.ts";

const sample = ["journal-flip", "journal-cut-no-index", "journal-no-folder", "journal-deleted", "copy-zero"];

test(
  "JOURNAL-5, JOURNAL-8: every damage is noticed and healed, and shows no wrong balance",
  { skip: skipWithoutNats },
  async () => {
    const kinds = journalDamage.filter(({ name }) => sample.includes(name));
    assert.equal(kinds.length, sample.length);
    const report = await runDamage({
      kinds,
      count: sample.length,
      seed: 3,
      jobs: 1,
      onCase: () => undefined,
    });
    assert.deepEqual(report.defects, []);
    assert.equal(report.cases, sample.length);
  },
);

describe("JOURNAL-5: up --restore-journal on the command line", { skip: skipWithoutNats }, () => {
  const mesh = new LiveMesh();
  let balances: Balances = "";
  let hashes: readonly string[] = [];
  const place = () => new DamagePlace(mesh.homePath(LiveMesh.home), "mesh", LiveMesh.home);
  const block = () => join(place().streamFolder("JOURNAL"), "msgs", "1.blk");
  const detached = [
    "up",
    "--name",
    LiveMesh.home,
    "--no-agent",
    "--port",
    "0",
    "--restore-journal",
    "--detach",
  ] as const;
  const restore = () =>
    mesh.start(
      LiveMesh.home,
      "up",
      "--name",
      LiveMesh.home,
      "--no-agent",
      "--port",
      "0",
      "--restore-journal",
    );

  const assertWhole = async () => {
    assert.equal(await balancesOf(mesh.client), balances);
    const found = await journalHashes(place().path);
    assert.deepEqual(found.slice(0, hashes.length), hashes);
  };

  before(async () => {
    const up = await mesh.up("--no-agent", "--port", "0");
    await mesh.ok(LiveMesh.home, "account", "open", "alice", "--grant", "7");
    for (const tokens of ["1", "2", "3"]) await mesh.ok(LiveMesh.home, "budget", "grant", "alice", tokens);
    balances = await balancesOf(mesh.client);
    hashes = await journalHashes(place().path);
    await up.end("SIGTERM");
  });
  after(() => mesh.close());

  test("a damaged journal ends `up` with the way out, which makes it whole; a whole one is left alone", async () => {
    flipBit(block(), () => 0.6);
    const refused = mesh.start(LiveMesh.home, "up", "--name", LiveMesh.home, "--no-agent", "--port", "0");
    assert.equal(await refused.ended, 1);
    assert.match(refused.said, /`trialmesh up --restore-journal`/);
    const doctor = await mesh.cli.run(LiveMesh.home, "doctor");
    assert.match(doctor.out, /one halted: .*journal/);

    const healed = await mesh.up("--no-agent", "--port", "0", "--restore-journal");
    assert.match(healed.said, /journal: damaged on the server: /);
    const aside = /restored and verified, .*the damaged one lies in (\S+)/.exec(healed.said)?.[1];
    assert.ok(aside !== undefined && existsSync(aside), healed.said);
    await assertWhole();
    await healed.end("SIGTERM");
    assert.doesNotMatch((await mesh.cli.run(LiveMesh.home, "doctor")).out, /halted/);

    const again = await mesh.up("--no-agent", "--port", "0", "--restore-journal");
    assert.match(again.said, /journal: it is whole, .*nothing was to be restored/);
    await assertWhole();
    const inVain = await runCli(detached, mesh.cli.environment(LiveMesh.home));
    assert.equal(inVain.code, 1);
    assert.match(
      inVain.err,
      /^trialmesh: .* its journal is restored while it is down; end it with `trialmesh down`/,
    );
    await again.end("SIGTERM");
  });

  test("in the background it says the same where it was asked", async () => {
    flipBit(block(), () => 0.6);
    const healed = await runCli(detached, mesh.cli.environment(LiveMesh.home));
    assert.equal(healed.code, 0, healed.err);
    await mesh.ok(LiveMesh.home, "down");
    assert.match(
      healed.err,
      /^journal: damaged on the server: .*\njournal: restored and verified, .*put back: .*\n$/,
    );
    const whole = await runCli(detached, mesh.cli.environment(LiveMesh.home));
    await mesh.ok(LiveMesh.home, "down");
    assert.match(whole.err, /^journal: it is whole, \d+ messages; nothing was to be restored\n$/);
  });

  test("ended at any moment by kill -9 it leaves what is damaged or what is whole, and run again it completes", async () => {
    const [first, ...later] = [/server 2\.|journal: damaged/, /journal: damaged/, /restored and verified/];
    for (const [moment, pattern] of [first, ...later].entries()) {
      truncateSync(block(), 400);
      const killed = restore();
      await until("it to have begun", () =>
        pattern?.test(killed.said) === true || killed.isOver ? true : null,
      );
      await sleep(moment * 60);
      await killed.end("SIGKILL");
      const plain = mesh.start(LiveMesh.home, "up", "--name", LiveMesh.home, "--no-agent", "--port", "0");
      const isOver = await until("it to lead or to refuse", () =>
        plain.isOver ? "refused" : /mesh mesh is up/.test(plain.said) ? "leads" : null,
      );
      await plain.end("SIGTERM");
      if (isOver === "refused") assert.match(plain.said, /`trialmesh up --restore-journal`/);
      const healed = await mesh.up("--no-agent", "--port", "0", "--restore-journal");
      await assertWhole();
      await healed.end("SIGTERM");
      assert.ok(
        !existsSync(join(place().path, "server", "restoring")),
        "nothing is left of what was under way",
      );
    }
  });

  test("what lies nowhere any more is named, nothing is changed, and the status says so", async () => {
    truncateSync(block(), 400);
    const copies = join(place().path, "coordinator");
    for (const name of readdirSync(copies))
      rmSync(join(copies, name, "journal-copy"), { recursive: true, maxRetries: 5 });
    const refused = restore();
    assert.equal(await refused.ended, 1);
    assert.match(refused.said, /nothing was changed|nothing can be restored/);
  });
});
