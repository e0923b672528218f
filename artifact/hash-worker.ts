/** The thread of `chunk-hasher.ts`: hashes what it is shown, one after the other. */
import { parentPort } from "node:worker_threads";
import type { HashOrder } from "./chunk-hasher.ts";
import { chunkDigest } from "./chunk-tree.ts";

let memory = new SharedArrayBuffer(0);
parentPort?.on("message", (order: HashOrder) => {
  if ("memory" in order) ({ memory } = order);
  else parentPort?.postMessage(chunkDigest(new Uint8Array(memory, order.at, order.bytes)));
});
