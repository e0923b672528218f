/** The registry by the command line, on a live mesh whose models a shell script makes: registered, shown, compared, described, removed, fetched. */
import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import * as z from "zod";
import { modelView } from "../../protocol/view.ts";
import { LiveMesh } from "../support/live-mesh.ts";
import { skipWithoutNats } from "../support/nats-server.ts";

/** Saves under another name first, as programs should; the folder is there, and is the one that its environment names. */
const script = `set -e
test "$TRIALMESH_CHECKPOINT_DIR" -ef out/model
for epoch in 1 2; do
  echo "weights $1 $epoch" > out/model/half && mv out/model/half out/model/weights.txt
  mkdir -p out/model/meta && echo "{}" > out/model/meta/about.json
  echo "accuracy=0.$1"
  sleep 0.1
done
`;

describe("the registry of what programs made", { skip: skipWithoutNats }, () => {
  const mesh = new LiveMesh(6_000);
  before(async () => {
    await mesh.up("--port", "0", "--slots", "2", "--programs", "any");
    await mesh.ok("one", "budget", "grant", "owner", "1000");
  });
  after(() => mesh.close());

  const ok = async (...words: string[]) => (await mesh.ok("one", ...words)).out;

  /** Its best trial prints 0.BEST. */
  async function sweep(name: string, best: number, register: string): Promise<string> {
    const folder = join(mesh.cli.folder, name);
    mkdirSync(join(folder, "out", "model"), { recursive: true });
    writeFileSync(join(folder, "train.sh"), script);
    // Of an earlier run here: it is no part of the program, and of no model.
    writeFileSync(join(folder, "out", "model", "old.txt"), "old");
    const file = join(folder, "sweep.yaml");
    writeFileSync(
      file,
      `name: ${name}
command: [sh, train.sh, "\${parameter:digit}"]
output: out/model/
register: ${register}
objective: { metric: accuracy, goal: maximize, keep: last }
search: { method: grid, trials: 2 }
parameters: { digit: [${best - 1}, ${best}] }
`,
    );
    const { all } = await mesh.ok("one", "sweep", "run", file).then(({ err, out }) => ({ all: out + err }));
    return all;
  }

  test("PROG-43, REG-6: what the best trial left in its output folder is registered, whole, and a worse one moves no alias", async () => {
    assert.match(
      await sweep("first", 6, "{ model: digits, alias: champion }"),
      /out\/model\/, its output folder, stays behind/,
    );
    const poor = await sweep("poor", 3, "{ model: digits, alias: champion }");
    assert.match(poor, /registered: digits@2; digits@champion stays at version 1, for its accuracy of 0\.6/);
    await sweep("short", 8, "digits");
    const view = modelView.parse(JSON.parse(await ok("model", "show", "digits", "--json")));
    assert.deepEqual(
      view.versions.map(({ params, value }) => [params["digit"], value]),
      [
        [6, 0.6],
        [3, 0.3],
        [8, 0.8],
      ],
    );
    assert.deepEqual(view.aliases, [{ alias: "champion", version: 1 }]);
    const out = join(mesh.cli.folder, "fetched");
    assert.match(await ok("artifact", "get", "digits@champion", "--out", out), /is a folder of 2 files/);
    assert.deepEqual(readdirSync(out, { recursive: true }).map(String).toSorted(), [
      "meta",
      join("meta", "about.json"),
      "weights.txt",
    ]);
    assert.equal(readFileSync(join(out, "weights.txt"), "utf8"), "weights 6 2\n");
  });

  test("PROG-43: a program that comes to its end without an output has failed, with a sentence, and nothing is registered", async () => {
    const folder = join(mesh.cli.folder, "empty");
    mkdirSync(folder);
    writeFileSync(join(folder, "train.sh"), 'echo "accuracy=0.9"');
    const file = join(folder, "sweep.yaml");
    writeFileSync(
      file,
      "name: empty\ncommand: [sh, train.sh]\noutput: model\nregister: nothing\nobjective: { metric: accuracy }\nsearch: { method: grid, trials: 1 }\nparameters: { digit: [1] }\n",
    );
    const { all } = await mesh.cli
      .run("one", "sweep", "run", file)
      .then(({ err, out }) => ({ all: out + err }));
    assert.match(all, /left nothing in its output folder model: it is empty/);
    assert.match(await mesh.refused("one", "model", "show", "nothing"), /there is no model nothing/);
  });

  test("REG-7: two versions beside each other; a version is promoted once its files are seen", async () => {
    const promoted = await mesh.ok("one", "model", "promote", "digits@3", "champion");
    assert.match(
      promoted.err,
      /digits@3 answers: it holds 2 files of its program: meta\/about\.json, weights\.txt/,
    );
    const diff = await ok("model", "diff", "digits@1", "digits@champion");
    assert.match(diff, /^accuracy +0\.6 +0\.8 +\+0\.2 +better$/m);
    assert.match(diff, /^digit +6 +8$/m);
    const parsed: unknown = JSON.parse(await ok("model", "diff", "digits@1", "digits@3", "--json"));
    assert.partialDeepStrictEqual(parsed, { same: false, parameters: [{ name: "digit", from: 6, to: 8 }] });
  });

  test("a program's model is asked by its program alone, which predict says", async () => {
    const said = await mesh.refused("one", "predict", "digits@1", "--text", "7");
    assert.match(
      said,
      /digits@1 is what a program left and cannot be served: it holds no model of a format that is served .*serve:/,
    );
  });

  test("TAG-1: tags and notes are shown, listed and asked for", async () => {
    assert.equal(await ok("model", "tag", "digits", "+prod", "+tiny"), "digits is tagged prod, tiny\n");
    assert.equal(await ok("model", "tag", "digits@champion", "+audited"), "digits@3 is tagged audited\n");
    await ok("model", "describe", "digits@1", "first try");
    const shown = await ok("model", "show", "digits");
    assert.match(shown, /^tags +prod tiny$/m);
    assert.match(shown, /^digits@1 .* first try$/m);
    assert.match(shown, /^digits@3 +champion .* audited$/m);
    assert.match(await ok("model", "ls", "--where", "tag=prod"), /^digits +3 /m);
    assert.match(
      await ok("model", "show", "digits", "--where", "accuracy>0.5", "--sort", "-accuracy"),
      /digits@3[^]*digits@1/,
    );
    assert.doesNotMatch(await ok("model", "show", "digits", "--where", "accuracy>0.5"), /digits@2 +-/);
    const one = await ok("model", "show", "digits@1");
    assert.match(one, /^note +first try$/m);
    assert.match(
      one,
      /^takes +not known here: digits@1 is what a program left and cannot be served: it holds no model/m,
    );
  });

  test("REMOVE-3, REMOVE-4: a version is removed, named first, restored, also over a coordinator's end", async () => {
    const dry = await ok("model", "rm", "digits@3", "--dry");
    assert.match(
      dry,
      /would be removed; on it stands alias champion, which points to version 3, so it takes `--force`/,
    );
    assert.match(await mesh.refused("one", "model", "rm", "digits@3"), /on digits@3 stands alias champion/);
    await ok("model", "rm", "digits@3", "--force", "--why", "wrong digits");
    const dead = mesh.partPid("coordinator");
    process.kill(dead, "SIGKILL");
    await mesh.startedAgain("coordinator", dead);
    await mesh.coordinatorConnected();
    assert.match(await ok("model", "show", "digits"), /champion points to digits@3, which is removed/);
    assert.match(await ok("model", "show", "digits", "--all"), /^digits@3 .*by owner .*: wrong digits$/m);
    assert.match(await mesh.refused("one", "artifact", "get", "digits@champion"), /digits@champion/);
    assert.match(
      await mesh.refused("one", "model", "promote", "digits@3", "stable"),
      /digits@3 was removed by owner/,
    );
    assert.match(await ok("model", "restore", "digits@3"), /digits@3 is on record again/);
    await ok("model", "rm", "digits", "--force");
    assert.match(await ok("model", "ls"), /no model is registered/);
    assert.match(await ok("model", "ls", "--all"), /^digits +0 /m);
    assert.match(await ok("model", "restore", "digits"), /digits@1, digits@2, digits@3 are on record again/);
    const { violations } = await mesh.audit();
    assert.deepEqual(violations, []);
  });

  test("REMOVE-5: what still needs the bytes of a removed version is said, itself first", async () => {
    await ok("model", "rm", "digits@2");
    const { artifact } = z
      .object({ version: z.object({ artifact: z.string() }) })
      .parse(JSON.parse(await ok("model", "lineage", "digits@2", "--json"))).version;
    const why = await ok("gc", "--why", artifact);
    assert.match(why, /the bytes of digits@2, which was removed and can be restored/);
    assert.match(why, /the checkpoint of s2-2, one of the best of its sweep/);
    assert.match(await ok("model", "lineage", "digits@2"), /^removed +by owner/m);
  });
});
