/**
 * The one table of subjects and streams. Nothing else in trialmesh spells a subject.
 * The sender's role and name stand in the subject of everything it may say, so that the
 * server's permissions, not the message, prove who is speaking.
 */
import { bytesPerKiB, bytesPerMiB } from "./byte-unit.ts";
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
  readonly metric: (agent: string, sweep: string, trial: string) => string;
  readonly log: (agent: string, sweep: string, trial: string) => string;
  /** Where all points, and all lines, of one agent are stored: see `streamSpecsOf`. */
  readonly points: (agent: string) => string;
  readonly lines: (agent: string) => string;
  readonly blob: (digest: string, chunk: number) => string;
  /** Small artifacts of many trials in one message: `pack.ts`. */
  readonly pack: (id: number) => string;
  /** Where coordinators are asked whether a blob's bytes are what its digest names. */
  readonly prove: string;
  /** Where the leader hears who holds which artifacts, and is asked for it. */
  readonly track: string;
  /** Where a chunk is asked for by whoever may not ask the streams themselves: see `crossingsOf`. */
  readonly stored: (digest: string, chunk: number) => string;
}

export const orderNames = ["offer", "extend", "cancel", "drain", "receipt", "replica", "serve"] as const;
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
    metric: (agent, sweep, trial) => `${at}.metric.${agent}.${sweep}.${trial}`,
    log: (agent, sweep, trial) => `${at}.log.${agent}.${sweep}.${trial}`,
    points: (agent) => `${at}.points.${agent}`,
    lines: (agent) => `${at}.lines.${agent}`,
    blob: (digest, chunk) => `${at}.blob.${digest}.${chunk}`,
    pack: (id) => `${at}.blob.pack.${id}`,
    prove: `${at}.prove`,
    track: `${at}.track`,
    stored: (digest, chunk) => `${at}.stored.${digest}.${chunk}`,
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
    proofs: `${at}.prove`,
    /** The same of users in accounts of their own: see `crossingsOf`. */
    namedProofs: `${at}.prove.*.*`,
    tracks: `${at}.track.*.*`,
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

/**
 * QUOTA-3: messages of one agent that wait in the inbox; the next are refused until some were taken, and sent again then. So
 * nobody's reports wait behind more of one other's.
 */
const waitingReportsMax = 64;
/** The server sets this much disk aside for each at once: small enough for a machine with little to spare. */
const metricsMaxBytes = 128 * bytesPerMiB;
const logsMaxBytes = 128 * bytesPerMiB;
/**
 * QUOTA-2: points and lines of one agent are stored on one subject, of which so many are kept: its newest take the place of its own
 * oldest. All that one agent can keep there is a third of the stream, so that it evicts nobody else's.
 */
const pointsPerAgent = 32_000;
const linesPerAgent = 9_000;
/** Of one message; what is larger is sent as several. */
export const pointBytesMax = bytesPerKiB;
export const lineBytesMax = 4 * bytesPerKiB;
/** The server's own headers, on what comes from another account. */
const headerBytesMax = 128;
/** What a stored message takes beside that: subject, sequence, time, checksum. */
const recordBytesMax = 128;
const overheadBytesMax = headerBytesMax + recordBytesMax;
const sharesMin = 3;
if (
  pointsPerAgent * (pointBytesMax + overheadBytesMax) * sharesMin > metricsMaxBytes ||
  linesPerAgent * (lineBytesMax + overheadBytesMax) * sharesMin > logsMaxBytes
)
  throw new Error("broken invariant: one agent could evict the points or lines of others");

/**
 * How each stream is kept. `replicas` is 1 on one server and 3 on a cluster. The journal's subject holds a
 * secret, chosen when the stream is made: the server checks who publishes to a subject, but not who names it
 * as the place for a reply, so what must not be written to must not be guessed either.
 * Points and log lines without an agent's name are of agents of the version before; only their own credentials let them.
 */
