/**
 * A mesh of its own for one live test: a temporary home, real keys and a real nats-server on a free
 * loopback port. Not a test. The server's binary comes from TRIALMESH_NATS_SERVER.
 */
import { credsAuthenticator, connect, type NatsConnection } from "@nats-io/transport-node";
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Outcome } from "../../protocol/refusal.ts";
import { mintCredential, type Credential } from "../../mesh/credential.ts";
import { saveHome, type Home } from "../../mesh/home.ts";
import { ensureIdentity } from "../../mesh/identity.ts";
import { pushAccounts } from "../../mesh/push-account.ts";
import { startServer, type RunningServer } from "../../mesh/server-process.ts";
import type { ServerTls } from "../../mesh/server-certificate.ts";
import { accountOf } from "../../mesh/trust.ts";

export const serverBinary = process.env["TRIALMESH_NATS_SERVER"];
/** For the `skip` of a test: false where a server is there, else why not. */
export const withoutServer = serverBinary === undefined ? "TRIALMESH_NATS_SERVER is not set" : false;

export const nowS = (): number => Math.floor(Date.now() / 1000);

export function valueOf<T>(outcome: Outcome<T>): T {
  if (!outcome.ok) assert.fail(`refused: ${outcome.refusal.message}`);
  return outcome.value;
}

export function messageOf(outcome: Outcome<unknown>): string {
  if (outcome.ok) assert.fail("expected a refusal");
  return outcome.refusal.message;
}

export interface OwnMesh {
  readonly home: Home;
  readonly server: () => RunningServer;
  readonly restart: () => Promise<void>;
  readonly close: () => Promise<void>;
}

export function temporaryFolder(): { path: string; remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), "trialmesh-test-"));
  return { path, remove: () => rmSync(path, { recursive: true, force: true, maxRetries: 5 }) };
}

/** `certify`: what the server shows, asked before each start; without it it speaks without TLS, which starts faster. */
export async function openOwnMesh(
  mesh: string,
  certify: (home: Home) => ServerTls | null = () => null,
): Promise<OwnMesh> {
  assert.ok(serverBinary !== undefined);
  const binary = serverBinary;
  const folder = temporaryFolder();
  const path = join(folder.path, "home");
  const draft = valueOf(saveHome(path, mesh, "nats://127.0.0.1:4222"));
  let server = valueOf(await startServer({ home: draft, binary, port: 0, tls: certify(draft) }));
  const home = valueOf(saveHome(path, mesh, server.url, server.tls));
  return {
    home,
    server: () => server,
    restart: async () => {
      await server.stop();
      server = valueOf(await startServer({ home, binary, port: server.port, tls: certify(home) }));
    },
    close: async () => {
      await server.stop();
      folder.remove();
    },
  };
}

/** A credential outside the records, of which the server is told: for roles whose issuing is not what the test is about. */
export async function minted(home: Home, role: Credential["role"], name: string): Promise<Credential> {
  const identity = valueOf(ensureIdentity(home));
  const account = await accountOf(identity, home.mesh, { role, name, revoked: [] }, []);
  if (role !== "coordinator") valueOf(await pushAccounts(home, identity, [account], nowS()));
  return mintCredential(identity, home.mesh, role, name);
}

export function connectAs(home: Home, credential: Credential, reconnect = false): Promise<NatsConnection> {
  return connect({
    servers: home.url,
    authenticator: credsAuthenticator(new TextEncoder().encode(credential.creds)),
    inboxPrefix: credential.inboxPrefix,
    timeout: 60_000,
    reconnect,
    reconnectTimeWait: 100,
    maxReconnectAttempts: -1,
  });
}
