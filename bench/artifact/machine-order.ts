/** What a machine of the bench is told to do. Only its shape. */
import * as z from "zod";
import { listOf, longText, shortText } from "../../protocol/bound.ts";

const peerSchema = z.object({ name: shortText, host: shortText, port: z.number() });

export const machineOrderSchema = z.object({
  role: z.enum(["serve", "receive", "track", "raw-serve", "raw-take"]),
  name: shortText,
  host: shortText.default("127.0.0.1"),
  port: z.number().default(0),
  folder: longText.default(""),
  /** A file with the key, the certificate and the authority. */
  identity: longText,
  artifact: shortText.default(""),
  /** Where others are, without a server to ask. */
  peers: listOf(peerSchema).default([]),
  /** Of the nats-server, where machines find each other by the tracker. */
  server: longText.default(""),
  /** Of bare TLS. */
  bytes: z.number().default(0),
  slots: z.number().default(4),
});
export type MachineOrder = z.input<typeof machineOrderSchema>;
