/** What people of a mesh rely on: their budget to the token, the record, the registry, and words for what goes wrong. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import * as z from "zod";
import { until } from "../support/until.ts";
import { openFakeMesh } from "../support/fake-client.ts";
import { LiveMesh, valueOf } from "../support/live-mesh.ts";
import { skipWithoutNats } from "../support/nats-server.ts";
import { within } from "../support/until.ts";
import { authorityOf } from "../../mesh/certificate/authority.ts";
import { openHome, saveHome, type Home } from "../../mesh/home.ts";
import { ensureIdentity } from "../../mesh/identity.ts";
import { makeInvite } from "../../mesh/invite.ts";
import type { MeshClient } from "../../protocol/client.ts";
import { systemClock } from "../../protocol/time/system-clock.ts";
import { unicodeGlyphs } from "../../text/glyph.ts";
import { lineText } from "../support/line-text.ts";
import { openStore } from "../../tui/ui-store.ts";
import { budgetView, lineageView, modelView, sweepView } from "../../protocol/view.ts";

const answeredMs = 3_000;

/** The terminal interface on a real mesh, at its registry; nothing is launched from it. */
function openScreen(client: MeshClient) {
  const store = openStore({
    client,
    clock: systemClock,
    launcher: openFakeMesh().launcher,
    readOnly: false,
    glyphs: unicodeGlyphs,
    startWith: { screen: "registry" },
    copy: () => {},
    quit: () => {},
  });
  store.resize({ columns: 160, rows: 40 });
  return store;
}

/** Two labels that one word of each text gives away: enough to learn from in an epoch. */
function labelledLines(): string {
  const tastes = {
    sweet: ["honey", "sugar", "syrup", "cake"],
    sour: ["lemon", "vinegar", "lime", "rhubarb"],
  };
  const measures = ["spoon", "cup", "bowl", "jar", "glass"];
  const places = ["kitchen", "cellar", "garden", "market"];
  const lines: string[] = [];
  for (const [label, words] of Object.entries(tastes))
    for (const word of words)
      for (const measure of measures)
        for (const place of places) lines.push(`${label} a ${measure} of ${word} from the ${place}\n`);
  return lines.join("");
}

