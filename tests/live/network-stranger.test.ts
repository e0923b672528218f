/**
 * PEER-3, PEER-4, REV-1 over a network: whoever comes to an agent's door, or the server's, with a certificate of another mesh, one that has expired,
 * or as somebody who was revoked, is turned away with the reason; a transfer that runs is cut off. A server's own expired certificate:
 * `tls-server.test.ts`.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createOperator } from "@nats-io/nkeys";
import { after, before, describe, test } from "node:test";
import { authorityOf, issueForUser, type Authority } from "../../mesh/certificate/authority.ts";
import { newTlsKey } from "../../mesh/certificate/own-key.ts";
import { loadCredential, type Credential } from "../../mesh/credential.ts";
import { openHome } from "../../mesh/home.ts";
import { ensureIdentity } from "../../mesh/identity.ts";
import { ensureAuthority } from "../../mesh/server-certificate.ts";
import { userLife } from "../../protocol/certificate/certificate-life.ts";
import type { CliProcess } from "../support/cli-mesh.ts";
import { listeningPorts, NetworkMesh, serverHome } from "../support/network-mesh.ts";
import { strangerOrder } from "../support/stranger-order.ts";
import { until, within } from "../support/until.ts";
import { valueOf } from "./own-mesh.ts";

const skip = NetworkMesh.missing();
if (skip !== false)
  console.error(`SKIPPED: whether strangers are turned away over a network is NOT tested: ${skip}`);

const meshName = "fenced";
const megabytes = 24;
/** MiB a second that the agent gives: what is cut off is in its middle. */
const rate = 2;
const cutMs = 2_000;
const dayMs = 86_400_000;

