/**
 * The same bytes through the NATS Object Store, as its own client does it: put by one connection, got by another and written to a
 * file. Plain connections on loopback, a stream on the same disk.
 */
import { createReadStream, createWriteStream } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { connect } from "@nats-io/transport-node";
import { Objm } from "@nats-io/obj";
import { ChildProgram } from "../shared/child-program.ts";

const readyMs = 100;

/** Bytes a second from the beginning of the put to the end of the get; and of the get alone. */
export async function objectStoreRound(
  binary: string,
  folder: string,
  file: string,
  bytes: number,
): Promise<{ readonly both: number; readonly get: number }> {
  const port = await freePort();
  const words = ["--jetstream", "--store_dir", folder, "--addr", "127.0.0.1", "--port", String(port)];
  const server = new ChildProgram(binary, words);
  try {
    await server.line(/Server is ready/);
    const servers = `127.0.0.1:${port}`;
    const [from, to] = [await connect({ servers }), await connect({ servers })];
    await new Promise((resolve) => setTimeout(resolve, readyMs));
    const store = await new Objm(from).create("bench");
    const began = performance.now();
    await store.put({ name: "artifact" }, webStreamOf(file));
    const wasPut = performance.now();
    const got = await (await new Objm(to).open("bench")).get("artifact");
    if (got === null) throw new Error("what was put is not there");
    await pipeline(Readable.fromWeb(got.data), createWriteStream(join(folder, "got")));
    const error = await got.error;
    if (error instanceof Error) throw error;
    const ended = performance.now();
    await from.close();
    await to.close();
    return { both: (bytes / (ended - began)) * 1_000, get: (bytes / (ended - wasPut)) * 1_000 };
  } finally {
    await server.stop();
  }
}

function webStreamOf(file: string): ReadableStream<Uint8Array> {
  const reading = createReadStream(file)[Symbol.asyncIterator]();
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const next: IteratorResult<unknown> = await reading.next();
      if (next.done === true) controller.close();
      else if (next.value instanceof Uint8Array) controller.enqueue(next.value);
    },
  });
}

/** It may be taken by another in between: then the server says so. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}
