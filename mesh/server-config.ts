/**
 * The text of a nats-server configuration for one mesh. Plain text in, plain text out: it starts
 * nothing and reads nothing. Operator mode throughout, so that no one connects without a credential.
 */
import { atLeast, type ServerVersion } from "./server-version.ts";

export interface ServerConfig {
  readonly version: ServerVersion;
  readonly serverName: string;
  readonly host: string;
  readonly port: number;
  readonly operatorToken: string;
  readonly systemAccount: { readonly publicKey: string; readonly token: string };
  readonly meshAccount: { readonly publicKey: string; readonly token: string };
  /** Where the server keeps account tokens it was sent while running. */
  readonly accountsFolder: string;
  readonly storeFolder: string;
  readonly logFile: string;
  readonly pidFile: string;
}

/** `sync_interval` came with 2.10; an older server refuses a configuration that names it. */
const firstWithSyncInterval: ServerVersion = [2, 10, 0];

export function serverConfigText(config: ServerConfig): string {
  const durable = atLeast(config.version, firstWithSyncInterval);
  // The server reads JSON strings; paths with quotes or spaces stay whole.
  const text = (value: string) => JSON.stringify(value);
  return `# Written by trialmesh at every start: changes made here are lost.
server_name: ${text(config.serverName)}
host: ${text(config.host)}
port: ${config.port}
log_file: ${text(config.logFile)}
pid_file: ${text(config.pidFile)}

operator: ${config.operatorToken}
system_account: ${config.systemAccount.publicKey}
resolver: {
  type: full
  dir: ${text(config.accountsFolder)}
  allow_delete: false
  interval: "2m"
}
resolver_preload: {
  ${config.systemAccount.publicKey}: ${config.systemAccount.token}
  ${config.meshAccount.publicKey}: ${config.meshAccount.token}
}

jetstream: {
  store_dir: ${text(config.storeFolder)}
${durable ? "  # An acknowledged write is on the disk.\n  sync_interval: always\n" : ""}}
`;
}
