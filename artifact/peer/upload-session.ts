/** What one machine asks on one link, and its answers, one chunk after the other. Not here: what all share (`upload.ts`). */
import type { Digest } from "../../protocol/id.ts";
import { rangesOf, type ChunkRange } from "./chunk-range.ts";
import { notMine, type PeerLink } from "./peer-link.ts";
import {
  bulkHeadBytes,
  frameHeadBytes,
  rangesMax,
  writeBulkHead,
  type PeerMessage,
  type PeerRefusal,
} from "./peer-message.ts";
import type { ShelvedArtifact } from "./shelf.ts";
import type { Upload } from "./upload.ts";

/** Questions for chunks, and for nodes, that one link may have open. */
const asksMax = 8;
/** Artifacts that one link keeps open. */
const artifactsMax = 64;
/** What came meanwhile is told together, ms: the later the more listen, for each costs as much as a small message does. */
const gainMs = 50;
const gainMsOfEach = 12;
const gainMsMax = 400;
const headBytes = frameHeadBytes + bulkHeadBytes;

interface Ask {
  readonly id: number;
  readonly artifact: ShelvedArtifact;
  readonly chunks: number[];
  isCancelled: boolean;
  /** Nothing more is read for it. */
  isRead: boolean;
}

interface Filled {
  readonly ask: Ask;
  /** Null where the question ends without another chunk. */
  readonly frame: Buffer | null;
  readonly isLast: boolean;
}

/** An artifact that this link asks about, and who is to be told what comes of it. */
interface Opened {
  readonly artifact: Promise<ShelvedArtifact | null>;
  /** Ends what is told, by the question that asked for it; one at a time. */
  readonly stops: Map<number, () => void>;
}

type AskMessage = Extract<PeerMessage, { kind: "ask" }>;

/** Answers what comes on this link, until it ends. */
export function serveUploads(link: PeerLink, upload: Upload): void {
  const session = new UploadSession(link, upload);
  link.attach({
    message: (message) => session.message(message),
    place: () => notMine,
    bulk: () => {},
    closed: () => session.ended(),
  });
}

class UploadSession {
  readonly #link: PeerLink;
  /** What the sessions of all links share. */
  readonly #upload: Upload;
  /** What was asked about last stands last. */
  readonly #artifacts = new Map<Digest, Opened>();
  readonly #asks: Ask[] = [];
  #open = 0;
  #isRunning = false;
  #isOver = false;

  constructor(link: PeerLink, upload: Upload) {
    this.#link = link;
    this.#upload = upload;
  }

  /** What is wrong with it, in some words, or null. */
  message(message: PeerMessage): string | null {
    switch (message.kind) {
      case "watch":
        return this.#begin(message.id, message.artifact, (artifact) =>
          this.#watch(message.id, message.artifact, artifact),
        );
      case "get":
        return this.#begin(message.id, message.artifact, (artifact) =>
          this.#sendNode(message.id, artifact, message.node),
        );
      case "ask":
        return this.#begin(message.id, message.artifact, (artifact) => this.#take(message, artifact));
      case "cancel":
        for (const ask of this.#asks) if (ask.id === message.id) ask.isCancelled = true;
        for (const { stops } of this.#artifacts.values()) stops.get(message.id)?.();
        return null;
      default:
        return null;
    }
  }

