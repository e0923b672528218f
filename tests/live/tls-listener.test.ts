/**
 * Whoever listens on the way reads nothing: tcpdump takes all that goes over loopback to and from a mesh's server while a sweep runs, and none of its
 * names, metrics and rows is in it. The same is heard of a mesh without TLS, so that it is known that tcpdump would hear it.
 */
import assert from "node:assert/strict";
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { CliMesh } from "../support/cli-mesh.ts";
import { skipWithoutNats } from "../support/nats-server.ts";
import { until } from "../support/until.ts";

const timeout = 170_000;
const sweepName = "unheard-sweep";
const metric = "whisperscore";
const rowText = "nobody-hears-this-row";
const words = [sweepName, metric, rowText, "listened-mesh", "tower-agent", "tm.v1", "CONNECT", "PUB "];

function missing(): string | false {
  if (skipWithoutNats !== false) return skipWithoutNats;
  // A capture of no packets: whether it is there, and may.
  const tried = spawnSync("tcpdump", ["-i", "lo", "-c", "1", "-w", "/dev/null", "dst", "port", "9"], {
    timeout: 1_000,
    encoding: "utf8",
  });
  if (tried.error !== undefined && "code" in tried.error && tried.error.code === "ENOENT")
    return "tcpdump is not installed: whether anything can be read on the way is NOT tested";
  return /permission|not permitted|No such device/i.test(tried.stderr)
    ? `tcpdump may not listen on loopback: whether anything can be read on the way is NOT tested (${tried.stderr.trim()})`
    : false;
}

async function heard(tls: "on" | "off"): Promise<string> {
  const mesh = new CliMesh();
  let dump: ChildProcess | null = null;
  try {
    const up = mesh.start("one", "up", "--port", "0", "--no-agent", "--mesh", "listened-mesh", "--tls", tls);
    const port = await up.saidLine(/is up at nats:\/\/127\.0\.0\.1:(\d+)/);
    const file = join(mesh.folder, "heard.pcap");
    dump = spawn("tcpdump", ["-i", "lo", "-U", "-s", "0", "-w", file, "tcp", "port", port], {
      stdio: ["ignore", "ignore", "pipe"],
    });
    let said = "";
    dump.stderr?.on("data", (bytes: Buffer) => (said += bytes.toString("utf8")));
    await until("tcpdump to listen", () => /listening on/.test(said) || null);
    const invited = await mesh.run("one", "invite", "agent", "tower-agent");
    const line = /--join (\S+)/.exec(invited.out)?.[1] ?? assert.fail(invited.out);
    const agent = mesh.start("two", "agent", "--join", line, "--programs", "any", "--slots", "1");
    await agent.saidLine(/lends 1 slots/);
    mesh.write("rows.txt", `${rowText}\n`);
    mesh.write("train.sh", `cat rows.txt\necho "${metric}=0.5"\n`);
    const sweep = mesh.write(
      "sweep.yaml",
      `name: ${sweepName}
command: [sh, train.sh]
files: [train.sh, rows.txt]
objective: { metric: ${metric}, goal: maximize }
parameters: { x: { distribution: uniform, min: 0, max: 1 } }
search: { trials: 1 }
`,
    );
    const ran = await mesh.run("one", "sweep", "run", sweep);
    assert.equal(ran.code, 0, ran.err);
    const logs = await mesh.run("one", "trial", "logs", "s1-1");
    assert.match(logs.out, new RegExp(rowText), "the row was on the way");
    dump.kill("SIGINT");
    if (dump.exitCode === null) await once(dump, "exit");
    return readFileSync(file, "latin1");
  } finally {
    dump?.kill("SIGKILL");
    await mesh.close();
  }
}

const skip = missing();
if (skip !== false) console.error(`SKIPPED: ${skip}`);

test("TLS-4: nothing of a sweep can be read on the way", { skip, timeout }, async () => {
  const text = await heard("on");
  assert.ok(text.length > 20_000, `only ${text.length} bytes were heard`);
  assert.deepEqual(
    words.filter((word) => text.includes(word)),
    [],
  );
});

test(
  "TLS-4: of a mesh without TLS all of it can be read, so the listener would have heard it",
  { skip, timeout },
  async () => {
    const text = await heard("off");
    assert.deepEqual(
      words.filter((word) => !text.includes(word)),
      [],
    );
  },
);