describe("MESH-3: budgets, record and registry of a live mesh", { skip: skipWithoutNats }, () => {
  const mesh = new LiveMesh();
  const sweep = (out: string) => sweepView.parse(JSON.parse(out));
  const account = async (name: string) => {
    const { out } = await mesh.ok("alice", "budget", "show", name, "--json");
    return budgetView.parse(JSON.parse(out)).accounts[0] ?? assert.fail(out);
  };

  before(async () => {
    await mesh.up("--port", "0", "--slots", "1");
    await mesh.ok("one", "account", "open", "alice", "--grant", "8");
    await mesh.ok("alice", ...(await mesh.invite("requester", "alice")));
  });
  after(() => mesh.close());

  /** Of 5 tokens each: of 8 the second is left with as much as it takes to keep something. */
  const paid = { name: "paid", trials: 2, epochs: 20, milliseconds: 250, seed: 1 };

  test("a requester's sweep stops at the budget with status 3, and a grant lets it resume from its checkpoint", async () => {
    const file = mesh.file(paid);
    const short = await mesh.cli.run("alice", "sweep", "run", file, "--json");
    assert.equal(short.code, 3, short.err);
    assert.match(short.err, /trialmesh: s1 waits for tokens; `trialmesh budget grant alice TOKENS`/);
    const { trials } = sweep(short.out);
    assert.deepEqual(trials.map(({ state }) => state).toSorted(), ["completed", "queued"]);
    const cut = trials.find(({ state }) => state === "queued") ?? assert.fail();
    const reached = cut.attempts.at(-1);

    const before = await account("alice");
    assert.equal(before.granted, 8_000);
    assert.equal(before.pending, 0);
    assert.ok(before.posted > 5_000 && before.posted <= before.granted, String(before.posted));

    await mesh.ok("one", "budget", "grant", "alice", "3");
    const { trials: resumed } = await mesh.ended("s1");
    const last = resumed.find(({ trial }) => trial === cut.trial)?.attempts.at(-1);
    assert.ok((last?.fromResource ?? 0) > 0 && last?.fence !== reached?.fence, "from its checkpoint");
    assert.deepEqual(
      resumed.map(({ state }) => state),
      ["completed", "completed"],
    );
  });

  test("the statement adds up line by line, and posted + pending never passes granted", async () => {
    const { granted, lines, pending, posted } = await account("alice");
    let [sumGranted, sumPosted, sumPending] = [0, 0, 0];
    for (const line of lines.toSorted((a, b) => a.at - b.at)) {
      if (line.kind === "grant") sumGranted += line.amount;
      if (line.kind === "reserve" || line.kind === "extend") sumPending += line.amount;
      if (line.kind === "release") sumPending -= line.amount;
      if (line.kind === "post") [sumPosted, sumPending] = [sumPosted + line.amount, sumPending - line.amount];
      assert.ok(line.posted + line.pending <= line.granted, JSON.stringify(line));
    }
    assert.deepEqual([sumGranted, sumPosted, sumPending], [granted, posted, pending]);
    assert.deepEqual([granted, pending], [11_000, 0]);
  });

  test("the same sweep again: every trial from the record, no token, under 3 s", async () => {
    const before = await account("alice");
    const again = mesh.ok("alice", "sweep", "run", mesh.file(paid), "--json");
    const { summary, trials } = sweep((await within(answeredMs, "the answer", again)).out);
    assert.deepEqual([summary.state, summary.counts.reused, summary.spent], ["done", 2, 0]);
    assert.ok(
      trials.every(({ attempts, reusedFrom }) => attempts.length === 0 && reusedFrom?.startsWith("s1-")),
    );
    const after = await account("alice");
    assert.deepEqual([after.posted, after.lines], [before.posted, before.lines]);
  });

  test("an alias moves with each sweep and back by a rollback, which says who, when and from where; lineage goes back to the data", async () => {
    mesh.cli.write("tastes.txt", labelledLines());
    const trained = (seed: number) =>
      mesh.cli.write(
        `tastes-${seed}.yaml`,
        `name: tastes-${seed}
task: text-classification
dataset: {name: tastes, format: labelled-lines, train: tastes.txt}
search: {method: random, trials: 1, seed: ${seed}}
stopping: {policy: none, max: 3}
models: {linear: {lr: {distribution: uniform, min: 0.2, max: 0.5}, bucketBits: 12}}
register: {model: tastes, alias: champion, move: always}
`,
      );
    const digests: (string | undefined)[] = [];
    for (const seed of [1, 2]) {
      const { out } = await mesh.ok("one", "sweep", "run", trained(seed), "--json");
      const { dataset, summary } = sweep(out);
      assert.deepEqual(summary.registered, { model: "tastes", version: seed, alias: "champion" });
      digests.push(dataset?.digest);
    }
    assert.equal(digests[0], digests[1]);
    await mesh.ok("one", "model", "promote", "tastes@1", "stable", "--why", "known for long");
    const rolledFrom = Date.now();
    const said = await mesh.ok("one", "model", "rollback", "tastes", "champion", "--why", "too sour");
    assert.match(said.out, /^tastes@champion went back from version 2 to 1, by owner at \d\d:\d\d:\d\d\n$/);
    const rolledTo = Date.now();

    const shown = await mesh.ok("one", "model", "show", "tastes", "--json");
    const { aliases, ledger } = modelView.parse(JSON.parse(shown.out));
    assert.deepEqual(
      aliases.toSorted((a, b) => a.alias.localeCompare(b.alias)),
      [
        { alias: "champion", version: 1 },
        { alias: "stable", version: 1 },
      ],
    );
    const moves = ledger.toSorted((a, b) => a.at - b.at);
    assert.deepEqual(
      moves.map(({ alias, from, kind, to, who, why }) => ({
        alias,
        from,
        kind,
        to,
        who,
        why: kind === "register" ? "" : why,
      })),
      [
        { alias: "champion", from: null, kind: "register", to: 1, who: "owner", why: "" },
        { alias: "champion", from: 1, kind: "register", to: 2, who: "owner", why: "" },
        { alias: "stable", from: null, kind: "promote", to: 1, who: "owner", why: "known for long" },
        { alias: "champion", from: 2, kind: "rollback", to: 1, who: "owner", why: "too sour" },
      ],
    );
    const at = moves.at(-1)?.at ?? 0;
    assert.ok(at >= rolledFrom && at <= rolledTo);

    const { out } = await mesh.ok("one", "model", "lineage", "tastes@champion", "--json");
    const lineage = lineageView.parse(JSON.parse(out));
    const { version } = lineage;
    assert.equal(version.dataset?.digest, digests[0]);
    assert.deepEqual(
      [version.version, version.sweep, version.trial, version.agent, version.model, version.requester],
      [1, lineage.sweep.sweep, lineage.trial.trial, "one", "linear", "owner"],
    );
    assert.equal(version.backend, lineage.trial.attempts[0]?.backend);
    assert.equal(lineage.sweep.name, "tastes-1");
    assert.ok((version.metrics["accuracy"] ?? 0) > 0.9, JSON.stringify(version.metrics));
  });

  test("REG-3: one ledger rolled back twice and once more: coordinator, command line and terminal interface go to the same versions", async () => {
    const { client } = mesh;
    const places = { coordinator: "by-command", cli: "by-cli", tui: "by-tui" } as const;
    // Where the rule before this went forward again: after 2 the alias would have come back to 1.
    for (const version of [2, 1, 2])
      for (const alias of Object.values(places))
        valueOf(await client.command("model-promote", { model: "tastes", version, alias }));
    const pointed = async (alias: string) => {
      const { aliases } = valueOf(await client.query("model", { model: "tastes" }));
      return aliases.find((each) => each.alias === alias)?.version;
    };
    const body = { model: "tastes", alias: places.coordinator };
    valueOf(await client.command("model-rollback", body));
    const end = await client.command("model-rollback", body);
    const refused = (alias: string) =>
      `tastes@${alias} is version 1, and there is nothing left to go back to; \`trialmesh model promote tastes@VERSION ${alias}\` points it elsewhere`;
    assert.equal(end.ok ? "" : end.refusal.message, refused(places.coordinator));

    const said = await mesh.ok("one", "model", "rollback", "tastes", places.cli);
    assert.match(said.err, /^tastes@1: by-cli pointed to version 1 before owner promoted version 2$/m);
    assert.equal(
      await mesh.refused("one", "model", "rollback", "tastes", places.cli),
      `trialmesh: ${refused(places.cli)}`,
    );

    const store = openScreen(client);
    const text = () => store.frame().lines.map(lineText).join("\n");
    const shows = (what: RegExp) => until(`the screen to show ${what}`, async () => what.exec(text()));
    try {
      await shows(/tastes@/u);
      store.press("b");
      await shows(/Roll \S+ back to tastes@1/u);
      for (let key = 0; key < 5 && !text().includes(`Roll ${places.tui} back`); key++) store.press("right");
      await shows(/by-tui: tastes@2 -> tastes@1/u);
      await shows(/by-tui pointed to version 1 before owner promoted version 2/u);
      store.press("y");
      await shows(/by-tui is back at tastes@1/u);
      store.press("b");
      await shows(/there is nothing left to go back to/u);
    } finally {
      store.stop();
    }
    for (const alias of Object.values(places)) assert.equal(await pointed(alias), 1, alias);

    const { version, why } = valueOf(
      await client.query("resolve", { of: "version", model: "tastes", version: "best" }),
    );
    if (version === 1)
      valueOf(await client.command("model-promote", { model: "tastes", version: 2, alias: places.cli }));
    const best = await mesh.ok(
      "one",
      "model",
      "promote",
      "tastes",
      places.cli,
      "--best",
      "--why",
      "measured",
    );
    assert.ok(best.err.includes(`tastes@${version}: ${why}`), best.err);
    assert.equal(await pointed(places.cli), version);
  });

  test("a requester may neither grant nor invite, a viewer may not run a sweep, and each is told so", async () => {
    await mesh.ok("vera", ...(await mesh.invite("viewer", "vera")));
    await mesh.ok("vera", "sweep", "ls");
    const [ran, granted, invited] = await Promise.all([
      mesh.refused("vera", "sweep", "run", mesh.file({ ...paid, name: "vain", seed: 9 })),
      mesh.refused("alice", "budget", "grant", "alice", "1000"),
      mesh.refused("alice", "invite", "agent", "mole"),
    ]);
    assert.match(ran, /^trialmesh: viewer vera may look and change nothing; ask the mesh's owner for/);
    assert.equal(granted, "trialmesh: budget-grant needs the role owner; alice is a requester");
    assert.match(invited, /^trialmesh: \S+alice joined a mesh made elsewhere and holds no keys to it; /);
    assert.equal((await account("alice")).granted, 11_000);
  });

  test("a credential of another mesh, a cut invitation, a damaged file, a home of another version: one sentence each", async () => {
    const bare = valueOf(saveHome(mesh.homePath("foreign"), "mesh", mesh.url));
    const { certificate } = authorityOf(valueOf(ensureIdentity(bare)).operator, "mesh");
    const nowS = Math.floor(Date.now() / 1000);
    // The foreign mesh's server is not there to be told, and that of this mesh is never told.
    const foreign = { ...bare, url: "nats://127.0.0.1:9" };
    const forge = async (name: string, tls: Home["tls"]) =>
      valueOf(await makeInvite({ ...foreign, tls }, { role: "agent", name, nowS, url: mesh.url })).code;
    const named = await forge("named", { kind: "mesh", authority: certificate, mesh: "mesh" });
    // Of somebody who knows this mesh's pin, which is no secret.
    const forged = await forge("forged", valueOf(openHome(mesh.homePath(LiveMesh.home))).tls);
    const creds = join(mesh.homePath("alice"), "creds", "requester.alice.creds");
    const whole = readFileSync(creds, "utf8");
    writeFileSync(creds, whole.slice(0, 100));
    const [elsewhere, stranger, cut, damaged] = await Promise.all([
      mesh.refused("named", "agent", "--join", named),
      mesh.refused("forged", "agent", "--join", forged),
      mesh.refused("cut", "agent", "--join", forged.replace(/-..@/, "@")),
      mesh.refused("alice", "sweep", "ls"),
    ]);
    assert.match(elsewhere, /^trialmesh: this is not the mesh that the line names: what answers at nats:/);
    assert.match(
      stranger,
      /^trialmesh: the mesh at nats:\S+ knows no such invitation: it is to another mesh, or ended long ago; ask/,
    );
    assert.match(
      cut,
      /^trialmesh: the invitation's code is cut short: it has 44 letters and digits instead of 46; paste what/,
    );
    assert.match(damaged, /^trialmesh: \S+requester\.alice\.creds is not a credential of trialmesh; ask for/);
    writeFileSync(creds, whole);

    const file = join(mesh.homePath("alice"), "mesh.json");
    const home = z.looseObject({}).parse(JSON.parse(readFileSync(file, "utf8")));
    writeFileSync(file, JSON.stringify({ ...home, version: 7 }));
    const other = /^trialmesh: \S+alice is a home of version 7 and this trialmesh keeps version 2; use/;
    for (const said of await Promise.all([mesh.refused("alice", "sweep", "ls"), mesh.refused("alice", "up")]))
      assert.match(said, other);
    writeFileSync(file, JSON.stringify(home));
    await mesh.ok("alice", "sweep", "ls");
  });

  test("the journal, replayed from outside, holds every rule at every event", async () => {
    const { outcomes, state, violations } = await mesh.audit();
    assert.deepEqual(violations, []);
    assert.deepEqual([...outcomes.keys()].toSorted(), [...state.trials.keys()].toSorted());
    assert.equal(state.accounts.get("alice")?.granted, 11_000);
  });
});
