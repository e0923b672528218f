/**
 * Trials proposed from outside, against a real mesh: by the command line alone, and by the example in Python where
 * TRIALMESH_PYTHON (or python3) has nats-py and cryptography. The page on it is held to the protocol.
 */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { credsAuthenticator, connect } from "@nats-io/transport-node";
import * as z from "zod";
import { projectFolder } from "../../training/version/code-version.ts";
import { planSweep } from "../../client/sweep/plan-sweep.ts";
import {
  answerSchema,
  commandEnvelopeSchema,
  commandSchemas,
  commandValues,
  querySchemas,
} from "../../protocol/command.ts";
import { refusalCodes, refusalSchema } from "../../protocol/refusal.ts";
import { queryValues, type SweepView } from "../../protocol/view.ts";
import { LiveMesh } from "../support/live-mesh.ts";
import { skipWithoutNats } from "../support/nats-server.ts";
import { runHere, type CliResult } from "../support/run-cli.ts";
import { openOwnMesh, withoutServer } from "./own-mesh.ts";

const exampleFile = join(projectFolder, "examples/outside/sweep.yaml");
const exampleScript = join(projectFolder, "examples/outside/propose.py");

const python = process.env["TRIALMESH_PYTHON"] ?? "python3";
const hasNatsPy = spawnSync(python, ["-c", "import nats, cryptography"]).status === 0;
const skipWithoutPython = hasNatsPy
  ? false
  : `${python} has no nats-py and cryptography; name one that has with TRIALMESH_PYTHON`;

const connectionSchema = z.strictObject({
  mesh: z.string(),
  url: z.string(),
  tls: z.strictObject({ ca: z.string(), handshakeFirst: z.literal(true) }),
  role: z.string(),
  name: z.string(),
  credentials: z.string(),
  inboxPrefix: z.string(),
  queryPrefix: z.string(),
  commandPrefix: z.string().nullable(),
});

/** The example with the connection piped in, as a person would. */
function propose(connection: string, ...words: readonly string[]): Promise<CliResult> {
  const child = spawn(python, [exampleScript, ...words], { stdio: ["pipe", "pipe", "pipe"] });
  child.stdin.end(connection);
  return new Promise((resolve, reject) => {
    let out = "";
    let err = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => (out += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (err += text));
    child.once("error", reject);
    child.once("close", (code) => resolve({ code, out, err }));
  });
}

const proposedLine = /^proposed (s\d+-\d+) (\{.*\})$/gm;
function proposedBy({ out }: CliResult): [string, unknown][] {
  return [...out.matchAll(proposedLine)].map(([, trial = "", params = ""]) => [trial, JSON.parse(params)]);
}
const trialsOf = (view: SweepView): [string, unknown][] =>
  view.trials.map(({ params, trial }) => [trial, params]);

