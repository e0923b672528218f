/**
 * The text of a nats-server configuration for one mesh. Plain text in, plain text out: it starts
 * nothing and reads nothing. Operator mode throughout, so that no one connects without a credential.
 */
import { atLeast, type ServerVersion } from "./server-version.ts";

export interface AccountToken {
  readonly publicKey: string;
  /** Signed by the operator. */
  readonly token: string;
}

/** Whom a server trusts: with this in its configuration it serves the mesh and nobody else. */
export interface Trust {
  readonly operatorToken: string;
  readonly systemAccount: AccountToken;
  /** The others: the mesh's, one for each of its users but the coordinators, and those of invitations. */
  readonly accounts: readonly AccountToken[];
  /** Where the server keeps account tokens it was sent while running. */
  readonly accountsFolder: string;
}

export interface ServerConfig extends Trust {
  readonly version: ServerVersion;
  readonly serverName: string;
  readonly host: string;
  readonly port: number;
  readonly storeFolder: string;
  /** Whether an acknowledged write is on the disk. */
  readonly flushEach: boolean;
  readonly logFile: string;
  readonly pidFile: string;
  /** Null: without TLS. */
  readonly tls: { readonly certificateFile: string; readonly keyFile: string } | null;
}

/**
 * TLS begins before the server says anything: what it says by itself names no mesh, and still nobody reads it. A server that waits a moment and then
 * speaks would take a slow client for one that knows of no such thing.
 */
const handshakeFirst = true;
/** For a handshake, and for the credential a second longer; below what a client waits, which hears that it ended. */
const handshakeMaxS = 4;
/** The first that lets a client begin with TLS. */
export const firstWithTls: ServerVersion = [2, 10, 4];
/** `sync_interval` came with 2.10; an older server refuses a configuration that names it. */
const firstWithSyncInterval: ServerVersion = [2, 10, 0];

/** The server reads JSON strings; paths with quotes or spaces stay whole. */
function text(value: string): string {
  return JSON.stringify(value);
}

export function trustText(trust: Trust): string {
  return `operator: ${trust.operatorToken}
system_account: ${trust.systemAccount.publicKey}
resolver: {
  type: full
  dir: ${text(trust.accountsFolder)}
  allow_delete: false
  interval: "2m"
}
resolver_preload: {
${[trust.systemAccount, ...trust.accounts].map(({ publicKey, token }) => `  ${publicKey}: ${token}`).join("\n")}
}
`;
}

function tlsText({
  certificateFile,
  keyFile,
}: {
  readonly certificateFile: string;
  readonly keyFile: string;
}): string {
  return `tls: {
  cert_file: ${text(certificateFile)}
  key_file: ${text(keyFile)}
  min_version: "1.3"
  handshake_first: ${handshakeFirst}
  timeout: ${handshakeMaxS}
}
`;
}

export function serverConfigText(config: ServerConfig): string {
  const durable = config.flushEach && atLeast(config.version, firstWithSyncInterval);
  return `# Written by trialmesh at every start: changes made here are lost.
server_name: ${text(config.serverName)}
host: ${text(config.host)}
port: ${config.port}
log_file: ${text(config.logFile)}
pid_file: ${text(config.pidFile)}

${config.tls === null ? "" : tlsText(config.tls)}${trustText(config)}
jetstream: {
  store_dir: ${text(config.storeFolder)}
${durable ? "  # An acknowledged write is on the disk.\n  sync_interval: always\n" : ""}}
`;
}