describe("strangers at the doors of a mesh", { skip }, () => {
  let mesh: NetworkMesh;
  let tower: CliProcess;
  let attic: CliProcess;
  /** In `tower`'s store. */
  let artifact: string;
  let authority: Authority;
  const lost = { home: "lost", agent: "lost" } as const;

  before(async () => {
    mesh = new NetworkMesh([serverHome, "tower", "attic", lost.home]);
    await mesh.up(mesh.network.address(serverHome), "--no-agent", "--mesh", meshName);
    tower = await mesh.joined("tower", 0, "--upload", String(rate));
    attic = await mesh.joined("attic");
    await mesh.run(lost.home, "join", await mesh.invite("agent", lost.agent));
    const home = valueOf(openHome(join(mesh.cli.folder, serverHome)));
    authority = valueOf(ensureAuthority(home, valueOf(ensureIdentity(home))));
    mesh.cli.write("large.txt", text());
    mesh.cli.write("train.sh", "echo score=1\n");
    await mesh.run(serverHome, "sweep", "run", mesh.cli.write("large.yaml", sweepFile("tower")));
    artifact = largestOf(join(mesh.cli.folder, "tower", "artifacts"));
  });
  after(() => mesh.close());

  function certificateOf(by: Authority, { name, publicKey }: Credential, ageMs: number) {
    const key = newTlsKey();
    const terms = { publicKey: key.publicKey, nowMs: Date.now() - ageMs, life: userLife };
    const user = { role: "agent", name, userKey: publicKey } as const;
    return { key: key.pem, certificate: issueForUser(by, user, terms), authority: authority.certificate };
  }

  async function comes(file: string, by: Authority, ageMs = 0) {
    const home = valueOf(openHome(join(mesh.cli.folder, lost.home)));
    const credential = valueOf(await loadCredential(home, "agent", lost.agent));
    const identity = mesh.cli.write(file, JSON.stringify(certificateOf(by, credential, ageMs)));
    const [port = 0] = listeningPorts(tower.pid);
    const host = mesh.network.address("tower");
    const words = strangerOrder({ identity, mesh: meshName, artifact, agent: "tower", host, port });
    const [program = "", ...rest] = [...mesh.network.on(lost.home), process.execPath, ...words];
    const child = spawn(program, rest, { stdio: ["ignore", "pipe", "inherit"] });
    let said = "";
    child.stdout.setEncoding("utf8").on("data", (more: string) => (said += more));
    const ended = new Promise<string>((done) => child.once("close", () => done(said)));
    return { said: () => said, ended, kill: () => child.kill("SIGKILL") };
  }

  test("PEER-3: at an agent's door another mesh's certificate and one that has expired are refused with the reason", async () => {
    const foreign = await comes("foreign.json", authorityOf(createOperator(), meshName));
    assert.match(await foreign.ended, /^refused: .*its certificate was not signed by this mesh/mu);
    const late = await comes("late.json", authority, userLife.lifeMs + dayMs);
    assert.match(
      await late.ended,
      /^refused: .*its certificate has expired, or one of the two clocks is wrong/mu,
    );
  });

  test("PEER-4: whoever is revoked in the middle of a transfer is cut off within 2 s, and not let in again", async () => {
    const taker = await comes("lost.json", authority);
    try {
      await until("some chunks", () => /^[3-9] chunks/mu.test(taker.said()) || null);
      await mesh.run(serverHome, "revoke", lost.agent);
      const line = /connection with "lost" was closed: "lost" is revoked in this mesh/;
      await within(cutMs, "the cut", tower.saidLine(line));
      const said = await taker.ended;
      assert.match(said, /^refused: .*revoked/mu);
      assert.ok(!said.includes(`${megabytes} chunks`), said);
    } finally {
      taker.kill();
    }
    const again = await comes("lost.json", authority);
    assert.match(
      await again.ended,
      /^refused: .*its certificate is revoked, or none of an agent of this mesh/mu,
    );
  });

  test("REV-1, PEER-4: an agent that is revoked while it receives ends within 2 s, by the server", async () => {
    const file = mesh.cli.write("second.yaml", sweepFile("attic"));
    await mesh.run(serverHome, "sweep", "run", file, "--detach");
    const parts = join(mesh.cli.folder, "attic", "artifacts");
    await until(
      "a part of it",
      () => readdirSync(parts, { recursive: true }).some((name) => String(name).includes(artifact)) || null,
    );
    await mesh.run(serverHome, "revoke", "attic");
    await within(cutMs, "its end", attic.saidLine(/the mesh no longer accepts agent attic: /));
    assert.equal(await attic.ended, 1);
    assert.doesNotMatch(attic.said, /MiB from 1 agent/);
  });

  test("TLS-2: the server of another mesh of the same name is not believed, and says nothing of itself", async () => {
    const other = new NetworkMesh([serverHome, "guest"]);
    try {
      await other.up(other.network.address(serverHome), "--no-agent", "--mesh", meshName);
      // A home that joined this mesh, and finds that one at the server's address.
      other.cli.within.set("lost", other.network.on("guest"));
      const home = { TRIALMESH_HOME: join(mesh.cli.folder, lost.home) };
      other.cli.ofHome.set("lost", home);
      const asked = await other.cli.runProcess("lost", "agent");
      assert.equal(asked.code, 1, asked.out);
      assert.match(asked.err, /is not mesh fenced, which this home joined: it has another authority/);
    } finally {
      await other.close();
    }
  });
});

function text(): string {
  const lines: string[] = [];
  const bytes = megabytes * 2 ** 20;
  for (let at = 0; at < bytes; at += 65) lines.push(createHash("sha256").update(String(at)).digest("hex"));
  return `${lines.join("\n").slice(0, bytes - 1)}\n`;
}

/** The name of the largest file there that is called as an artifact is. */
function largestOf(folder: string): string {
  const found = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /^[0-9a-f]{64}$/.test(entry.name))
    .map((entry) => ({ name: entry.name, bytes: readFileSync(join(entry.parentPath, entry.name)).length }))
    .toSorted((one, other) => other.bytes - one.bytes);
  return found[0]?.name ?? assert.fail(`nothing lies in ${folder}`);
}

function sweepFile(agent: string): string {
  return `name: large
command: [sh, train.sh]
files: [train.sh, large.txt]
objective: { metric: score, goal: maximize }
parameters: { x: { distribution: uniform, min: 0, max: 1 } }
search: { trials: 1 }
needs: { agents: { only: [${agent}] } }
`;
}
