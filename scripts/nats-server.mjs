/**
 * Finds or brings in a nats-server and prints the outcome as one line of JSON, progress on stderr.
 * Runs on compiled code: the one search is `mesh/server-binary.ts`.
 */
import { findServer } from "../dist/mesh/server-binary.js";
import { runScript, say } from "./step.mjs";

await runScript(async () => {
  process.stdout.write(`${JSON.stringify(await findServer(process.env, say))}\n`);
  return 0;
});
