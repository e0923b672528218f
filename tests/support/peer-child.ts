/** A machine that receives an artifact in a process of its own, so that it can be killed; says what it was sent. */
import { readFileSync } from "node:fs";
import * as z from "zod";
import { nameIn } from "../../bench/artifact/peer-certificate.ts";
import { longText, shortText } from "../../protocol/bound.ts";
import { PeerMachine } from "./peer-machine.ts";

const order = z
  .object({ identity: longText, folder: longText, artifact: shortText, name: shortText, port: z.number() })
  .parse(JSON.parse(process.argv[2] ?? ""));
const identity = z
  .object({ key: longText, certificate: longText, authority: longText })
  .parse(JSON.parse(readFileSync(order.identity, "utf8")));
const machine = await PeerMachine.open(
  "to",
  { ...identity, trusts: (certificate) => nameIn(certificate, new Set()) },
  { folder: order.folder },
);
const from = { name: order.name, host: "127.0.0.1", port: order.port };
console.log("begin");
const received = await machine.receive(order.artifact, [], { peersOf: () => Promise.resolve([from]) });
console.log(received.ok ? "whole" : received.refusal.message);
process.exit(received.ok ? 0 : 1);
