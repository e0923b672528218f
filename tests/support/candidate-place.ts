/** One coordinator over a bus and disks in memory, for tests of what it finds when it starts. Not a mesh: no agents, no people. */
import { startCandidate, type Candidate } from "../../coordinator/leader/candidate.ts";
import { hashOf, journalFormat } from "../../coordinator/journal/batch.ts";
import { Journal, startPosition, type Position } from "../../coordinator/journal/journal.ts";
import { sealBatch } from "../../coordinator/journal/seal.ts";
import type { Event } from "../../coordinator/format/event.ts";
import type { State } from "../../coordinator/state/state.ts";
import { MemoryHub } from "./bus/memory-hub.ts";
import { randomStream } from "../../search/space/random-stream.ts";
import { openClient, type MeshClient } from "../../protocol/client.ts";
import { toBytes } from "../../protocol/json-bytes.ts";
import { streamSpecsOf, streamsOf, subjectsOf } from "../../protocol/subjects.ts";
import { inlineSampler } from "./inline-sampler.ts";
import { MemoryDisk } from "./memory-store.ts";
import { keysOf } from "./order-key.ts";
import type { Store } from "../../store/store.ts";
import { VirtualClock } from "./virtual-clock.ts";

export const placeMesh = "place";
const clientPatienceMs = 1_000;

interface Disks {
  readonly projection: MemoryDisk;
  readonly copy: MemoryDisk;
}

export class CandidatePlace {
  readonly clock = new VirtualClock();
  readonly hub = new MemoryHub({ clock: this.clock, seed: 1 });
  readonly bus = this.hub.connect("writer");
  readonly projection = new MemoryDisk();
  readonly copy = new MemoryDisk();
  readonly keys = keysOf(placeMesh);
  readonly lines: string[] = [];
  readonly halts: string[] = [];
  state: State | null = null;
  #last: Position = startPosition;
  readonly #random = () => this.#chance.next();
  readonly #chance = randomStream(1, "place", 0);

  async streams(): Promise<void> {
    for (const spec of streamSpecsOf(placeMesh, 1, "secret"))
      await this.clock.settle(this.bus.ensureStream(spec));
  }

  /** Appends a message to the journal as it is, hash and signature apart. */
  async append(batch: Readonly<Record<string, unknown>>): Promise<void> {
    const sequence = this.#last.sequence + 1;
    const isSealed = batch["v"] === journalFormat;
    const signedFrom = this.#last.signedFrom ?? (isSealed ? sequence : null);
    const chained = { ...batch, prev: this.#last.hash };
    const bytes = isSealed
      ? sealBatch(this.keys.signer, placeMesh, toBytes({ ...chained, signedFrom }))
      : toBytes(chained);
    await this.clock.settle(
      this.bus.append(streamsOf(placeMesh).journal, subjectsOf(placeMesh).journal("secret"), bytes),
    );
    this.#last = { sequence, hash: hashOf(bytes), signedFrom };
  }

  async write(epoch: number, ...events: readonly Event[]): Promise<void> {
    await this.append({ v: journalFormat, epoch, at: this.clock.now(), events });
  }

  /** A second one has disks of its own. */
  start(name = "one", restoreJournal = false, { copy, projection }: Disks = this): Candidate {
    return startCandidate({
      mesh: placeMesh,
      name,
      bus: this.hub.connect(name),
      keys: this.keys,
      store: opened(projection),
      journalCopy: opened(copy),
      sampler: inlineSampler,
      clock: this.clock,
      random: this.#random,
      restoreJournal,
      log: (line) => this.lines.push(line),
      onHalt: (reason) => this.halts.push(reason),
      onState: (state) => {
        this.state = state;
      },
    });
  }

  /** The mesh's owner, as a client of whoever leads. */
  owner(): MeshClient {
    let keys = 0;
    return openClient({
      mesh: placeMesh,
      role: "owner",
      who: "owner",
      bus: this.hub.connect("owner"),
      clock: this.clock,
      newKey: () => `key-${++keys}-of-the-owner`,
      patienceMs: clientPatienceMs,
    });
  }

  loseTail(count: number): void {
    this.hub.loseTail(streamsOf(placeMesh).journal, count);
  }

  damage(sequence: number, data: Uint8Array | null): void {
    this.hub.damage(streamsOf(placeMesh).journal, sequence, data);
  }

  deleteJournal(): void {
    this.hub.deleteStream(streamsOf(placeMesh).journal);
  }

  async messages(): Promise<readonly Uint8Array[]> {
    const raw = await this.clock.settle(this.bus.readStream(streamsOf(placeMesh).journal, 1, 1_000));
    return raw.map(({ data }) => Uint8Array.from(data));
  }

  journal(): Journal {
    return new Journal(this.hub.connect("reader"), placeMesh, this.clock, this.keys);
  }
}

export function opened(disk: MemoryDisk): Store {
  const opening = disk.open("1");
  if (opening.kind === "refused") throw new Error(opening.refusal.message);
  return opening.store;
}