describe("trials proposed from outside", { skip: skipWithoutNats }, () => {
  const mesh = new LiveMesh();
  before(async () => void (await mesh.up("--port", "0", "--slots", "2")));
  after(() => mesh.close());

  const run = (...words: readonly string[]) => mesh.cli.run(LiveMesh.home, ...words);

  async function ok(...words: readonly string[]): Promise<string> {
    const { code, err, out } = await run(...words);
    assert.equal(code, 0, `${words.join(" ")}: ${err}`);
    return out.trimEnd();
  }

  async function refused(...words: readonly string[]): Promise<string> {
    const { code, err, out } = await run(...words);
    assert.equal(code, 1, `${words.join(" ")}: ${out}`);
    assert.match(err, /^[^\n]+\n$/, "one line");
    return err.trimEnd();
  }

  /** Submits a sweep of a task that learns nothing; its id. */
  function submit(name: string, method: string, trials: number, models = "noop"): Promise<string> {
    const file = mesh.cli.write(
      `${name}.yaml`,
      `name: ${name}
task: noop
search: {method: ${method}, trials: ${trials}, seed: 5}
stopping: {policy: none, max: 1}
models:
  ${models}: {x: {distribution: uniform, min: 0, max: 1}, milliseconds: 20}
reuse: false
`,
    );
    return ok("sweep", "run", file, "--detach");
  }

  test("OUTSIDE-1: a sweep from outside runs what it is given, each point once, and ends when it is sealed", async () => {
    const sweep = await submit("given", "outside", 20);
    const given = [0.25, 0.5, 0.75];
    for (const [index, x] of given.entries()) {
      const said = await ok("trial", "propose", sweep, `x=${x}`, "milliseconds=20");
      assert.equal(said, `${sweep}-${index + 1} proposed: noop x=${x} milliseconds=20`);
    }
    const again = await ok(
      "trial",
      "propose",
      sweep,
      "milliseconds=20",
      "x=5e-1",
      "--model",
      "noop",
      "--json",
    );
    assert.deepEqual(JSON.parse(again), { trial: `${sweep}-2`, known: true });
    assert.equal((await mesh.sweep(sweep)).summary.counts.proposed, given.length);

    await ok("sweep", "seal", sweep);
    const { summary, trials } = await mesh.ended(sweep);
    assert.equal(summary.state, "done");
    assert.equal(summary.counts.completed, given.length);
    assert.deepEqual(
      trials.map(({ params }) => params),
      given.map((x) => ({ x, milliseconds: 20 })),
    );
    assert.equal(await refused("sweep", "seal", sweep), `trialmesh: ${sweep} is already done`);
  });

  test("OUTSIDE-1: it ends by itself with the last of its trials, and takes no more", async () => {
    const sweep = await submit("counted", "outside", 2);
    for (const x of [0, 1]) await ok("trial", "propose", sweep, `x=${x}`, "milliseconds=20");
    assert.match(
      await refused("trial", "propose", sweep, "x=0.5", "milliseconds=20"),
      /already done|its 2 trials/,
    );
    const { summary } = await mesh.ended(sweep);
    assert.deepEqual([summary.state, summary.counts.completed], ["done", 2]);
  });

  test("OUTSIDE-2: what is no point of the space is refused with its parameter, and nothing is proposed", async () => {
    const sweep = await submit("strict", "outside", 5);
    const table: readonly [words: string, why: string][] = [
      ["x=2 milliseconds=20", "noop: x cannot be 2; it is uniform from 0 to 1"],
      ["x=much milliseconds=20", 'noop: x cannot be "much"; it is uniform from 0 to 1'],
      ["x=0.5", "noop: milliseconds is missing"],
      ["x=0.5 milliseconds=21", "noop: milliseconds cannot be 21; it is always 20"],
      ["x=0.5 millisecond=20", 'noop: there is no parameter millisecond; did you mean "milliseconds"?'],
    ];
    for (const [words, why] of table) {
      const said = await refused("trial", "propose", sweep, ...words.split(" "));
      assert.equal(said, `trialmesh: ${sweep}, ${why}`);
    }
    const { out } = await run("trial", "propose", sweep, "x=2", "milliseconds=20", "--json");
    const { refusal } = z.object({ refusal: refusalSchema }).parse(JSON.parse(out));
    assert.deepEqual([refusal.code, refusal.field], ["invalid", ["params", "x"]]);
    const unknown = await refused("trial", "propose", sweep, "--model", "nop", "x=0.5");
    assert.equal(unknown, `trialmesh: ${sweep} has no model nop; did you mean "noop"?`);
    await ok("account", "open", "team-b", "--grant", "1");
    const other = await refused("trial", "propose", sweep, "x=0.5", "milliseconds=20", "--as", "team-b");
    assert.equal(other, `trialmesh: ${sweep} belongs to owner`);
    assert.match(await refused("trial", "propose", "s999", "x=0.5"), /^trialmesh: there is no sweep s999/);
    assert.equal((await mesh.sweep(sweep)).summary.counts.proposed, 0);
    await ok("sweep", "seal", sweep);
    assert.equal(
      (await mesh.ended(sweep)).summary.counts.proposed,
      0,
      "a sealed sweep without a trial is done",
    );
  });

  test("OUTSIDE-3: any running sweep takes a point that somebody wants tried, and can be sealed", async () => {
    const sweep = await submit("own", "random", 1000);
    const said = await ok("trial", "propose", sweep, "x=0.125", "milliseconds=20", "--json");
    const { known, trial } = commandValues["trial-propose"].parse(JSON.parse(said));
    assert.equal(known, false);
    await ok("sweep", "seal", sweep);
    const { summary, trials } = await mesh.ended(sweep);
    assert.equal(summary.state, "done");
    assert.equal(summary.counts.completed, trials.length);
    assert.ok(trials.length < 1000);
    assert.deepEqual(trials.find((one) => one.trial === trial)?.params, { x: 0.125, milliseconds: 20 });
  });

  test("OUTSIDE-4: a connection is enough for any client of NATS to ask, and holds no secret", async () => {
    const document = await ok("connection", "--json");
    const connection = connectionSchema.parse(JSON.parse(document));
    const creds = readFileSync(connection.credentials, "utf8");
    const secrets = [...creds.matchAll(/-----BEGIN [^-]+-----\s+(\S+)/g)].map(([, secret = ""]) => secret);
    assert.equal(secrets.length, 2);
    const text = await ok("connection");
    for (const secret of secrets) assert.ok(!document.includes(secret) && !text.includes(secret));
    const { tls, ...shown } = connection;
    for (const [field, value] of Object.entries({ ...shown, ca: tls.ca }))
      assert.ok(text.includes(String(value)), field);

    const nats = await connect({
      servers: connection.url,
      tls: { ca: readFileSync(tls.ca, "utf8"), handshakeFirst: tls.handshakeFirst },
      authenticator: credsAuthenticator(new TextEncoder().encode(creds)),
      inboxPrefix: connection.inboxPrefix,
    });
    try {
      const asked = async (subject: string, message: unknown) =>
        answerSchema.parse(
          (await nats.request(subject, JSON.stringify(message), { timeout: 60_000 })).json(),
        );
      const listed = await asked(`${connection.queryPrefix}sweeps`, {});
      assert.ok(listed.ok && queryValues.sweeps.parse(listed.value).sweeps.length > 0);
      const seal = { key: "seal-of-nothing", body: { sweep: "s999" } };
      const answer = await asked(`${connection.commandPrefix}sweep-seal`, seal);
      assert.ok(!answer.ok && answer.refusal.code === "unknown");
    } finally {
      await nats.close();
    }
  });

  test("OUTSIDE-4: a viewer's connection has queries and no commands", async () => {
    const [, ...join] = (await ok("invite", "viewer", "looker")).split(" ");
    const environment = mesh.cli.environment("looker");
    assert.equal((await runHere(join, environment)).code, 0);
    const { out } = await runHere(["connection", "--json"], environment);
    assert.equal(connectionSchema.parse(JSON.parse(out)).commandPrefix, null);
    assert.match((await runHere(["connection"], environment)).out, /^commands +none$/m);
    if (skipWithoutPython !== false) return;
    const { code, err } = await propose(out, await submit("looked-at", "outside", 2));
    assert.deepEqual([code, err], [1, "propose.py: viewer looker may look and change nothing\n"]);
  });

  describe("a sampler in Python", { skip: skipWithoutPython }, () => {
    let connection = "";
    before(async () => void (connection = await ok("connection", "--json")));
    // Shorter than a person would: it is not about the model.
    const example = () => ok("sweep", "run", exampleFile, "--detach", "--max", "1");

    test("OUTSIDE-5: it proposes the trials, learns how they end, seals the sweep and names the best", async () => {
      const sweep = await example();
      const first = await propose(connection, sweep, "--trials", "6", "--seed", "3");
      assert.equal(first.code, 0, first.err);
      assert.equal(first.err, "");
      const view = await mesh.sweep(sweep);
      assert.equal(view.summary.state, "done");
      assert.equal(view.summary.counts.completed, 6);
      assert.deepEqual(trialsOf(view), proposedBy(first));
      for (const { trial, value } of view.trials)
        assert.ok(first.out.includes(`completed ${trial} accuracy ${value}\n`), `${trial} is told`);
      const best = view.trials.find(({ trial }) => trial === view.summary.best?.trial);
      const [, value, params = ""] = /^best accuracy (\S+) (.*)\n$/m.exec(first.out) ?? [];
      assert.equal(Number(value), Number(best?.value?.toPrecision(4)));
      assert.deepEqual(JSON.parse(params), best?.params);

      // On another sweep, where its first point was tried already by hand: it draws another.
      const [point = assert.fail("none")] = proposedBy(first);
      const more = await example();
      const words = Object.entries(z.record(z.string(), z.number()).parse(point[1]));
      await ok("trial", "propose", more, ...words.map(([name, number]) => `${name}=${number}`));
      const second = await propose(connection, more, "--trials", "2", "--seed", "3");
      assert.equal(second.code, 0, second.err);
      const ended = await mesh.sweep(more);
      assert.equal(ended.summary.state, "done");
      assert.deepEqual(trialsOf(ended), [[`${more}-1`, point[1]], ...proposedBy(second)]);
      assert.equal(ended.trials.length, 2);
    });

    test("OUTSIDE-6: what the mesh refuses it tells in one sentence", async () => {
      const noop = await submit("other-space", "outside", 5);
      const table: readonly [words: readonly string[], said: RegExp][] = [
        [["s999"], /^propose\.py: there is no sweep s999; [^\n]+\n$/],
        [[noop], /^propose\.py: s\d+ has no model linear; known: noop\n$/],
        [[noop, "--model", "noop"], /^propose\.py: s\d+, noop: there is no parameter lr; [^\n]+\n$/],
      ];
      for (const [words, said] of table) {
        const { code, err } = await propose(connection, ...words);
        assert.equal(code, 1);
        assert.match(err, said);
      }
    });
  });
});

