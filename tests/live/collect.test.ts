/** What nothing refers to, on a live mesh: told, marked, removed from the server's disk; and what is kept goes on as before. */
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { garbageView, type GarbageView } from "../../protocol/garbage-view.ts";
import { LiveMesh } from "../support/live-mesh.ts";
import { skipWithoutNats } from "../support/nats-server.ts";
import { until } from "../support/until.ts";

/** Of a leader's first minute nothing is collected: twenty leases. */
const leaseMs = 1_500;
const trials = 8;

describe("collection on a live mesh", { skip: skipWithoutNats }, () => {
  const mesh = new LiveMesh(leaseMs);
  before(() => mesh.up("--port", "0", "--slots", "2", "--programs", "any"));
  after(() => mesh.close());

  /** What is not a pack. */
  const isDigest = (id: string) => /^[0-9a-f]{64}$/.test(id);
  /** Each trial keeps bytes of its own, too many for a pack. */
  const script =
    'echo "$@" > "$TRIALMESH_CHECKPOINT_DIR/state"\nhead -c 200000 /dev/urandom >> "$TRIALMESH_CHECKPOINT_DIR/state"\necho "score=${1#*=}"\n';
  const register = "register: {model: best, alias: champion}\n";
  const look = async (...words: readonly string[]): Promise<GarbageView> =>
    garbageView.parse(JSON.parse((await mesh.ok("one", "gc", ...words, "--json")).out));
  const run = async (name: string, seed: number, more = "") => {
    const folder = join(mesh.cli.folder, name);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "train.sh"), script);
    const file = join(folder, "sweep.yaml");
    const search = `search: {method: random, trials: ${trials}, seed: ${seed}}`;
    const space = "parameters: {x: {distribution: uniform, min: 0, max: 1}}";
    writeFileSync(
      file,
      `name: ${name}\ncommand: [sh, train.sh, "\${args}"]\nobjective: {metric: score, goal: maximize}\n${search}\n${space}\n${more}`,
    );
    const { out } = await mesh.ok("one", "sweep", "run", file, "--detach");
    return mesh.ended(out.trim());
  };

  /** Real models of the mesh's own, which can be registered. */
  const learn = async (name: string, more = "") => {
    const file = mesh.cli.write(
      `${name}.yaml`,
      `name: ${name}\ntask: text-classification\ndataset: language-id\nobjective: {metric: accuracy, goal: maximize}\nsearch: {method: random, trials: 4, seed: 7}\nstopping: {policy: none, max: 1}\nmodels: {linear: {}}\n${more}`,
    );
    const { out } = await mesh.ok("one", "sweep", "run", file, "--detach");
    return mesh.ended(out.trim());
  };

  test("GC-7: three sweeps leave their best, and what else they stored goes", async () => {
    await run("first", 1, "reuse: true\n");
    const learned = await learn("second", register);
    await learn("third", "reuse: false\n");
    const waiting = await mesh.submit({ name: "fourth", trials: 2, epochs: 900, milliseconds: 100, seed: 4 });
    await mesh.trialThat(
      waiting,
      "a trial at work",
      ({ resource, state }) => state === "running" && resource > 1,
    );
    await mesh.ok("one", "sweep", "pause", waiting, "--now");
    await until("it to stand still", async () => {
      const { summary } = await mesh.sweep(waiting);
      return summary.counts.running === 0 ? summary : null;
    });

    const said = (await mesh.ok("one", "gc", "policy", "--checkpoints", "1")).out;
    assert.match(said, /the best 1 of each sweep/);
    const told = await until(
      "checkpoints old enough to go",
      async () => {
        const view = await look("--dry");
        return view.artifacts.filter(({ digest }) => isDigest(digest)).length >= trials - 1 ? view : null;
      },
      120_000,
    );
    assert.ok(
      told.artifacts.every(
        ({ until: at, why }) =>
          at === null && /not among the best 1 of s\d$|^a pack of \d+ checkpoints?, /.test(why),
      ),
    );
    const one = told.artifacts.find(({ digest }) => isDigest(digest));
    const why = (await mesh.ok("one", "gc", "--why", one?.digest.slice(0, 12) ?? "")).out;
    assert.match(why, /is stored, and nothing refers to it/);
    const best = learned.summary.best?.trial ?? "";
    const { out: shown } = await mesh.ok("one", "trial", "show", best, "--json");
    const { artifact } = JSON.parse(shown) as { artifact: string };
    assert.match(
      (await mesh.ok("one", "gc", "--why", artifact)).out,
      /is kept:\n {2}the bytes of best@1, to which champion points/,
    );

    await mesh.ok("one", "gc", "--grace", "0");
    const after = await until(
      "all of it to go",
      async (note) => {
        const view = await look("--grace", "0");
        note([view.garbage.artifacts, view.leaving.artifacts, view.stored]);
        return view.garbage.artifacts === 0 && view.leaving.artifacts === 0 ? view : null;
      },
      200_000,
    );
    // What was too young then has gone as well.
    assert.ok(after.stored <= told.stored - told.garbage.artifacts, `${told.stored}, then ${after.stored}`);
    assert.ok(after.storedBytes < told.storedBytes, `${told.storedBytes}, then ${after.storedBytes} bytes`);

    assert.match((await mesh.ok("one", "gc", "--why", one?.digest ?? "")).out, /was collected/);
    await mesh.ok("one", "sweep", "resume", waiting);
    await mesh.trialThat(
      waiting,
      "one to go on",
      ({ attempts, state }) => state === "running" && attempts.length > 1,
    );
    await mesh.ok("one", "sweep", "stop", waiting);
    await mesh.ended(waiting);
  });

  test("GC-3: the same sweep again is answered, or trained anew where its best is to be registered", async () => {
    const again = await run("first", 1, "reuse: true\n");
    assert.ok(
      again.trials.every(({ reusedFrom }) => reusedFrom !== null),
      "all of it from the record",
    );
    const registered = await learn("again", register.replace("best", "other"));
    const { summary, trials: all } = registered;
    assert.ok(all.every(({ state }) => state === "completed"));
    assert.notEqual(summary.registered, null);
    const { out } = await mesh.ok("one", "trial", "show", summary.best?.trial ?? "", "--json");
    const { artifact, collected } = JSON.parse(out) as { artifact: string; collected?: true };
    assert.equal(collected, undefined);
    assert.match((await mesh.ok("one", "gc", "--why", artifact)).out, /the bytes of other@1/);
    const { violations } = await mesh.audit();
    assert.deepEqual(violations, []);
  });
});
