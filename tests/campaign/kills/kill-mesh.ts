/**
 * A mesh of real processes on loopback, each machine in a home of its own and behind a way to the server that can be cut:
 * `up` with server and a coordinator, a second coordinator, three agents. What ends is started again, as an owner would. It
 * breaks nothing itself.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { connectMesh, type Connected } from "../../../client/connect/connect-mesh.ts";
import { guardedEnvironment } from "../../../system/own-guard.ts";
import { meshOwner } from "../../../protocol/program.ts";
import type { Environment } from "../../../system/environment.ts";
import { CliProcess } from "../../support/cli-mesh.ts";
import { processesOf } from "../../support/home-process.ts";
import { joiningWords, valueOf } from "../../support/live-mesh.ts";
import { findNatsServer } from "../../support/nats-server.ts";
import { mainFile, runHere } from "../../support/run-cli.ts";
import { until } from "../../support/until.ts";
import { CutProxy } from "./cut-proxy.ts";
import { KeptPart } from "./kept-part.ts";

const leaseMs = 6_000;
/** Of who has joined. */
const joinedSaid = / lends \d+ slots | connected to nats:/;
const slots = 2;
/** Of the small disks on which one agent's home, and the server's, lie. */
const agentDiskMiB = 48;
const serverDiskMiB = 768;

export const agents = ["red", "green", "blue"] as const;
/** Its home lies on a small disk. */
export const smallAgent = "blue";
export const ownHome = "one";
const secondCoordinator = "second";

/** A machine of the mesh: its home, and where it is reached from. */
export interface Machine {
  readonly name: string;
  readonly part: KeptPart;
  /** Null where it needs none: it is the server's own machine. */
  readonly proxy: CutProxy | null;
}

export class KillMesh {
  readonly folder = mkdtempSync(join(tmpdir(), "killed-mesh-"));
  readonly machines: Machine[] = [];
  /** Whether small disks could be made. */
  readonly hasDisks: boolean;
  readonly #mounted: string[] = [];
  /** Words to join with, by the name of who has to be invited anew. */
  readonly #invited = new Map<string, readonly string[]>();
  readonly #people = new Map<string, Connected>();
  #connected: Connected | null = null;
  #connecting: Promise<Connected> | null = null;
  #port = 0;

  /** Also where this process is told to end in the middle. */
  readonly #clear = (): void => {
    for (const pid of this.processes()) kill(pid);
    for (const place of this.#mounted.splice(0)) spawnSync("umount", ["-l", place]);
  };

