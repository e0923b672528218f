/** A server that somebody else runs, with TLS by its name: who signs for it is this machine's to know, or given by a file. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { randomBytes } from "node:crypto";
import { createOperator } from "@nats-io/nkeys";
import { after, before, describe, test } from "node:test";
import { authorityOf, issueForServer } from "../../mesh/certificate/authority.ts";
import { newTlsKey } from "../../mesh/certificate/own-key.ts";
import { holderName } from "../../mesh/certificate/server-name.ts";
import { connectServer } from "../../mesh/connect-server.ts";
import { codeOf, codeSecretBytes } from "../../mesh/invitation-code.ts";
import { inviteLine } from "../../mesh/invite-line.ts";
import type { ServerTrust } from "../../mesh/server-trust.ts";
import { serverLife } from "../../protocol/certificate/certificate-life.ts";
import { skipWithoutNats, TestNatsServer } from "../support/nats-server.ts";
import { runHere } from "../support/run-cli.ts";
import { valueOf } from "./own-mesh.ts";

const signer = authorityOf(createOperator(), "signer");
const dayMs = 86_400_000;
const options = { name: "test", inboxPrefix: "_INBOX.test" };

describe("a server of one's own, at tls://", { skip: skipWithoutNats }, () => {
  const folder = mkdtempSync(join(tmpdir(), "trialmesh-tls-"));
  const servers: TestNatsServer[] = [];
  const key = newTlsKey();
  /** With a certificate for these names, as of `ageMs` ago. */
  async function serverFor(names: readonly string[], ageMs = 0): Promise<string> {
    const terms = { publicKey: key.publicKey, nowMs: Date.now() - ageMs, life: serverLife };
    const certificate = issueForServer(signer, names.flatMap(holderName), terms);
    const [keyFile, file] = [join(folder, "key.pem"), join(folder, `${servers.length}.pem`)];
    writeFileSync(keyFile, key.pem, { mode: 0o600 });
    writeFileSync(file, certificate);
    const server = await TestNatsServer.start(
      `tls { cert_file: ${JSON.stringify(file)}, key_file: ${JSON.stringify(keyFile)} }`,
    );
    servers.push(server);
    return `tls://127.0.0.1:${server.port}`;
  }
  const connects = async (url: string, tls: ServerTrust | null): Promise<string> => {
    try {
      const bus = await connectServer({ url, tls }, options);
      await bus.close();
      return "connected";
    } catch (error) {
      return error instanceof Error ? error.message : "";
    }
  };
  let named = "";
  before(async () => {
    named = await serverFor(["127.0.0.1", "localhost"]);
  });
  after(async () => {
    for (const server of servers) await server.stop();
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  });
  const ca = signer.certificate;

  test("TLS-4: it is believed by whom the file names", async () => {
    assert.equal(await connects(named, { kind: "named", ca }), "connected");
  });

  test("TLS-2: one that nobody here signs for, of another name, or of another time is refused with the reason", async () => {
    const other = authorityOf(createOperator(), "other").certificate;
    const unknown = /does not believe the certificate of the server at tls:\S+: \S/;
    assert.match(await connects(named, { kind: "named", ca: null }), unknown);
    assert.match(await connects(named, { kind: "named", ca: other }), unknown);
    const elsewhere = await serverFor(["nats.example.org"]);
    assert.match(await connects(elsewhere, { kind: "named", ca }), unknown);
    const late = await serverFor(["127.0.0.1"], serverLife.lifeMs + dayMs);
    assert.match(
      await connects(late, { kind: "named", ca }),
      /cert has expired \(it counts from .* and here it is 20/,
    );
    const early = await serverFor(["127.0.0.1"], -dayMs);
    assert.match(await connects(early, { kind: "named", ca }), /cert not yet valid \(it counts from/);
  });

  test("TLS-5: whoever joins as it starts believes whom --ca names, and without --join it says nothing", async () => {
    const file = join(folder, "signer.pem");
    writeFileSync(file, ca, { mode: 0o600 });
    const code = codeOf(randomBytes(codeSecretBytes));
    const line = valueOf(inviteLine(code, named));
    for (const part of ["agent", "coordinator"]) {
      const run = (...words: readonly string[]) =>
        runHere([part, ...words], { ...process.env, TRIALMESH_HOME: join(folder, `home-${part}`) });
      const unknown = await run("--join", line);
      assert.equal(unknown.code, 1);
      assert.match(unknown.err, /does not believe the certificate .*; give .* with `--ca FILE`/);
      // That server knows of no mesh: it is asked, and has nothing to say.
      const asked = await run("--join", line, "--ca", file);
      assert.equal(asked.code, 1);
      assert.doesNotMatch(asked.err, /certificate/);
      assert.match((await run("--ca", file)).err, /--ca says whom to believe .* together with --join/);
      assert.match((await run("--join", line, "--ca", join(folder, "none.pem"))).err, /none\.pem/);
      const noCertificate = join(folder, "key.pem");
      assert.match((await run("--join", line, "--ca", noCertificate)).err, /holds no certificate in PEM/);
    }
  });

  test("TLS-4: a server without TLS is not spoken to where TLS was asked for", async () => {
    const plain = await TestNatsServer.start();
    servers.push(plain);
    const url = `tls://127.0.0.1:${plain.port}`;
    assert.match(await connects(url, { kind: "named", ca }), /speaks without TLS/);
    assert.equal(await connects(`nats://127.0.0.1:${plain.port}`, null), "connected");
  });
});
