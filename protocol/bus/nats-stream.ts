// Stream operations over one NATS connection: ensure, append, read. Stateless; the connection, its status and
// what to do when it goes are nats-bus.ts's, consuming a work queue is nats-consume.ts's.

import {
  DiscardPolicy,
  JetStreamApiCodes,
  jetstreamManager,
  PersistMode,
  RetentionPolicy,
  StorageType,
  type JetStreamManager,
  type StreamConfig,
} from "@nats-io/jetstream";
import { headers, nanos, type NatsConnection } from "@nats-io/transport-node";
import * as z from "zod";

import {
  BusError,
  streamTimeoutMs,
  type AppendResult,
  type Bytes,
  type DatedEntry,
  type Entry,
  type StreamSpec,
  type StreamCensus,
  type StreamState,
} from "./bus.ts";
import { isNoMessage, isNoStream, streamFailure } from "./nats-error.ts";

/** How many reads of single messages are on their way at once. */
const readWindowMessages = 256;
/** Error code of a message that a limit of its stream refuses; the text says which limit. */
const storeFailedCode = 10077;
/** Error code of a message larger than its stream takes. */
const tooLargeCode = 10054;
/** Error codes of an append whose expected last sequence is not the stream's (known, or still being decided). */
const wrongSequenceCodes: readonly number[] = [
  JetStreamApiCodes.StreamWrongLastSequence,
  JetStreamApiCodes.StreamWrongLastSequenceUnknown,
];
/** Error code of an append that names another stream than the one which stores the subject. */
const wrongStreamCode = 10060;

/** Characters of a text in the server's answer. */
const serverTextMax = 10_000;

const publishAnswer = z.union([
  z.object({
    error: z.object({
      code: z.number(),
      err_code: z.number().optional(),
      description: z.string().max(serverTextMax).default(""),
    }),
  }),
  z.object({ stream: z.string().min(1).max(serverTextMax), seq: z.number().int().positive() }),
]);

/** When the server answered; the client's own type leaves it out. */
const datedAnswer = z.object({ ts: z.string().max(serverTextMax) });

export function openStreams(nc: NatsConnection): Promise<JetStreamManager> {
  return jetstreamManager(nc, { checkAPI: false, timeout: streamTimeoutMs });
}

type WantedConfig = Pick<
  StreamConfig,
  | "name"
  | "subjects"
  | "retention"
  | "storage"
  | "max_age"
  | "max_bytes"
  | "max_msgs_per_subject"
  | "max_msg_size"
  | "subject_transform"
  | "discard"
  | "discard_new_per_subject"
  | "allow_direct"
  | "num_replicas"
>;

/** Only what is asked for: a stream that needs no transform is the same with every server. */
function transformOf({ storedAs }: StreamSpec): Partial<Pick<StreamConfig, "subject_transform">> {
  return storedAs === undefined ? {} : { subject_transform: { src: storedAs.from, dest: storedAs.to } };
}

function configOf(spec: StreamSpec): Omit<WantedConfig, "subject_transform"> & Partial<WantedConfig> {
  return {
    name: spec.name,
    subjects: [...spec.subjects],
    retention: spec.retention === "work-queue" ? RetentionPolicy.Workqueue : RetentionPolicy.Limits,
    storage: StorageType.File,
    max_age: nanos(spec.maxAgeMs ?? 0),
    max_bytes: spec.maxBytes ?? -1,
    max_msgs_per_subject: spec.maxMessagesPerSubject ?? -1,
    max_msg_size: spec.maxMessageBytes ?? -1,
    ...transformOf(spec),
    discard: spec.discard === "new" ? DiscardPolicy.New : DiscardPolicy.Old,
    discard_new_per_subject: spec.discardNewPerSubject ?? false,
    allow_direct: spec.allowDirect ?? false,
    num_replicas: spec.replicas ?? 1,
  };
}

