/**
 * A mesh client without a mesh, for the terminal interface: its answers come from a small world that `advance`
 * moves on, and its connection can be cut and restored. Not a coordinator: it decides nothing right or wrong.
 */
import type { BusStatus } from "../../protocol/bus/bus.ts";
import type { MeshClient } from "../../protocol/client.ts";
import type { AgentView } from "../../protocol/view.ts";
import type { Launcher } from "../../client/sweep/launcher.ts";
import { fakeAnswer } from "./fake-answer.ts";
import { fakeChange } from "./fake-change.ts";
import { fakeLauncher } from "./fake-launcher.ts";
import { FakeWorld } from "./fake-world.ts";

export interface FakeMesh {
  readonly client: MeshClient;
  readonly launcher: Launcher;
  /** Every command and launch sent, in order. */
  readonly sent: readonly { readonly name: string; readonly body: unknown }[];
  /** Names of the queries asked so far. */
  readonly asked: readonly string[];
  /** Largest number of requests for the same thing that were under way at once. */
  readonly overlapMax: () => number;
  /** Lets the running sweeps finish one more trial each, and time go on by a second. */
  readonly advance: () => void;
  /** What an agent says of itself from now on, beside what it runs. */
  changeAgent(agent: string, rest: Partial<AgentView>): void;
  setStatus(status: BusStatus): void;
  /** While true no query is answered. */
  setSilent(silent: boolean): void;
}

export function openFakeMesh(): FakeMesh {
  const world = new FakeWorld();
  const connection = new FakeConnection(world);
  const { asked, sent } = connection;
  return {
    client: clientOf(connection),
    launcher: fakeLauncher(world, (draft) => sent.push({ name: "launch", body: draft })),
    sent,
    asked,
    overlapMax: () => connection.overlapMax,
    advance: () => world.advance(),
    changeAgent: (agent, rest) => {
      world.changes.set(agent, { ...world.changes.get(agent), ...rest });
    },
    setStatus: (next) => connection.setStatus(next),
    setSilent: (next) => connection.setSilent(next),
  };
}

/** A plain object: tests make others of it by replacing a part. */
function clientOf(connection: FakeConnection): MeshClient {
  return {
    mesh: "home",
    who: "ada",
    role: "owner",
    query: (name, body) => connection.query(name, body),
    command: (name, body) => connection.command(name, body),
    status: () => connection.status(),
    onStatus: (listener) => connection.onStatus(listener),
    close: () => Promise.resolve(),
  };
}

class FakeConnection {
  readonly sent: { name: string; body: unknown }[] = [];
  readonly asked: string[] = [];
  /** Requests for the same thing that were under way at once, at most. */
  overlapMax = 0;
  readonly #world: FakeWorld;
  readonly #listeners = new Set<(status: never) => void>();
  readonly #underWay = new Map<string, number>();
  #status: BusStatus = "connected";
  #silent = false;
  #waiting: (() => void)[] = [];

  constructor(world: FakeWorld) {
    this.#world = world;
  }

  async query(name: Parameters<MeshClient["query"]>[0], body: object) {
    const key = `${name} ${JSON.stringify(body)}`;
    this.asked.push(name);
    this.#underWay.set(key, (this.#underWay.get(key) ?? 0) + 1);
    this.overlapMax = Math.max(this.overlapMax, this.#underWay.get(key) ?? 0);
    await this.#answering();
    this.#underWay.set(key, (this.#underWay.get(key) ?? 1) - 1);
    return fakeAnswer(this.#world, name, { ...body }) as never;
  }

  async command(name: Parameters<MeshClient["command"]>[0], body: object) {
    this.sent.push({ name, body });
    await this.#answering();
    return fakeChange(this.#world, name, { ...body }) as never;
  }

  status(): BusStatus {
    return this.#status;
  }

  onStatus(listener: (status: never) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  setStatus(next: BusStatus): void {
    this.#status = next;
    // Whoever listens asks `status()`; what a listener is handed is not part of this fake.
    for (const listener of this.#listeners) listener(next as never);
    if (next === "connected") this.#wake();
  }

  setSilent(next: boolean): void {
    this.#silent = next;
    if (!next) this.#wake();
  }

  async #answering(): Promise<void> {
    while (this.#silent || this.#status !== "connected")
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    await new Promise<void>((resolve) => setImmediate(resolve));
  }

  #wake(): void {
    const all = this.#waiting;
    this.#waiting = [];
    for (const each of all) each();
  }
}
