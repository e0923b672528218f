/**
 * Records what an agent of the version before says to a coordinator of this one: `node dist/tests/golden/make-agent-record.js`. Run by
 * hand, once for a version that becomes the one before; needs the project's history (`previous-version.ts`).
 */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { encodeUser, fmtCreds } from "@nats-io/jwt";
import { createUser } from "@nats-io/nkeys";
import { connect, credsAuthenticator, type Authenticator } from "@nats-io/transport-node";
import { openHome, type Home } from "../../mesh/home.ts";
import { ensureIdentity } from "../../mesh/identity.ts";
import { fromBytes } from "../../protocol/json-bytes.ts";
import { subjectsOf } from "../../protocol/subjects.ts";
import { joiningWords, LiveMesh, valueOf } from "../support/live-mesh.ts";
import { previousVersion } from "../support/previous-version.ts";
import { agentRecordFile, recordedAgent, recordedSweeps, type AgentMessage } from "./agent-record.ts";

const sweepText = ({ max, milliseconds, name, trials }: (typeof recordedSweeps)[number]) => `name: ${name}
task: noop
search: {method: random, trials: ${trials}, seed: 1}
stopping: {policy: none, max: ${max}}
models:
  noop: {x: {distribution: uniform, min: 0, max: 1}, milliseconds: ${milliseconds}}
`;

async function make(): Promise<void> {
  const previous = previousVersion();
  assert.ok(previous.kind === "built", previous.kind === "missing" ? previous.why : "");
  const mesh = new LiveMesh();
  const record: AgentMessage[] = [];
  try {
    const old = await mesh.upOf(previous.main, "--port", "0", "--no-agent");
    const invited = await mesh.okOf(previous.main, LiveMesh.home, "invite", "agent", recordedAgent);
    await old.end();
    await mesh.up("--no-agent");
    const home = valueOf(openHome(mesh.homePath(LiveMesh.home)));
    // Not the mesh's own bus, which hands on nothing with headers: the inbox is a stream, and its messages have some.
    const connection = await connect({ servers: home.url, authenticator: await listener(home) });
    const subjects = subjectsOf(home.mesh);
    const listen = (on: AgentMessage["on"], subject: string) =>
      connection.subscribe(subject, {
        callback: (error, { data }) => {
          assert.equal(error, null);
          record.push({ on, body: fromBytes(data) as AgentMessage["body"] });
        },
      });
    listen("hello", subjects.register(recordedAgent));
    listen("presence", subjects.heartbeat(recordedAgent));
    listen("inbox", subjects.inbox(recordedAgent));
    await connection.flush();
    mesh.startOf(previous.main, recordedAgent, ...joiningWords(invited), "--slots", "1");
    await mesh.agentThat(recordedAgent, ({ state }) => state === "present");
    const [ends, stopped] = recordedSweeps;
    await mesh.ended(await submit(mesh, ends));
    const sweep = await submit(mesh, stopped);
    await mesh.trialThat(sweep, "a checkpoint", ({ resource }) => resource > 1);
    valueOf(await mesh.client.command("sweep-stop", { sweep, why: "recorded" }));
    await mesh.ended(sweep);
    await connection.close();
  } finally {
    await mesh.close();
  }
  writeFileSync(agentRecordFile, record.map((message) => `${JSON.stringify(message)}\n`).join(""));
  process.stdout.write(`${record.length} messages in ${agentRecordFile}\n`);
}

/** A user who hears all that coordinators hear, and what only their streams do. */
async function listener(home: Home): Promise<Authenticator> {
  const identity = valueOf(ensureIdentity(home));
  const pair = createUser();
  const token = await encodeUser("listener", pair, identity.meshAccount, {}, { signer: identity.signing });
  return credsAuthenticator(fmtCreds(token, pair));
}

async function submit(mesh: LiveMesh, sweep: (typeof recordedSweeps)[number]): Promise<string> {
  const file = mesh.cli.write(`${sweep.name}.yaml`, sweepText(sweep));
  const { out } = await mesh.ok(LiveMesh.home, "sweep", "run", file, "--detach");
  return out.trim();
}

await make();
