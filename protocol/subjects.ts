/**
 * The one table of subjects and streams. Nothing else in trialmesh spells a subject.
 * The sender's role and name stand in the subject of everything it may say, so that the
 * server's permissions, not the message, prove who is speaking.
 */
import { bytesPerMiB } from "./byte-unit.ts";
import type { StreamSpec } from "./bus/bus.ts";

export const roles = ["owner", "coordinator", "agent", "requester", "viewer"] as const;
export type Role = (typeof roles)[number];

export interface Subjects {
  /** Known to coordinators only: see `streamSpecsOf`. */
  readonly journal: (secret: string) => string;
  /** The leader announces its epoch here; everyone may listen. */
  readonly epoch: string;
  readonly command: (role: Role, who: string, command: string) => string;
  readonly query: (role: Role, who: string, query: string) => string;
  readonly register: (agent: string) => string;
  readonly heartbeat: (agent: string) => string;
  readonly inbox: (agent: string) => string;
  readonly order: (agent: string, order: OrderName) => string;
  readonly metric: (sweep: string, trial: string) => string;
  readonly log: (sweep: string, trial: string) => string;
  readonly blob: (digest: string, chunk: number) => string;
}

export const orderNames = ["offer", "extend", "cancel", "drain", "receipt"] as const;
export type OrderName = (typeof orderNames)[number];

/** Subjects of one mesh; `*` is allowed in place of any name, to subscribe to all of a kind. */
export function subjectsOf(mesh: string): Subjects {
  const at = `tm.v1.${mesh}`;
  return {
    journal: (secret) => `${at}.journal.${secret}`,
    epoch: `${at}.epoch`,
    command: (role, who, command) => `${at}.cmd.${role}.${who}.${command}`,
    query: (role, who, query) => `${at}.query.${role}.${who}.${query}`,
    register: (agent) => `${at}.hello.${agent}`,
    heartbeat: (agent) => `${at}.presence.${agent}`,
    inbox: (agent) => `${at}.inbox.${agent}.report`,
    order: (agent, order) => `${at}.agent.${agent}.${order}`,
    metric: (sweep, trial) => `${at}.metric.${sweep}.${trial}`,
    log: (sweep, trial) => `${at}.log.${sweep}.${trial}`,
    blob: (digest, chunk) => `${at}.blob.${digest}.${chunk}`,
  };
}

/** Patterns the coordinator listens to, one for each kind of message it serves. */
export function coordinatorPatterns(mesh: string) {
  const at = `tm.v1.${mesh}`;
  return {
    commands: `${at}.cmd.*.*.*`,
    queries: `${at}.query.*.*.*`,
    registers: `${at}.hello.*`,
    heartbeats: `${at}.presence.*`,
  } as const;
}

/** What a subject of the shape `tm.v1.<mesh>.cmd|query.<role>.<who>.<name>` says about its sender. */
export function senderOf(subject: string): { role: string; who: string; name: string } {
  const [, , , , role = "", who = "", name = ""] = subject.split(".");
  return { role, who, name };
}

/** The agent in `tm.v1.<mesh>.hello|presence|inbox.<agent>…`. */
export function agentOf(subject: string): string {
  return subject.split(".")[4] ?? "";
}

export interface StreamNames {
  readonly journal: string;
  readonly inbox: string;
  readonly metrics: string;
  readonly logs: string;
  readonly blobs: string;
}

export function streamsOf(mesh: string): StreamNames {
  const name = (kind: string) => `TM_${mesh}_${kind}`;
  return {
    journal: name("JOURNAL"),
    inbox: name("INBOX"),
    metrics: name("METRICS"),
    logs: name("LOGS"),
    blobs: name("BLOBS"),
  };
}

/** The server sets this much disk aside for each at once: small enough for a machine with little to spare. */
const metricsMaxBytes = 64 * bytesPerMiB;
const logsMaxBytes = 64 * bytesPerMiB;
const pointsPerTrial = 5_000;

/**
 * How each stream is kept. `replicas` is 1 on one server and 3 on a cluster. The journal's subject holds a
 * secret, chosen when the stream is made: the server checks who publishes to a subject, but not who names it
 * as the place for a reply, so what must not be written to must not be guessed either.
 */
export function streamSpecsOf(mesh: string, replicas: number, journalSecret: string): readonly StreamSpec[] {
  const at = `tm.v1.${mesh}`;
  const names = streamsOf(mesh);
  return [
    {
      name: names.journal,
      subjects: [`${at}.journal.${journalSecret}`],
      keepSubjects: true,
      retention: "limits",
      allowDirect: true,
      replicas,
    },
    { name: names.inbox, subjects: [`${at}.inbox.*.*`], retention: "work-queue", replicas },
    {
      name: names.metrics,
      subjects: [`${at}.metric.*.*`],
      retention: "limits",
      discard: "old",
      maxBytes: metricsMaxBytes,
      maxMessagesPerSubject: pointsPerTrial,
      allowDirect: true,
      replicas,
      flush: "soon",
    },
    {
      name: names.logs,
      subjects: [`${at}.log.*.*`],
      retention: "limits",
      discard: "old",
      maxBytes: logsMaxBytes,
      maxMessagesPerSubject: pointsPerTrial,
      allowDirect: true,
      replicas,
      flush: "soon",
    },
    {
      name: names.blobs,
      subjects: [`${at}.blob.*.*`],
      retention: "limits",
      discard: "new",
      discardNewPerSubject: true,
      maxMessagesPerSubject: 1,
      allowDirect: true,
      replicas,
    },
  ];
}

/** The prefix under which a user receives its replies; its own, so that no one reads another's. */
export function inboxPrefixOf(role: Role, who: string): string {
  return `_INBOX.${role}.${who}`;
}

/** What the server lets a user of this role publish and subscribe to; all else is denied. */
export function permissionsOf(role: Role, mesh: string, who: string): { pub: string[]; sub: string[] } {
  const at = `tm.v1.${mesh}`;
  const inbox = `${inboxPrefixOf(role, who)}.>`;
  const readBlobs = `$JS.API.DIRECT.GET.${streamsOf(mesh).blobs}.>`;
  switch (role) {
    case "coordinator":
      return {
        pub: [`${at}.>`, "$JS.API.>", "$JS.ACK.>", "_INBOX.>"],
        sub: [`${at}.>`, inbox],
      };
    case "agent":
      return {
        pub: [
          `${at}.inbox.${who}.>`,
          `${at}.presence.${who}`,
          `${at}.hello.${who}`,
          `${at}.metric.*.*`,
          `${at}.log.*.*`,
          `${at}.blob.*.*`,
          readBlobs,
        ],
        sub: [`${at}.agent.${who}.>`, `${at}.epoch`, inbox],
      };
    case "owner":
    case "requester":
      return {
        pub: [`${at}.cmd.${role}.${who}.*`, `${at}.query.${role}.${who}.*`, `${at}.blob.*.*`, readBlobs],
        sub: [`${at}.metric.*.*`, `${at}.log.*.*`, `${at}.epoch`, inbox],
      };
    case "viewer":
      return {
        pub: [`${at}.query.${role}.${who}.*`, readBlobs],
        sub: [`${at}.metric.*.*`, `${at}.log.*.*`, `${at}.epoch`, inbox],
      };
  }
}
