/**
 * Somebody who wants an artifact of an agent's, with whatever certificate: a process of its own, so that it can be on another network. It believes
 * the agent, and nothing of an agent's own program ends it. Says how many chunks came, and how it ended.
 */
import { readFileSync } from "node:fs";
import * as z from "zod";
import { meshIdentity } from "../../artifact/peer/mesh-identity.ts";
import { longText } from "../../protocol/bound.ts";
import { PeerMachine } from "./peer-machine.ts";
import { strangerOrderSchema } from "./stranger-order.ts";

const giveUpMs = 4_000;

const order = strangerOrderSchema.parse(JSON.parse(process.argv[2] ?? ""));
const identity = z
  .object({ key: longText, certificate: longText, authority: longText })
  .parse(JSON.parse(readFileSync(order.identity, "utf8")));
const machine = await PeerMachine.open(
  "stranger",
  meshIdentity({ ...identity, mesh: order.mesh, isRevoked: () => false }),
);
const from = { name: order.agent, host: order.host, port: order.port };
const received = await machine.receive(order.artifact, [], {
  peersOf: () => Promise.resolve([from]),
  // Who is cut off in the middle of a chunk is told why when it comes again.
  giveUpMs,
  onProgress: ({ keptChunks }) => console.log(`${keptChunks} chunks`),
});
console.log(received.ok ? "whole" : `refused: ${received.refusal.message}`);
await machine.close();
process.exit(0);