export async function ensureNatsStream(jsm: JetStreamManager, spec: StreamSpec): Promise<void> {
  const wanted = configOf(spec);
  try {
    try {
      if (spec.keepSubjects === true) wanted.subjects = (await jsm.streams.info(spec.name)).config.subjects;
      await jsm.streams.update(spec.name, wanted);
    } catch (error) {
      if (!isNoStream(error)) throw error;
      // Outside `wanted`, which is compared below: an older server leaves it out and flushes each message, as asked of it.
      const soon = spec.flush === "soon" && wanted.num_replicas === 1;
      await jsm.streams.add(soon ? { ...wanted, persist_mode: PersistMode.Async } : wanted);
    }
    const { config } = await jsm.streams.info(spec.name);
    // An old server ignores fields it does not know, so only reading back tells.
    const dropped = droppedField(wanted, config);
    if (dropped === undefined) return;
    throw new BusError(
      "server-too-old",
      `The message server ignores "${dropped}" of stream ${spec.name}; a newer nats-server (2.12 or later) is needed.`,
    );
  } catch (error) {
    throw streamFailure(error, spec.name, streamTimeoutMs);
  }
}

/** The first field of `wanted` that the server did not take over, or undefined. */
export function droppedField(wanted: object, config: object): string | undefined {
  const kept = new Map<string, unknown>(Object.entries(config));
  for (const [field, value] of Object.entries(wanted)) {
    if (JSON.stringify(kept.get(field)) !== JSON.stringify(value)) {
      // A server leaves fields at their zero out of its answer.
      if (kept.get(field) === undefined && (value === false || value === 0 || value === -1)) continue;
      return field;
    }
  }
  return undefined;
}

export async function appendNats(
  nc: NatsConnection,
  stream: string,
  subject: string,
  data: Bytes,
  expectLastSequence: number | undefined,
): Promise<AppendResult> {
  const fence = headers();
  fence.set("Nats-Expected-Stream", stream);
  if (expectLastSequence !== undefined) fence.set("Nats-Expected-Last-Sequence", String(expectLastSequence));
  let text: string;
  try {
    text = (await nc.request(subject, data, { timeout: streamTimeoutMs, headers: fence })).string();
  } catch (error) {
    throw streamFailure(error, stream, streamTimeoutMs);
  }
  return readAnswer(text, stream, subject);
}

function readAnswer(text: string, stream: string, subject: string): AppendResult {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    parsed = undefined;
  }
  const answer = publishAnswer.safeParse(parsed);
  // Somebody other than a stream answers on this subject: whether a stream stored it too is unknown.
  if (!answer.success) throw new BusError("unavailable", `No stream acknowledged the message on ${subject}.`);
  if ("seq" in answer.data) return { kind: "appended", sequence: answer.data.seq };

  const { code, err_code: errorCode = 0, description } = answer.data.error;
  if (wrongSequenceCodes.includes(errorCode)) return { kind: "wrong-sequence" };
  if (errorCode === storeFailedCode && /per subject/i.test(description)) return { kind: "already-there" };
  if (errorCode === tooLargeCode)
    throw new BusError("refused", `Stream ${stream} takes no message of that size (${description}).`);
  if (errorCode === storeFailedCode && /maximum/i.test(description)) {
    throw new BusError("stream-full", `Stream ${stream} is full and takes no new messages (${description}).`);
  }
  if (errorCode === wrongStreamCode)
    throw new BusError("no-stream", `${subject} does not belong to stream ${stream}.`);
  const passing = code >= 500 || errorCode === storeFailedCode;
  throw new BusError(
    passing ? "unavailable" : "refused",
    `Stream ${stream} did not take the message: ${description}.`,
  );
}

export async function natsStreamSubjects(jsm: JetStreamManager, stream: string): Promise<readonly string[]> {
  try {
    return (await jsm.streams.info(stream)).config.subjects;
  } catch (error) {
    throw streamFailure(error, stream, streamTimeoutMs);
  }
}

export async function natsStreamState(jsm: JetStreamManager, stream: string): Promise<StreamState> {
  try {
    const { state } = await jsm.streams.info(stream);
    return {
      firstSequence: state.messages === 0 ? state.last_seq + 1 : state.first_seq,
      lastSequence: state.last_seq,
    };
  } catch (error) {
    throw streamFailure(error, stream, streamTimeoutMs);
  }
}

