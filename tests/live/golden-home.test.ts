/**
 * Homes that older versions left, opened by this one: server, coordinator and agents start on them, everything is found as it
 * was, and what was left unfinished goes on. Nothing here depends on when or where a home was made.
 */
import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { atLeast, parseServerVersion, versionOf } from "../../mesh/server-version.ts";
import { withoutLaterRefills, type Facts } from "../golden/fact.ts";
import { goldenHomes, unpackHome, type GoldenHome } from "../golden/golden-home.ts";
import { factsOfMesh } from "../golden/mesh-fact.ts";
import { LiveMesh, valueOf } from "../support/live-mesh.ts";
import { findNatsServer, skipWithoutNats } from "../support/nats-server.ts";

const timeout = 110_000;

/** Why this home cannot be opened with the server at hand; false where it can. */
async function skipOf({ record }: GoldenHome): Promise<string | false> {
  const binary = findNatsServer();
  if (skipWithoutNats !== false || binary === undefined) return skipWithoutNats;
  const [found, wanted] = [await versionOf(binary), parseServerVersion(record.server)];
  if (found === null || wanted === null || atLeast(found, wanted)) return false;
  return `nats-server ${found.join(".")} need not read the files of ${record.server}`;
}

/** The sweep that was left so, by name. */
function left({ sweeps }: Facts, name: string): string {
  return sweeps.find((sweep) => sweep.name === name && sweep.state === "open")?.sweep ?? assert.fail(name);
}

/** What the home was when its own version left it, asked before any agent can change it. */
async function sameFacts(mesh: LiveMesh, facts: Facts): Promise<void> {
  const found = await factsOfMesh(mesh.client);
  assert.deepEqual(withoutLaterRefills(found, facts), facts);
}

async function startAgent(mesh: LiveMesh, name: string): Promise<void> {
  mesh.start(LiveMesh.home, "agent", "--name", name);
  await mesh.agentThat(name, ({ state }) => state === "present" || state === "draining");
}

async function takesWork(mesh: LiveMesh): Promise<void> {
  const more = "reuse: false\n";
  const sweep = await mesh.submit({ name: "new", trials: 1, epochs: 2, milliseconds: 0, seed: 1, more });
  const { summary, trials } = await mesh.ended(sweep);
  assert.equal(summary.state, "done");
  // Work may still be offered to the agent as it was when the home was left: such an attempt is lost, and nothing else may be.
  const endings = (attempts: (typeof trials)[number]["attempts"]) =>
    attempts
      .map(({ ending }) => ending)
      .filter((ending) => !/^lost: (?:the agent was restarted|\S+ never took it up)$/.test(ending ?? ""));
  assert.deepEqual(
    trials.map(({ attempts, resource, state }) => [state, resource, endings(attempts)]),
    [["completed", 2, ["finished"]]],
  );
  assert.deepEqual((await mesh.audit()).violations, []);
}

for (const home of goldenHomes()) {
  const { number, record } = home;
  const { facts } = record;
  const skip = await skipOf(home);

  describe(`golden home ${number}, as it was left`, { skip, timeout }, () => {
    const mesh = new LiveMesh();
    before(async () => {
      unpackHome(number, mesh.homePath(LiveMesh.home));
      await mesh.up("--port", "0", "--no-agent");
    });
    after(() => mesh.close());

    test("GOLDEN-5: the views tell what they told when it was left", () => sameFacts(mesh, facts));

    test("GOLDEN-6: its agents come back with their stores, and its models can be read", async () => {
      const versions = facts.models.flatMap(({ model, versions }) =>
        versions.map(({ version }) => `${model}@${version}`),
      );
      assert.ok(versions.length > 0);
      await Promise.all([
        startAgent(mesh, "one"),
        startAgent(mesh, "two"),
        ...versions.map((version) => mesh.ok(LiveMesh.home, "model", "report", version)),
      ]);
    });

    test("GOLDEN-7: what waited for tokens goes on from its checkpoints once they are granted", async () => {
      const sweep = left(facts, "broke");
      const amount = 200_000;
      valueOf(await mesh.client.command("budget-grant", { requester: "team-a", amount }));
      const begun = facts.trials.filter((trial) => trial.sweep === sweep && trial.resource > 0);
      assert.ok(begun.length > 0);
      for (const { attempts, resource, trial } of begun) {
        const { attempts: now } = await mesh.trialThat(
          sweep,
          `another attempt of ${trial}`,
          (one) => one.trial === trial && one.attempts.length > attempts.length,
        );
        assert.equal(now[attempts.length]?.fromResource, resource);
      }
      valueOf(await mesh.client.command("sweep-stop", { sweep, why: "it goes on" }));
      await mesh.ended(sweep);
    });

    test("GOLDEN-8: a real model trains on from its old checkpoint, on the agent that had it", async () => {
      valueOf(await mesh.client.command("agent-drain", { agent: "two", drain: false }));
      const sweep = left(facts, "attic");
      const was = facts.trials.find((trial) => trial.sweep === sweep) ?? assert.fail(sweep);
      const { attempts } = await mesh.trialThat(
        sweep,
        "a checkpoint beyond the old one",
        ({ resource }) => resource > was.resource,
      );
      const again = attempts[was.attempts.length];
      assert.deepEqual([again?.agent, again?.fromResource], ["two", was.resource]);
      valueOf(await mesh.client.command("sweep-stop", { sweep, why: "it goes on" }));
      await mesh.ended(sweep);
    });

    test("GOLDEN-9: what was judged and paused is judged again with new trials, and ends when it is sealed", async () => {
      const sweep = left(facts, "judged");
      const paused = facts.trials.filter((trial) => trial.sweep === sweep && trial.state === "paused");
      assert.ok(paused.length > 0);
      const params = { lr: 0.5, bucketBits: 10 };
      valueOf(await mesh.client.command("trial-propose", { sweep, model: "linear", params }));
      await mesh.trialThat(
        sweep,
        "the new trial at its rung",
        ({ number, rungs }) => number > paused.length && rungs.length > 0,
      );
      valueOf(await mesh.client.command("sweep-seal", { sweep }));
      const { summary, trials } = await mesh.ended(sweep);
      assert.equal(summary.state, "done");
      assert.ok(trials.some(({ state }) => state === "completed"));
    });

    test("GOLDEN-10: it takes new work, and its journal, old and new, holds every rule at every event", async () => {
      await takesWork(mesh);
    });
  });

  describe(`golden home ${number}, without the coordinator's own store`, { skip, timeout }, () => {
    const mesh = new LiveMesh();
    before(async () => {
      const path = mesh.homePath(LiveMesh.home);
      unpackHome(number, path);
      rmSync(join(path, "coordinator"), { recursive: true, maxRetries: 5 });
      await mesh.up("--port", "0", "--no-agent");
    });
    after(() => mesh.close());

    test("GOLDEN-5: rebuilt from the journal, the views tell the same", () => sameFacts(mesh, facts));

    test("GOLDEN-10: it takes new work, and its journal, old and new, holds every rule at every event", async () => {
      await startAgent(mesh, "one");
      await takesWork(mesh);
    });
  });
}