test(
  "OUTSIDE-6: a mesh without a leader, a server that is away and a credential that is gone are one sentence each",
  { skip: withoutServer || skipWithoutPython },
  async () => {
    const own = await openOwnMesh("mesh");
    const said = async (document: string, why: RegExp) => {
      const { code, err } = await propose(document, "s1", "--patience", "0.5");
      assert.equal(code, 1, err);
      assert.match(err, why);
    };
    const { out: connection } = await runHere(["connection", "--json"], { TRIALMESH_HOME: own.home.path });
    try {
      await said(connection, /^propose\.py: no coordinator answers; start one with [^\n]+\n$/);
      const elsewhere = connection.replace(own.home.url, "nats://127.0.0.1:1");
      await said(elsewhere, /^propose\.py: no mesh answers at nats:\/\/127\.0\.0\.1:1 [^\n]+\n$/);
    } finally {
      await own.close();
    }
    await said(connection, /^propose\.py: the credentials .*owner\.owner\.creds cannot be read [^\n]+\n$/);
  },
);

test("OUTSIDE-7: examples/outside/sweep.yaml is a sweep from outside", async () => {
  const read = await planSweep(exampleFile, {}, {});
  assert.ok(read.ok && read.value.ok, JSON.stringify(read));
  const { models, search } = read.value.plan.spec(null);
  assert.equal(search.method, "outside");
  assert.deepEqual(
    models.map(({ model, space }) => [model, Object.keys(space)]),
    [["linear", ["lr", "charMax", "wordNgrams"]]],
  );
});