/**
 * Reads single messages from the stream's leader, many at once. Slower than a direct get, which may read a replica
 * that lags, and faster than it looks: the answers are pipelined.
 */
export async function readNatsStream(
  jsm: JetStreamManager,
  stream: string,
  fromSequence: number,
  limit: number,
): Promise<readonly Entry[]> {
  const { firstSequence, lastSequence } = await natsStreamState(jsm, stream);
  const found: Entry[] = [];
  let next = Math.max(fromSequence, firstSequence);
  try {
    while (next <= lastSequence && found.length < limit) {
      const count = Math.min(readWindowMessages, limit - found.length, lastSequence - next + 1);
      const asked = Array.from({ length: count }, (_, index) =>
        jsm.streams.getMessage(stream, { seq: next + index }),
      );
      for (const message of await Promise.all(asked)) {
        // null: removed by a limit or acknowledged since; the stream has a hole there.
        if (message !== null)
          found.push({ sequence: message.seq, subject: message.subject, data: message.data });
      }
      next += count;
    }
  } catch (error) {
    throw streamFailure(error, stream, streamTimeoutMs);
  }
  return found;
}

export async function readNatsSubject(
  jsm: JetStreamManager,
  stream: string,
  subject: string,
  fromSequence: number,
  limit: number,
): Promise<readonly DatedEntry[]> {
  try {
    const batch = { seq: Math.max(1, fromSequence), batch: limit, next_by_subj: subject };
    const found: DatedEntry[] = [];
    for await (const { data, seq, time } of await jsm.direct.getBatch(stream, batch))
      found.push({ sequence: seq, subject, data, storedAt: time.getTime() });
    return found;
  } catch (error) {
    // Nothing is stored there.
    if (isNoMessage(error)) return [];
    throw streamFailure(error, stream, streamTimeoutMs);
  }
}

export async function natsCensus(
  jsm: JetStreamManager,
  stream: string,
  subject: string,
): Promise<StreamCensus> {
  try {
    const info = await jsm.streams.info(stream, { subjects_filter: subject });
    const { bytes, first_seq, last_seq, last_ts, messages, subjects = {} } = info.state;
    return {
      firstSequence: messages === 0 ? last_seq + 1 : first_seq,
      lastSequence: last_seq,
      bytes,
      // A server that does not say when it answered is not later than its newest message.
      at: Date.parse(datedAnswer.safeParse(info).data?.ts ?? last_ts),
      subjects: new Map(Object.entries(subjects)),
    };
  } catch (error) {
    throw streamFailure(error, stream, streamTimeoutMs);
  }
}

export async function removeNatsMessages(
  jsm: JetStreamManager,
  stream: string,
  subject: string,
  before: number | undefined,
): Promise<void> {
  try {
    await jsm.streams.purge(
      stream,
      before === undefined ? { filter: subject } : { filter: subject, seq: before },
    );
  } catch (error) {
    throw streamFailure(error, stream, streamTimeoutMs);
  }
}

/** By direct get on the subject: no other permission than `$JS.API.DIRECT.GET.<stream>.>`, or whatever stands for it. */
export async function getNatsMessage(
  nc: NatsConnection,
  stream: string,
  subject: string,
  asked = `$JS.API.DIRECT.GET.${stream}.${subject}`,
): Promise<DatedEntry | null> {
  try {
    const answer = await nc.request(asked, undefined, { timeout: streamTimeoutMs });
    const status = answer.headers?.code ?? 0;
    if (status === 404) return null;
    const sequence = Number(answer.headers?.get("Nats-Sequence"));
    if (status !== 0 || !Number.isSafeInteger(sequence) || sequence < 1) {
      throw new BusError(
        "refused",
        `Stream ${stream}: ${answer.headers?.description ?? "no sequence in its answer"}.`,
      );
    }
    const storedAt = Date.parse(answer.headers?.get("Nats-Time-Stamp") ?? "");
    return { sequence, subject, data: answer.data, storedAt };
  } catch (error) {
    throw streamFailure(error, stream, streamTimeoutMs);
  }
}