  constructor() {
    process.once("exit", this.#clear);
    process.once("SIGTERM", exit);
    process.once("SIGINT", exit);
    for (const name of [ownHome, secondCoordinator, ...agents]) {
      mkdirSync(this.homePath(name));
      writeFileSync(this.clockFile(name), "0");
    }
    this.hasDisks =
      this.#mount(this.homePath(smallAgent), agentDiskMiB) &&
      this.#mount(this.homePath(ownHome), serverDiskMiB);
  }

  homePath(name: string): string {
    return join(this.folder, name);
  }

  /** How far that machine's wall clock is off, ms, as text. */
  clockFile(name: string): string {
    return join(this.folder, `${name}.clock`);
  }

  /** Where this process is killed, nothing of the mesh stays behind. */
  environment(name: string): Environment {
    const clock = new URL("./stepped-clock.js", import.meta.url).href;
    return guardedEnvironment({
      ...process.env,
      CI: "1",
      NODE_OPTIONS: `--import ${clock}`,
      TRIALMESH_TEST_CLOCK: this.clockFile(name),
      TRIALMESH_HOME: this.homePath(name),
      TRIALMESH_NATS_SERVER: findNatsServer(),
      TRIALMESH_LEASE_MS: String(leaseMs),
    });
  }

  async open(): Promise<void> {
    const up = () =>
      this.start(
        ownHome,
        "up",
        "--name",
        ownHome,
        "--no-agent",
        ...(this.#port === 0 ? ["--port", "0"] : []),
      );
    this.machines.push({ name: ownHome, part: new KeptPart(ownHome, up), proxy: null });
    await this.serving();
    const { url } = valueOf(await connectMesh(this.environment(ownHome))).home;
    this.#port = Number(new URL(url).port);
    await this.#join("coordinator", secondCoordinator, ["coordinator", "--name", secondCoordinator]);
    const flags = ["--slots", String(slots), "--programs", "any"];
    for (const name of agents) await this.#join("agent", name, ["agent", "--name", name, ...flags]);
    await this.whole();
  }

  /** Everybody is there. */
  async whole(): Promise<void> {
    await until("three agents, and everybody's process", async (note) => {
      const mesh = await (await this.owner()).client.query("mesh", {});
      if (!mesh.ok) return null;
      note(mesh.value.agents.map(({ agent, state }) => [agent, state]));
      const present = mesh.value.agents.filter(({ state }) => state === "present").length;
      return (present === agents.length && this.machines.every(({ part }) => part.pid !== null)) || null;
    });
  }

  start(home: string, ...words: readonly string[]): CliProcess {
    return new CliProcess(words, this.environment(home), mainFile);
  }

  /** As who made the mesh, once it answers; connected from this process. */
  async owner(): Promise<Connected> {
    if (this.#connected !== null && this.#connected.client.status() !== "closed") return this.#connected;
    // One for all who ask meanwhile: another would stay open.
    this.#connecting ??= this.#connect().finally(() => (this.#connecting = null));
    this.#connected = await this.#connecting;
    return this.#connected;
  }

  /** Somebody who works at the owner's machine; null where nobody lets them in just now. */
  async person(requester: string): Promise<Connected | null> {
    if (requester === meshOwner) return this.owner();
    const known = this.#people.get(requester);
    if (known !== undefined && known.client.status() !== "closed") return known;
    const connected = await connectMesh(this.environment(ownHome), requester);
    if (!connected.ok) return null;
    this.#people.set(requester, connected.value);
    return connected.value;
  }

  async serving(): Promise<void> {
    await until("the mesh to answer", async () => {
      const mesh = await (await this.owner()).client.query("mesh", {});
      return mesh.ok || null;
    });
  }

  machine(name: string): Machine {
    const found = this.machines.find((machine) => machine.name === name);
    if (found === undefined) throw new Error(`no machine ${name}`);
    return found;
  }

  /** Takes its credential back and invites it again; it joins at its next start. False where the mesh could not do so just now. */
  async inviteAgain(role: "agent" | "coordinator", name: string): Promise<boolean> {
    const invited = await runHere(["invite", role, name], this.environment(ownHome));
    if (invited.code !== 0) return false;
    this.#invited.set(name, joiningWords(invited.out));
    return true;
  }

  revoke(name: string): Promise<boolean> {
    return runHere(["revoke", name], this.environment(ownHome)).then(({ code }) => code === 0);
  }

  /** Whether that machine's home still lies on its own small disk: no other is ever to be filled. */
  isOnSmallDisk(name: string): boolean {
    return statSync(this.homePath(name)).dev !== statSync(this.folder).dev;
  }

  /** Every process of the mesh but those of this one. */
  processes(): readonly number[] {
    return processesOf(this.folder);
  }

  async close(keep: boolean): Promise<void> {
    for (const { client } of this.#people.values()) await client.close();
    await this.#connected?.client.close();
    for (const { proxy } of this.machines) proxy?.close();
    if (keep) for (const place of this.#mounted) spawnSync("cp", ["-a", place, `${place}-kept`]);
    this.#clear();
    for (const [event, run] of [
      ["exit", this.#clear],
      ["SIGTERM", exit],
      ["SIGINT", exit],
    ] as const)
      process.off(event, run);
    if (!keep) rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }

  async #join(role: "agent" | "coordinator", name: string, words: readonly string[]): Promise<void> {
    const proxy = await CutProxy.open(() => this.#port);
    await until(`an invitation for ${name}`, async () => (await this.inviteAgain(role, name)) || null);
    let tried: { readonly line: string; readonly by: CliProcess } | null = null;
    const start = (): CliProcess => {
      // The same line until it has worked: who joins may be killed, or find nobody there.
      const line = this.#invited.get(name)?.at(-1);
      const isSpent = line !== undefined && tried?.line === line && joinedSaid.test(tried.by.said);
      const joining =
        line === undefined || isSpent ? [] : ["--join", line.replace(/:\d+$/, `:${proxy.port}`)];
      const started = this.start(name, ...words, ...joining);
      if (line !== undefined && !isSpent) tried = { line, by: started };
      return started;
    };
    this.machines.push({ name, part: new KeptPart(name, start), proxy });
  }

  async #connect(): Promise<Connected> {
    for (;;) {
      const connected = await connectMesh(this.environment(ownHome));
      if (connected.ok) return connected.value;
      await sleep(200);
    }
  }

  #mount(place: string, sizeMiB: number): boolean {
    const mounted =
      spawnSync("mount", ["-t", "tmpfs", "-o", `size=${sizeMiB}m`, "tmpfs", place]).status === 0;
    if (mounted) this.#mounted.push(place);
    return mounted;
  }
}

function exit(): never {
  process.exit(1);
}

export function kill(pid: number, signal: NodeJS.Signals = "SIGKILL"): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended already.
  }
}
