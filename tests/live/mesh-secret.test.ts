/** SECRET-1, SECRET-2, SECRET-3, SECRET-4 on a whole mesh: a program gets a secret, and no file of the mesh, no stream, no log and no process list has it. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { CliMesh } from "../support/cli-mesh.ts";
import { skipWithoutNats } from "../support/nats-server.ts";
import { mainFile } from "../support/run-cli.ts";

const mesh = new CliMesh();
after(() => mesh.close());
const value = `s3cret/${process.pid}+${"Zq".repeat(9)}=end`;

/** A command that is given this on its standard input. */
function given(text: string, ...words: readonly string[]): Promise<{ code: number | null; said: string }> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [mainFile, ...words], { env: mesh.environment("home") });
    let said = "";
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding("utf8").on("data", (part: string) => (said += part));
    child.stdin.end(text);
    child.once("close", (code) => resolve({ code, said }));
  });
}

/** Files below it in which one of these stands. */
function filesWith(folder: string, forms: readonly Buffer[]): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return filesWith(path, forms);
    if (!entry.isFile()) return [];
    const bytes = readFileSync(path);
    return forms.some((form) => bytes.includes(form)) ? [path] : [];
  });
}

describe("secrets of programs on a mesh", { skip: skipWithoutNats }, () => {
  test("set from standard input, given as a variable, masked wherever it is said, and found nowhere", async () => {
    mesh.write(
      "print.sh",
      `printf 'it is %s\\n' "$TOKEN"; echo "twice $TOKEN$TOKEN"; printf %s "$TOKEN" | base64 -w0; echo
case "$TOKEN" in s3cret/*=end) echo score=1;; *) echo score=0;; esac
[ "$FAIL" = yes ] && { echo "Error: bad $TOKEN" >&2; exit 3; }
true
`,
    );
    const sweep = (name: string, fail: string, secret: string) =>
      mesh.write(
        `${name}.yaml`,
        `name: ${name}
command: [sh, print.sh]
files: [print.sh]
secrets: [${secret}]
environment: { FAIL: "${fail}" }
objective: { metric: score, goal: maximize }
search: { trials: 1 }
parameters: { x: { distribution: uniform, min: 0, max: 1 } }
`,
      );
    const up = mesh.start("home", "up", "--port", "0", "--slots", "1");
    await up.saidLine(/agent .* lends/);
    const missing = await mesh.run("home", "sweep", "run", sweep("missing", "no", "TOKEN"));
    assert.match(
      missing.err,
      /field secrets: there is no secret TOKEN here; `trialmesh secret set TOKEN` makes it/,
    );
    assert.notEqual(missing.code, 0);
    const set = await given(`${value}\n`, "secret", "set", "TOKEN");
    assert.equal(set.code, 0, set.said);
    assert.ok(!set.said.includes(value));
    assert.match((await mesh.run("home", "secret", "ls")).out, /TOKEN/);

    const good = await mesh.run("home", "sweep", "run", sweep("good", "no", "TOKEN"));
    assert.equal(good.code, 0, good.err + good.out);
    const bad = await mesh.run("home", "sweep", "run", sweep("bad", "yes", "TOKEN"));
    const said = [good, bad];
    for (const trial of ["s1-1", "s2-1"]) {
      said.push(
        await mesh.run("home", "trial", "logs", trial),
        await mesh.run("home", "trial", "show", trial),
      );
    }
    const text = said.map(({ err, out }) => out + err).join("\n");
    assert.match(text, /it is \*\*\*/);
    assert.match(text, /twice \*\*\*\*\*\*/);
    assert.match(text, /bad \*\*\*/);
    assert.match(JSON.stringify(said[2]), /score=1/, "the program had the very value");

    const forms = [value, Buffer.from(value).toString("base64"), Buffer.from(value).toString("hex")];
    assert.deepEqual(
      forms.filter((form) => text.includes(form)),
      [],
    );
    const buffers = forms.map((form) => Buffer.from(form));
    assert.deepEqual(filesWith(mesh.folder, buffers), []);
    await up.end();
    assert.deepEqual(filesWith(mesh.folder, buffers), [], "nor once it is down");
    assert.ok(!up.said.includes(value));
  });
});
