// What the bus suites need of a server and its clients, in memory and for real, behind one face.
// In memory time is virtual: `settle` moves it on until a promise settles; for real it just waits.

import { setTimeout as sleep } from "node:timers/promises";

import type { Bus } from "../../protocol/bus/bus.ts";
import { MemoryHub } from "./bus/memory-hub.ts";
import { connectBus } from "../../protocol/bus/nats-bus.ts";
import { skipWithoutNats, TestNatsServer } from "./nats-server.ts";
import { until, within } from "./until.ts";
import { VirtualClock } from "./virtual-clock.ts";

const settleTimeoutMs = 20_000;
const pollMs = 10;

export interface BusMesh {
  connect(name: string): Promise<Bus>;
  /** Waits for a promise, moving virtual time on where there is one. */
  settle<T>(promise: Promise<T>): Promise<T>;
  /** Waits until the condition holds; throws where it does not for long. */
  until(what: string, condition: () => boolean): Promise<void>;
  pass(ms: number): Promise<void>;
  kill9(): Promise<void>;
  restart(): Promise<void>;
  stop(): Promise<void>;
}

export interface BusWorld {
  readonly name: string;
  readonly skip: string | false;
  start(): Promise<BusMesh>;
}

async function memoryMesh(): Promise<BusMesh> {
  const clock = new VirtualClock();
  const hub = new MemoryHub({ clock, seed: 1, faults: { delayMs: [1, 5] } });
  return {
    connect: async (name) => hub.connect(name),
    settle: (promise) => clock.settle(promise),
    async until(what, condition) {
      for (let waitedMs = 0; !condition(); waitedMs += pollMs) {
        if (waitedMs > settleTimeoutMs) throw new Error(`never happened: ${what}`);
        await clock.advance(pollMs);
      }
    },
    pass: (ms) => clock.advance(ms),
    kill9: async () => hub.stop(),
    restart: async () => hub.start(),
    stop: async () => undefined,
  };
}

async function natsMesh(): Promise<BusMesh> {
  const server = await TestNatsServer.start();
  const clients: Bus[] = [];
  return {
    async connect(name) {
      const bus = await connectBus({ servers: server.url, name, inboxPrefix: `_INBOX_${name}` });
      clients.push(bus);
      return bus;
    },
    settle: (promise) => within(settleTimeoutMs, "to settle", promise),
    until: async (what, condition) => void (await until(what, () => condition() || null)),
    pass: (ms) => sleep(ms),
    kill9: () => server.kill9(),
    restart: () => server.restart(),
    async stop() {
      await Promise.all(clients.map((bus) => bus.close()));
      await server.stop();
    },
  };
}

export const busWorlds: readonly BusWorld[] = [
  { name: "memory", skip: false, start: memoryMesh },
  { name: "nats", skip: skipWithoutNats, start: natsMesh },
];

export function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

export function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
