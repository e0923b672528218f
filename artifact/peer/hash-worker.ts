/** The thread of `chunk-hasher.ts`: hashes what it is shown, one after the other. */
import { hash } from "node:crypto";
import { parentPort } from "node:worker_threads";

parentPort?.on("message", (data: Uint8Array) => {
  parentPort?.postMessage(hash("sha256", data, "buffer"));
});
