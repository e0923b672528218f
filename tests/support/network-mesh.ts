/** A mesh of real processes, each home of it on a machine with a network of its own (`network-space.ts`). */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { CliMesh, type CliProcess } from "./cli-mesh.ts";
import { skipWithoutNats } from "./nats-server.ts";
import { NetworkSpace } from "./network-space.ts";
import type { CliResult } from "./run-cli.ts";

export const serverHome = "server";
const serverPort = 4222;

export class NetworkMesh {
  readonly cli = new CliMesh();
  readonly network: NetworkSpace;

  /** For a test's `skip`. */
  static missing(): string | false {
    return skipWithoutNats === false ? NetworkSpace.missing() : skipWithoutNats;
  }

  /** One list of homes for each bridge; the one called `server` has the mesh's server. */
  constructor(...bridges: readonly (readonly string[])[]) {
    this.network = NetworkSpace.open(...bridges);
    for (const home of bridges.flat()) this.cli.within.set(home, this.network.on(home));
  }

  /** A command that must succeed, where that home is. */
  async run(home: string, ...command: readonly string[]): Promise<CliResult> {
    const ran = await this.cli.runProcess(home, ...command);
    assert.equal(ran.code, 0, `${command.join(" ")}: ${ran.err}`);
    return ran;
  }

  async up(listen: string, ...flags: readonly string[]): Promise<CliProcess> {
    const up = this.cli.start(serverHome, "up", "--listen", `${listen}:${serverPort}`, ...flags);
    await up.saidLine(/is up at/);
    return up;
  }

  /** The line to join with from that bridge. */
  async invite(role: string, name: string, bridge = 0): Promise<string> {
    const url = `nats://${this.network.address(serverHome, bridge)}:${serverPort}`;
    const { out } = await this.run(serverHome, "invite", role, name, "--url", url);
    return /(tm\S+@\S+)/.exec(out)?.[1] ?? assert.fail(out);
  }

  /** An agent in a home of its name, once it has its certificate. */
  async joined(name: string, bridge = 0, ...flags: readonly string[]): Promise<CliProcess> {
    const line = await this.invite("agent", name, bridge);
    const agent = this.cli.start(
      name,
      "agent",
      "--join",
      line,
      "--programs",
      "any",
      "--slots",
      "1",
      ...flags,
    );
    await agent.saidLine(/lends 1 slots/);
    await agent.saidLine(/has one until/);
    return agent;
  }

  /** Whether something answers there, where that home is: the server's port is taken for it, and refusals count. */
  reaches(home: string, address: string): boolean {
    const script = `require("node:net").connect({ host: ${JSON.stringify(address)}, port: ${serverPort} })
      .on("connect", () => process.exit(0)).on("error", ({ code }) => process.exit(code === "ECONNREFUSED" ? 0 : 1))`;
    const [program, ...words] = [...this.network.on(home), process.execPath, "-e", script];
    return spawnSync(program, words, { timeout: 5_000 }).status === 0;
  }

  async close(): Promise<void> {
    await this.cli.close();
    this.network.close();
  }
}

/** The ports on which something listens where that process is. */
export function listeningPorts(pid: number): readonly number[] {
  const listens = "0A";
  return readFileSync(`/proc/${pid}/net/tcp`, "utf8")
    .split("\n")
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields[3] === listens)
    .map((fields) => Number.parseInt(fields[1]?.split(":")[1] ?? "", 16));
}
