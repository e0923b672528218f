// A nats-server of the test's own: loopback, a free port, a temp folder, every write flushed. Ended by its pid.
// Not how the program finds or starts its server.

import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { accessSync, constants, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { freePort, speaks } from "./loopback-port.ts";
import { until } from "./until.ts";

/** Path of a nats-server: TRIALMESH_NATS_SERVER, else the first on PATH; undefined where there is none. */
export function findNatsServer(): string | undefined {
  const named = process.env["TRIALMESH_NATS_SERVER"];
  if (named !== undefined && named !== "") return named;
  for (const folder of (process.env["PATH"] ?? "").split(delimiter)) {
    const path = join(folder, "nats-server");
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // not in this folder
    }
  }
  return undefined;
}

/** What to give a test as `skip`: false where a server is at hand, else why the test is skipped. */
export const skipWithoutNats: string | false =
  findNatsServer() === undefined ? "no nats-server on PATH and TRIALMESH_NATS_SERVER is not set" : false;

export class TestNatsServer {
  readonly port: number;
  readonly folder: string;
  readonly #binary: string;
  #process: ChildProcess | undefined;

  private constructor(binary: string, port: number, folder: string) {
    this.#binary = binary;
    this.port = port;
    this.folder = folder;
  }

  /** `extraConfig` is appended to the server's configuration (authorization, resolver...). */
  static async start(extraConfig = ""): Promise<TestNatsServer> {
    const binary = findNatsServer();
    if (binary === undefined) throw new Error("no nats-server found");
    const folder = mkdtempSync(join(tmpdir(), "trialmesh-nats-"));
    const server = new TestNatsServer(binary, await freePort(), folder);
    server.#writeConfig(extraConfig);
    await server.#run();
    return server;
  }

  get url(): string {
    return `nats://127.0.0.1:${this.port}`;
  }

  get configPath(): string {
    return join(this.folder, "server.conf");
  }

  /** As by a power cut of the process: nothing is flushed, no client is told. */
  async kill9(): Promise<void> {
    await this.#end("SIGKILL");
  }

  /** Starts the server again, on the same port and the same store. */
  async restart(): Promise<void> {
    await this.#end("SIGTERM");
    await this.#run();
  }

  /** Gives the running server another `extraConfig`. */
  reload(extraConfig: string): void {
    this.#writeConfig(extraConfig);
    this.#process?.kill("SIGHUP");
  }

  async stop(): Promise<void> {
    await this.#end("SIGTERM");
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }

  #writeConfig(extraConfig: string): void {
    const config = `
listen: "127.0.0.1:${this.port}"
jetstream { store_dir: ${JSON.stringify(join(this.folder, "jetstream"))}, sync_interval: always }
${extraConfig}
`;
    writeFileSync(this.configPath, config);
  }

  async #run(): Promise<void> {
    const child = spawn(this.#binary, ["-c", this.configPath, "-l", join(this.folder, "server.log")], {
      stdio: "ignore",
    });
    this.#process = child;
    await until("nats-server to start", async () => {
      if (child.exitCode !== null)
        throw new Error(`nats-server ended with ${child.exitCode}; see ${this.folder}/server.log`);
      return (await speaks(this.port)) || null;
    });
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "exit");
    child.kill(signal);
    await ended;
  }
}
