/** A gateway before replicas of this process, which a test starts, kills and makes stand still; no mesh. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { Agent, request } from "node:http";
import { connect } from "node:net";
import type { KnownDeployment } from "../../gateway/deployment/deployment-table.ts";
import { openGateway, type Gateway, type GatewayOptions } from "../../gateway/open-gateway.ts";
import { accept, refuse } from "../../protocol/refusal.ts";
import { systemClock } from "../../protocol/time/system-clock.ts";
import { secretBytes } from "../../serving/server/knock.ts";
import { knock } from "../../serving/server/knock.ts";
import { ModelTable } from "../../serving/server/model-table.ts";
import { openServingDoor, type ServingDoor } from "../../serving/server/serving-door.ts";
import { laneFor } from "./serving-place.ts";
import { textModel } from "./stand-in-model.ts";

type Replica = KnownDeployment["replicas"][number];

interface Running {
  readonly replica: Replica;
  readonly door: ServingDoor;
  readonly secret: Buffer;
  readonly sockets: Set<{ destroy(): void }>;
  readonly table: ModelTable;
}

export class GatewayPlace {
  readonly running = new Map<number, Running>();
  /** How often the gateway has asked which replicas there are. */
  asked = 0;
  state: KnownDeployment["state"] = "running";
  /** Whether the coordinator's word is late: then what it said last is said again. */
  isStale = false;
  gateway: Gateway | null = null;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 64 });
  #said: readonly KnownDeployment[] = [];
  #fence = 0;
  #count = 0;

  async open(options: Partial<GatewayOptions> = {}): Promise<void> {
    const opened = await openGateway(
      {
        ask: () => {
          this.asked++;
          if (!this.isStale) this.#said = [this.#view()];
          return Promise.resolve(accept(this.#said));
        },
        connect: async (_agent, fence) => {
          const running = this.running.get(fence);
          if (running === undefined) return refuse("unavailable", "it is gone");
          const socket = await knock(running.door.port, running.secret);
          if (!socket.ok) return socket;
          socket.value.resume();
          running.sockets.add(socket.value);
          return socket;
        },
        close: () => Promise.resolve(),
      },
      {
        ...{
          address: { host: "127.0.0.1", port: 0 },
          keys: null,
          tls: null,
          clock: systemClock,
          draw: Math.random,
        },
        ...options,
      },
    );
    assert.ok(opened.ok, opened.ok ? "" : opened.refusal.message);
    this.gateway = opened.value;
  }

  get url(): string {
    assert.ok(this.gateway !== null);
    return this.gateway.url;
  }

  /** Its fence. */
  async start(version = 7, isAsync = false, wait?: () => Promise<void>): Promise<number> {
    const fence = ++this.#fence;
    const table = new ModelTable(Math.random, "live");
    await table.put(
      "incumbent",
      laneFor(textModel({ version, isAsync, ...(wait === undefined ? {} : { wait }) })),
    );
    const secret = randomBytes(secretBytes);
    const door = await openServingDoor({
      ...{ table, keys: null, tls: null, address: { host: "127.0.0.1", port: 0 }, secret },
      now: () => performance.now(),
      newId: () => String(++this.#count),
    });
    assert.ok(door.ok);
    const replica: Replica = {
      ...{ trial: `d-${fence}`, agent: `box-${fence}`, fence, state: "ready", revision: 1 },
      ...{ requests: 0, failed: 0, since: 0, trouble: null },
    };
    this.running.set(fence, { replica, door: door.value, secret, sockets: new Set(), table });
    return fence;
  }

  /** As a process that is killed: every connection breaks, whatever was on it. */
  kill(fence: number): void {
    const running = this.running.get(fence);
    assert.ok(running !== undefined);
    this.running.delete(fence);
    for (const socket of running.sockets) socket.destroy();
    void running.door.drain(0);
  }

  ask(path: string, body?: unknown, headers: Record<string, string> = {}): Promise<GatewayAnswer> {
    const { hostname, port } = new URL(this.url);
    const method = body === undefined ? "GET" : "POST";
    return new Promise((resolve, reject) => {
      const sent = request({ agent: this.#agent, hostname, port, path, method, headers }, (response) => {
        const parts: Buffer[] = [];
        response.on("data", (part: Buffer) => parts.push(part));
        response.on("error", reject);
        response.on("end", () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            bytes: Buffer.concat(parts),
            text: Buffer.concat(parts).toString("utf8"),
          }),
        );
      });
      sent.on("error", reject);
      if (body === undefined) sent.end();
      else sent.end(typeof body === "string" || Buffer.isBuffer(body) ? body : JSON.stringify(body));
    });
  }

  /** A bare connection. */
  socket() {
    const { hostname, port } = new URL(this.url);
    return connect(Number(port), hostname);
  }

  async close(): Promise<void> {
    this.#agent.destroy();
    await this.gateway?.drain(0);
    for (const { door } of this.running.values()) await door.drain(0);
  }

  #view(): KnownDeployment {
    return {
      ...{ deployment: "live", requester: "anna", state: this.state, why: null },
      versions: [
        {
          ...{ role: "incumbent", share: 1, model: "trec", version: 7, artifact: "0".repeat(64) },
          ...{ task: "text-classification", dataset: null },
        },
      ],
      replicas: [...this.running.values()].map(({ replica }) => replica),
    };
  }
}

export interface GatewayAnswer {
  readonly status: number;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly bytes: Buffer;
  readonly text: string;
}
