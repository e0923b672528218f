/**
 * TLS-10: whoever listens on the way between the machines of a mesh reads nothing. Server, two agents and a person have networks of their own, joined
 * by a bridge on which tcpdump takes all that passes, while a data set is built and swept, agents have it from each other, and a person
 * follows that. The same is heard in the clear, so that it is known that tcpdump would hear it. One machine alone: `tls-listener.test.ts`.
 */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { NetworkMesh, serverHome } from "../support/network-mesh.ts";
import type { NetworkSpace } from "../support/network-space.ts";
import { until } from "../support/until.ts";

const agents = ["quarrel-tower", "quarrel-attic"] as const;
const [first, second] = agents;
const person = "murmur-ada";
const column = "whispercolumn";
const metric = "whisperscore";
const rowText = "nobody-hears-this-row";
const fileText = "nobody-hears-this-file";
/** `s1-1` alone stands in random bytes now and then. */
const trial = '"s1-1"';
const words = [
  ...agents,
  ...[person, column, metric, rowText, fileText, trial],
  ...["unheard-set", "unheard-sweep", "unheard-program", "hush-mesh", "tm.v1", "CONNECT {", "PUB tm"],
];
const rows = 30_000;
const fileBytes = 3 * 2 ** 20;

const isDumped = spawnSync("tcpdump", ["--version"]).error === undefined;
const skip = isDumped ? NetworkMesh.missing() : "tcpdump is not installed";
if (skip !== false)
  console.error(`SKIPPED: whether anything of a mesh can be read on the way is NOT tested: ${skip}`);

describe("a mesh over a network on which somebody listens", { skip }, () => {
  let mesh: NetworkMesh;
  before(() => {
    mesh = new NetworkMesh([serverHome, ...agents, "person"]);
  });
  after(() => mesh.close());

  /** All that passes over the bridge while `talk` runs. */
  async function heardWhile(name: string, talk: () => Promise<void>): Promise<string> {
    const file = join(mesh.cli.folder, `${name}.pcap`);
    const dump = ["tcpdump", "-i", mesh.network.bridge(0), "-U", "-s", "0", "-B", "65536", "-w", file];
    const [program = "", ...rest] = [...mesh.network.besideBridges(), ...dump];
    const listener = spawn(program, rest, { stdio: ["ignore", "ignore", "pipe"] });
    try {
      let said = "";
      listener.stderr.on("data", (bytes: Buffer) => (said += bytes.toString("utf8")));
      await until("tcpdump to listen", () => /listening on/.test(said) || null);
      await talk();
      listener.kill("SIGINT");
      if (listener.exitCode === null) await once(listener, "exit");
      assert.match(said, /\b0 packets dropped by kernel/, said);
      return readFileSync(file, "latin1");
    } finally {
      listener.kill("SIGKILL");
    }
  }

  test("TLS-10: rows, columns, metrics and names of a sweep cannot be read on the way", async () => {
    const { cli } = mesh;
    cli.write("set.csv", csv());
    cli.write("rows.txt", `${fileText}\n`.repeat(Math.ceil(fileBytes / (fileText.length + 1))));
    cli.write("train.sh", `head -1 rows.txt\necho "${metric}=0.5"\n`);
    const set = cli.write("set.yaml", datasetFile);
    const heard = await heardWhile("heard", async () => {
      await mesh.up(mesh.network.address(serverHome), "--no-agent", "--mesh", "hush-mesh");
      const machines = [await mesh.joined(first), await mesh.joined(second)] as const;
      await mesh.run(serverHome, "account", "open", person, "--grant", "100000");
      await mesh.run("person", "join", await mesh.invite("requester", person));
      await mesh.run("person", "dataset", "add", set);
      // One after the other, so that the second has from the first what the first had from the store.
      for (const [index, agent] of agents.entries()) {
        const sweep = cli.write(`sweep-${index}.yaml`, sweepFile(agent));
        await mesh.run("person", "sweep", "run", sweep);
        const program = cli.write(`program-${index}.yaml`, programFile(agent));
        await mesh.run("person", "sweep", "run", program);
      }
      const logs = await mesh.run("person", "trial", "logs", "s3-1");
      assert.match(logs.out, new RegExp(fileText), "a row was on the way to the person");
      await mesh.run("person", "artifact", "get", "unheard-set@1", "--out", join(cli.folder, "got.parquet"));
      assert.match(machines[1].said, new RegExp(`MiB from 1 agent: ${first}$`, "mu"), machines[1].said);
    });
    assert.ok(heard.length > 3 * fileBytes, `only ${heard.length} bytes were heard`);
    assert.deepEqual(
      words.filter((word) => heard.includes(word)),
      [],
    );
  });

  test("TLS-10: what is said in the clear there can be read, so the listener would have heard it", async () => {
    const file = mesh.cli.write("all.txt", [...words, csv()].join("\n"));
    const heard = await heardWhile("clear", () => sendPlain(mesh.network, file));
    assert.deepEqual(
      words.filter((word) => !heard.includes(word)),
      [],
    );
  });
});

/** A file as it is from one agent's machine to the other's. */
async function sendPlain(network: NetworkSpace, file: string): Promise<void> {
  const listen = `require("node:net").createServer((socket) => socket.resume().on("end", () => process.exit()))
    .listen(7000, () => console.log("listens"))`;
  const send = `require("node:fs").createReadStream(${JSON.stringify(file)})
    .pipe(require("node:net").connect(7000, ${JSON.stringify(network.address(second))}))`;
  const [program, ...rest] = [...network.on(second), process.execPath, "-e", listen];
  const taker = spawn(program, rest, { stdio: ["ignore", "pipe", "ignore"] });
  try {
    await once(taker.stdout, "data");
    const [giver, ...words] = [...network.on(first), process.execPath, "-e", send];
    assert.equal(spawnSync(giver, words).status, 0);
    if (taker.exitCode === null) await once(taker, "exit");
  } finally {
    taker.kill("SIGKILL");
  }
}

/** No two rows alike, and not to be pressed together to nothing. */
function csv(): string {
  let draw = 7;
  const figure = () => (draw = (draw * 48_271) % 2_147_483_647).toString(36);
  const lines = Array.from({ length: rows }, (_, row) => {
    const kind = row % 2 === 0 ? "good" : "bad";
    return `${kind},${kind} ${rowText} ${Array.from({ length: 12 }, figure).join(" ")}`;
  });
  return `class,${column}\n${lines.join("\n")}\n`;
}

const datasetFile = `name: unheard-set
sources: [{ path: set.csv }]
plan: [{ split: { train: 0.8, validation: 0.1, test: 0.1 } }]
text: ${column}
label: class
`;

function sweepFile(agent: string): string {
  return `name: unheard-sweep
task: text-classification
dataset: unheard-set@1
objective: { metric: accuracy }
search: { method: random, trials: 1, seed: 3 }
stopping: { policy: none, max: 1 }
models: { linear: {} }
needs: { agents: { only: [${agent}] } }
reuse: false
`;
}

function programFile(agent: string): string {
  return `name: unheard-program
command: [sh, train.sh]
files: [train.sh, rows.txt]
objective: { metric: ${metric}, goal: maximize }
parameters: { x: { distribution: uniform, min: 0, max: 1 } }
search: { trials: 1 }
needs: { agents: { only: [${agent}] } }
`;
}