export function streamSpecsOf(mesh: string, replicas: number, journalSecret: string): readonly StreamSpec[] {
  const at = `tm.v1.${mesh}`;
  const names = streamsOf(mesh);
  const subjects = subjectsOf(mesh);
  return [
    {
      name: names.journal,
      subjects: [`${at}.journal.${journalSecret}`],
      keepSubjects: true,
      retention: "limits",
      allowDirect: true,
      replicas,
    },
    {
      name: names.inbox,
      subjects: [`${at}.inbox.*.*`],
      retention: "work-queue",
      discard: "new",
      discardNewPerSubject: true,
      maxMessagesPerSubject: waitingReportsMax,
      replicas,
    },
    {
      name: names.metrics,
      subjects: [`${at}.metric.*.*.*`, `${at}.metric.*.*`],
      retention: "limits",
      discard: "old",
      maxBytes: metricsMaxBytes,
      maxMessagesPerSubject: pointsPerAgent,
      maxMessageBytes: pointBytesMax + headerBytesMax,
      storedAs: { from: subjects.metric("*", "*", "*"), to: subjects.points("{{wildcard(1)}}") },
      allowDirect: true,
      replicas,
      flush: "soon",
    },
    {
      name: names.logs,
      subjects: [`${at}.log.*.*.*`, `${at}.log.*.*`],
      retention: "limits",
      discard: "old",
      maxBytes: logsMaxBytes,
      maxMessagesPerSubject: linesPerAgent,
      maxMessageBytes: lineBytesMax + headerBytesMax,
      storedAs: { from: subjects.log("*", "*", "*"), to: subjects.lines("{{wildcard(1)}}") },
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

/** Every role but the coordinator's: each of their users has an account of its own on the server. */
export type OuterRole = Exclude<Role, "coordinator">;
export const outerRoles: readonly OuterRole[] = ["owner", "agent", "requester", "viewer"];

interface Reach {
  /** Said to the mesh, as it stands. */
  readonly says: readonly string[];
  /** Heard from the mesh. */
  readonly hears: readonly string[];
}

/** What a user of this role says to the mesh and hears from it; both its permissions and its account follow from this. */
function reachOf(role: OuterRole, mesh: string, who: string): Reach {
  const at = `tm.v1.${mesh}`;
  const blobs = [`${at}.blob.*.*`, `${at}.prove`, `${at}.track`];
  const epoch = `${at}.epoch`;
  const points = (agent: string) => [`${at}.metric.${agent}.*.*`, `${at}.log.${agent}.*.*`];
  const queries = `${at}.query.${role}.${who}.*`;
  switch (role) {
    case "agent":
      return {
        says: [
          `${at}.inbox.${who}.report`,
          `${at}.presence.${who}`,
          `${at}.hello.${who}`,
          ...points(who),
          ...blobs,
        ],
        hears: [...orderNames.map((order) => `${at}.agent.${who}.${order}`), epoch],
      };
    case "owner":
    case "requester":
      return { says: [`${at}.cmd.${role}.${who}.*`, queries, ...blobs], hears: [...points("*"), epoch] };
    case "viewer":
      return { says: [queries, `${at}.prove`], hears: [...points("*"), epoch] };
  }
}

/** A subject on which a user's account and the mesh's meet. */
export interface Crossing {
  /** `service`: the user asks, the mesh answers, and the answer returns to the user's account. `stream`: the user hears. */
  readonly type: "service" | "stream";
  /** In the mesh's account. */
  readonly subject: string;
  /** In the user's, where it differs; `$1`, `$2` stand for the subject's wildcards. */
  readonly local?: string;
}

/**
 * All that passes between a user's account and the mesh's, which alone has streams. The subject that an answer is
 * asked for on means something in the user's own account only, so nobody can have an answer sent where others listen.
 * A chunk is read by a name of our own: the stream's own one would be a part of its interface. `held`: what it may not
 * say for now.
 */
export function crossingsOf(
  role: OuterRole,
  mesh: string,
  who: string,
  held: "all" | "artifacts" | null = null,
): readonly Crossing[] {
  const { hears, says: mayAll } = reachOf(role, mesh, who);
  const says = held === "all" ? [] : mayAll.filter((subject) => held === null || !isBlob(mesh, subject));
  const at = `tm.v1.${mesh}`;
  const named = [`${at}.prove`, `${at}.track`];
  return [
    ...says.map((subject) =>
      // Who asks is in the subject on the mesh's side, where its account puts it.
      named.includes(subject)
        ? ({ type: "service", subject: `${subject}.${role}.${who}`, local: subject } as const)
        : ({ type: "service", subject } as const),
    ),
    ...hears.map((subject) => ({ type: "stream", subject }) as const),
    { type: "service", subject: directGet(mesh, `${at}.blob.*.*`), local: `${at}.stored.$1.$2` },
  ];
}

function isBlob(mesh: string, subject: string): boolean {
  return subject.startsWith(`tm.v1.${mesh}.blob.`);
}

/** What the mesh's account offers to others: the crossings of everybody. */
export function offeredCrossings(mesh: string): readonly Crossing[] {
  const offered = outerRoles.flatMap((role) => crossingsOf(role, mesh, "*"));
  return offered.filter(
    ({ subject, type }, index) =>
      offered.findIndex((other) => other.subject === subject && other.type === type) === index,
  );
}

/** Where a user in an account of its own asks for what is stored on a blob's subject. */
export function storedSubject(mesh: string, subject: string): string {
  const blobs = `tm.v1.${mesh}.blob.`;
  return subject.startsWith(blobs) ? `tm.v1.${mesh}.stored.${subject.slice(blobs.length)}` : subject;
}

/** Where the server answers with the stored message of a blob's subject. */
export function directGet(mesh: string, subject: string): string {
  return `$JS.API.DIRECT.GET.${streamsOf(mesh).blobs}.${subject}`;
}

/** Under this name the coordinators share the work queue of reports. */
export const inboxDurable = "coordinator";

/** What the server lets a user of this role publish and subscribe to; all else is denied. */
export function permissionsOf(role: Role, mesh: string, who: string): { pub: string[]; sub: string[] } {
  const inbox = `${inboxPrefixOf(role, who)}.>`;
  if (role === "coordinator") return coordinatorPermissions(mesh, who, inbox);
  const { hears, says } = reachOf(role, mesh, who);
  return { pub: [...says, `tm.v1.${mesh}.stored.*.*`], sub: [...hears, inbox] };
}

/**
 * A coordinator makes and reads the mesh's streams, deletes none, and empties none but that of blobs, where bytes that
 * are not what their digest names are removed, and where it puts what came with reports. What it is asked it may answer besides.
 */
function coordinatorPermissions(mesh: string, who: string, inbox: string): { pub: string[]; sub: string[] } {
  const at = `tm.v1.${mesh}`;
  const { blobs, inbox: reports, journal, logs, metrics } = streamsOf(mesh);
  const streams = [journal, reports, metrics, logs, blobs];
  return {
    pub: [
      ...orderNames.map((order) => `${at}.agent.*.${order}`),
      `${at}.epoch`,
      `${at}.journal.*`,
      `${at}.blob.*.*`,
      `${at}.query.coordinator.${who}.ping`,
      "$JS.API.INFO",
      ...["CREATE", "UPDATE", "INFO", "MSG.GET"].flatMap((verb) =>
        streams.map((stream) => `$JS.API.STREAM.${verb}.${stream}`),
      ),
      `$JS.API.STREAM.PURGE.${blobs}`,
      `$JS.API.CONSUMER.CREATE.${reports}.${inboxDurable}`,
      `$JS.API.CONSUMER.MSG.NEXT.${reports}.${inboxDurable}`,
      directGet(mesh, `${at}.blob.*.*`),
      `$JS.API.DIRECT.GET.${metrics}`,
      `$JS.API.DIRECT.GET.${logs}`,
      // With and without domain and account before the stream's name: the server has changed it (ADR-15).
      `$JS.ACK.${reports}.${inboxDurable}.>`,
      `$JS.ACK.*.*.${reports}.${inboxDurable}.>`,
    ],
    sub: [...Object.values(coordinatorPatterns(mesh)), `${at}.epoch`, inbox],
  };
}