describe("OUTSIDE-8: the messages in docs/outside.md are what the mesh reads and answers", () => {
  const text = readFileSync(join(projectFolder, "docs/outside.md"), "utf8");
  const blocks = [...text.matchAll(/^```json (\S+)\n([\s\S]*?)^```$/gm)].map(
    ([, mark = "", json = ""]): [string, unknown] => [mark, JSON.parse(json)],
  );
  const parsers: Readonly<Record<string, z.ZodType>> = {
    connection: connectionSchema,
    "query=sweep": querySchemas.sweep,
    "command=trial-propose": commandEnvelopeSchema.extend({ body: commandSchemas["trial-propose"] }),
    "command=sweep-seal": commandEnvelopeSchema.extend({ body: commandSchemas["sweep-seal"] }),
    "answer=trial-propose": z.strictObject({ ok: z.literal(true), value: commandValues["trial-propose"] }),
    refusal: z.strictObject({ ok: z.literal(false), refusal: refusalSchema.strict() }),
  };
  test("each kind is shown", () => {
    assert.deepEqual(blocks.map(([mark]) => mark).toSorted(), Object.keys(parsers).toSorted());
  });
  for (const [mark, message] of blocks) {
    test(mark, () => {
      const parsed = parsers[mark]?.safeParse(message) ?? assert.fail("nobody reads it");
      assert.ok(parsed.success, parsed.error?.message);
    });
  }
  test("every refusal code, and every field of a trial that a sampler needs, is explained", () => {
    const fields = ["params", "state", "value", "metrics", "resource", "rungs", "failure", "model"];
    const missing = [...refusalCodes, ...fields].filter((name) => !text.includes(`\`${name}\``));
    assert.deepEqual(missing, []);
  });
});
