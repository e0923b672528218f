/**
 * Everything that can happen, as it stands in the journal in its newest format. Events are facts: they are never edited, and
 * what a policy made of the moment stands in them, so that `apply` asks nothing that could answer otherwise later.
 *
 * A field that need not be there is one line here (`exactOptional`). Any other change is a new format: the old shape and the
 * step to the new one go to a folder of their own (`journal/format-1`), and `journalFormat` is raised.
 */
import * as z from "zod";
import { accountEvents } from "./account-event.ts";
import { agentEvents } from "./agent-event.ts";
import { archiveEvents } from "./archive-event.ts";
import { artifactEvents } from "./artifact-event.ts";
import { attemptEvents } from "./attempt-event.ts";
import { deploymentEvents } from "./deployment-event.ts";
import { registryEvents } from "./registry-event.ts";
import { sweepEvents } from "./sweep-event.ts";

export const eventSchema = z.discriminatedUnion("kind", [
  ...accountEvents,
  ...agentEvents,
  ...sweepEvents,
  ...attemptEvents,
  ...registryEvents,
  ...artifactEvents,
  ...archiveEvents,
  ...deploymentEvents,
]);
export type Event = z.infer<typeof eventSchema>;
export type EventKind = Event["kind"];
export type EventOf<K extends EventKind> = Extract<Event, { kind: K }>;