  /** Opens what is asked about, and goes on; too many questions at once are a fault. */
  #begin(id: number, digest: Digest, go: (artifact: ShelvedArtifact) => Promise<void>): string | null {
    if (this.#open + this.#asks.length >= asksMax) return `more than ${asksMax} questions at once`;
    if (!this.#upload.allows(this.#link.peer, digest)) {
      this.#refuse(id, "not-allowed", 0);
      return null;
    }
    this.#open++;
    void this.#opened(digest)
      .then((artifact) => (artifact === null ? this.#refuse(id, "not-here", 0) : go(artifact)))
      // What the disk says is for the owner's eyes; the other side goes elsewhere.
      .catch(() => this.#refuse(id, "unreadable", 0))
      .finally(() => this.#open--);
    return null;
  }

  async #opened(digest: Digest): Promise<ShelvedArtifact | null> {
    const opened = this.#artifacts.get(digest) ?? { artifact: this.#upload.open(digest), stops: new Map() };
    this.#artifacts.delete(digest);
    this.#artifacts.set(digest, opened);
    const artifact = await opened.artifact.catch(() => null);
    // It may come later.
    if (artifact === null) this.#artifacts.delete(digest);
    if (this.#isOver) artifact?.close();
    for (const [oldest] of this.#artifacts) {
      if (this.#artifacts.size <= artifactsMax) break;
      await this.#leave(oldest);
    }
    return this.#isOver ? null : artifact;
  }

  /** No more is told of it, and it is closed unless some of it is still to be sent. */
  async #leave(digest: Digest): Promise<void> {
    const opened = this.#artifacts.get(digest);
    this.#artifacts.delete(digest);
    for (const stop of [...(opened?.stops.values() ?? [])]) stop();
    const artifact = await opened?.artifact.catch(() => null);
    if (!this.#asks.some((ask) => ask.artifact === artifact)) artifact?.close();
  }

  async #watch(id: number, digest: Digest, artifact: ShelvedArtifact): Promise<void> {
    const gained = new Set<number>();
    let stopTimer: (() => void) | null = null;
    const tell = () => {
      stopTimer = null;
      this.#tell(id, rangesOf([...gained].toSorted((a, b) => a - b)));
      gained.clear();
    };
    const stop = artifact.onGain((index) => {
      gained.add(index);
      const { clock, watchers } = this.#upload;
      const ms = Math.min(gainMsMax, Math.max(gainMs, gainMsOfEach * watchers));
      stopTimer ??= clock.setTimer(ms, tell);
    });
    this.#upload.watchers++;
    const stops = this.#artifacts.get(digest)?.stops;
    const end = () => {
      stop();
      stopTimer?.();
      stops?.delete(id);
      this.#upload.watchers--;
    };
    // It was let go meanwhile.
    if (stops === undefined) return end();
    // Asked again it is told once.
    for (const before of [...stops.values()]) before();
    stops.set(id, end);
    this.#tell(id, artifact.held());
  }

  #tell(id: number, ranges: readonly ChunkRange[]): void {
    // Also where nothing is held: it is an answer.
    for (let at = 0; at === 0 || at < ranges.length; at += rangesMax)
      this.#link.send({ kind: "holds", id, ranges: ranges.slice(at, at + rangesMax) });
  }

  async #sendNode(id: number, artifact: ShelvedArtifact, node: Digest): Promise<void> {
    const bytes = await artifact.node(node);
    if (bytes === null) return this.#refuse(id, "not-here", 0);
    const frame = Buffer.allocUnsafeSlow(headBytes + bytes.length);
    writeBulkHead(frame, "node", id, 0, bytes.length);
    frame.set(bytes, headBytes);
    await this.#link.sendBulk(frame, this.#upload.pace);
  }

  async #take({ artifact: digest, id, most, ranges }: AskMessage, artifact: ShelvedArtifact): Promise<void> {
    const { clock, slots } = this.#upload;
    const { peer } = this.#link;
    if (!slots.take(peer, clock.monotonic())) return this.#refuse(id, "busy", slots.waitMs(peer));
    const chunks = this.#upload.choose(digest, artifact, ranges, most);
    if (chunks.length === 0) {
      slots.release(peer);
      return this.#refuse(id, "not-here", 0);
    }
    this.#link.send({ kind: "chosen", id, ranges: rangesOf(chunks) });
    this.#asks.push({ id, artifact, chunks, isCancelled: false, isRead: false });
    if (!this.#isRunning) void this.#run();
  }

  /** While one chunk is on its way the next is read. */
  async #run(): Promise<void> {
    this.#isRunning = true;
    let filling = this.#fillNext();
    for (let filled = await filling; filled !== null; filled = await filling) {
      filling = this.#fillNext();
      await this.#sendFilled(filled);
    }
    this.#isRunning = false;
    if (this.#asks.length > 0) void this.#run();
  }

  async #sendFilled({ ask, frame, isLast }: Filled): Promise<void> {
    if (frame !== null) {
      await this.#link.sendBulk(frame, this.#upload.pace);
      if (this.#link.fault === null) this.#upload.sentBytes += frame.length - headBytes;
      this.#upload.giveBuffer(Buffer.from(frame.buffer));
    } else this.#refuse(ask.id, ask.isCancelled ? "cancelled" : "unreadable", 0);
    if (isLast) this.#finished(ask);
  }

  /** The next chunk, read; null where none is to be sent. */
  async #fillNext(): Promise<Filled | null> {
    const ask = this.#asks.find(({ isRead }) => !isRead);
    if (ask === undefined || this.#isOver) return null;
    const index = ask.isCancelled ? undefined : ask.chunks.shift();
    ask.isRead = index === undefined || ask.chunks.length === 0;
    if (index === undefined) return { ask, frame: null, isLast: true };
    const buffer = this.#upload.takeBuffer();
    try {
      const bytes = await ask.artifact.read(index, buffer.subarray(headBytes));
      writeBulkHead(buffer, "chunk", ask.id, index, bytes);
      return { ask, frame: buffer.subarray(0, headBytes + bytes), isLast: ask.isRead };
    } catch {
      ask.isRead = true;
      return { ask, frame: null, isLast: true };
    }
  }

  #finished(ask: Ask): void {
    const at = this.#asks.indexOf(ask);
    if (at < 0) return;
    this.#asks.splice(at, 1);
    this.#upload.slots.release(this.#link.peer);
  }

  #refuse(id: number, reason: PeerRefusal, waitMs: number): void {
    this.#link.send({ kind: "refused", id, reason, waitMs });
  }

  ended(): void {
    this.#isOver = true;
    for (const ask of [...this.#asks]) this.#finished(ask);
    for (const digest of [...this.#artifacts.keys()]) void this.#leave(digest);
  }
}
