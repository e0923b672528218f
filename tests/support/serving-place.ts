/** A server of stand-in models on a free port of loopback, with what a test asks it. */
import assert from "node:assert/strict";
import { connect, type Socket } from "node:net";
import type { Lane as LaneClass } from "../../serving/batch/lane.ts";
import { Lane } from "../../serving/batch/lane.ts";
import type { ServedModel } from "../../serving/model/served-model.ts";
import { describeModel } from "../../serving/protocol/described-model.ts";
import { connectionLimits, type ConnectionLimits } from "../../serving/server/connection-limit.ts";
import type { CallerKeys } from "../../serving/server/caller-key.ts";
import { ModelTable } from "../../serving/server/model-table.ts";
import { openServingDoor, type ServingDoor } from "../../serving/server/serving-door.ts";

interface PlaceOptions {
  readonly models: readonly ServedModel[];
  readonly limits?: Partial<ConnectionLimits>;
  readonly keys?: CallerKeys | null;
  readonly onFault?: (fault: unknown) => void;
}

export function laneFor(model: ServedModel, onFault: (fault: unknown) => void = () => undefined): LaneClass {
  return new Lane(describeModel(model), {
    now: () => performance.now(),
    defer: (run) => void setImmediate(run),
    onFault,
  });
}

export class ServingPlace {
  readonly table: ModelTable;
  readonly door: ServingDoor;
  readonly url: string;

  private constructor(table: ModelTable, door: ServingDoor) {
    this.table = table;
    this.door = door;
    this.url = door.url;
  }

  static async open({ keys = null, limits, models, onFault }: PlaceOptions): Promise<ServingPlace> {
    const table = new ModelTable(() => 0.5);
    for (const model of models) void table.put(`${model.model}@${model.version}`, laneFor(model, onFault));
    let count = 0;
    const door = await openServingDoor({
      ...{ table, keys, tls: null, address: { host: "127.0.0.1", port: 0 } },
      now: () => performance.now(),
      newId: () => String(++count),
      limits: { ...connectionLimits, ...limits },
    });
    assert.ok(door.ok, door.ok ? "" : door.refusal.message);
    return new ServingPlace(table, door.value);
  }

  /** Its status, headers and body as JSON; null where it is none. */
  async ask(path: string, body?: unknown, headers: Record<string, string> = {}) {
    const sent =
      body === undefined
        ? {}
        : {
            method: "POST",
            body: typeof body === "string" || Buffer.isBuffer(body) ? body : JSON.stringify(body),
          };
    const answer = await fetch(this.url + path, { ...sent, headers });
    const text = await answer.text();
    return { status: answer.status, headers: answer.headers, text, json: parsed(text) };
  }

  /** Whatever is written to a bare socket, and all that comes back until its end. */
  async say(write: (socket: Socket) => void): Promise<string> {
    const socket = this.socket();
    let heard = "";
    socket.setEncoding("latin1").on("data", (text: string) => (heard += text));
    await new Promise<void>((resolve) => {
      socket.on("close", () => resolve());
      socket.on("error", () => undefined);
      write(socket);
    });
    return heard;
  }

  socket(): Socket {
    return connect(Number(new URL(this.url).port), "127.0.0.1");
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
