/** The transfer between two machines' stores: what is whole, what is still coming, and what an earlier run left. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fetchArtifact } from "../../artifact/cache/fetch-artifact.ts";
import type { Received } from "../../artifact/peer/download.ts";
import { PeerDoor } from "../../artifact/peer/peer-door.ts";
import { PeerSource } from "../../artifact/peer/peer-source.ts";
import type { ShelvedArtifact } from "../../artifact/peer/shelf.ts";
import { shelfOfStore } from "../../artifact/peer/store-shelf.ts";
import { Upload } from "../../artifact/peer/upload.ts";
import { serveUploads } from "../../artifact/peer/upload-session.ts";
import { openArtifactStore } from "../../artifact/store/open-artifact-store.ts";
import type { StoredFile } from "../../artifact/store/stored-file.ts";
import { PeerAuthority } from "../../bench/artifact/peer-certificate.ts";
import { valueOf } from "../../bench/shared/value-of.ts";
import { systemClock } from "../../protocol/time/system-clock.ts";
import { madeUp } from "../support/peer-machine.ts";

const chunk = 2 ** 20;

async function nodeOf(file: StoredFile, digest: string): Promise<Uint8Array | null> {
  for await (const node of file.nodes()) if (node.digest === digest) return node.data;
  return null;
}

describe("transfer between stores", () => {
  let authority: PeerAuthority;
  const ends: (() => Promise<void> | void)[] = [];
  before(() => {
    authority = new PeerAuthority();
  });
  after(async () => {
    for (const end of ends.toReversed()) await end();
    authority.close();
  });

  async function machine(name: string, bytesPerSecond: number | null = null) {
    const folder = mkdtempSync(join(tmpdir(), "trialmesh-peer-store-"));
    const store = valueOf(openArtifactStore({ folder, clock: systemClock, quotaBytes: null }));
    const shelf = shelfOfStore(store);
    const upload = new Upload({ shelf, clock: systemClock, limits: { slots: 8, bytesPerSecond } });
    const door = new PeerDoor({
      identity: authority.identity(name),
      ...{ clock: systemClock, listen: { host: "127.0.0.1", port: 0 }, say: () => {} },
      onLink: (link) => serveUploads(link, upload),
    });
    await door.open();
    ends.push(
      () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }),
      () => store.close(),
      () => door.close(),
    );
    return { name, store, upload, door, peer: { name, host: "127.0.0.1", port: door.port ?? 0 } };
  }
  type Machine = Awaited<ReturnType<typeof machine>>;

  async function fetch(
    to: Machine,
    digest: string,
    from: readonly Machine[],
    signal = new AbortController().signal,
  ) {
    let received: Received | null = null;
    const source = new PeerSource({
      peersOf: () => Promise.resolve(from.map(({ peer }) => peer)),
      reach: (peer) => to.door.reach(peer),
      ...{ clock: systemClock, random: Math.random, bytesMax: 2 ** 40, giveUpMs: 3_000 },
      onReceived: (one) => (received = one),
    });
    const fetched = await fetchArtifact(to.store, digest, {
      ...{ sources: [source], signal, say: () => {} },
      readPlain: () => Promise.resolve({ kind: "missing" as const }),
    });
    return { fetched, received: received as Received | null };
  }

  for (const bytes of [0, 5, chunk, chunk + 1, 9 * chunk + 3])
    test(`an artifact of ${bytes} bytes goes from one store to another, and on`, async () => {
      const [a, b, c] = [await machine("a"), await machine("b"), await machine("c")];
      const whole = Buffer.concat([...madeUp(bytes)]);
      const { digest, held } = await a.store.addBytes(whole);
      held.release();
      for (const [to, from] of [
        [b, a],
        [c, b],
      ] as const) {
        const { fetched } = await fetch(to, digest, [from]);
        assert.ok(fetched.kind === "here", JSON.stringify(fetched));
        assert.deepEqual(readFileSync(fetched.held.path), whole);
        fetched.held.release();
      }
    });

  test("FETCH-1: what came before it was given up is not fetched again, and what is coming is given on meanwhile", async () => {
    const [a, b, c] = [await machine("a", 8 * chunk), await machine("b"), await machine("c")];
    const whole = Buffer.concat([...madeUp(24 * chunk)]);
    const { digest } = await a.store.addBytes(whole);
    const stop = new AbortController();
    setTimeout(() => stop.abort(), 1_200);
    const first = await fetch(b, digest, [a], stop.signal);
    assert.equal(first.fetched.kind, "failed");
    const before = a.upload.sentBytes;
    const [second, third] = await Promise.all([fetch(b, digest, [a]), fetch(c, digest, [b])]);
    for (const { fetched } of [second, third]) {
      assert.ok(fetched.kind === "here", JSON.stringify(fetched));
      assert.deepEqual(readFileSync(fetched.held.path), whole);
    }
    assert.ok(before > 3 * chunk);
    // All of it once, and of what was on its way when it was given up less than was asked for at once.
    assert.ok(a.upload.sentBytes <= 24 * chunk + 4 * chunk, `${a.upload.sentBytes / chunk} chunks`);
    assert.deepEqual([...(third.received?.from.keys() ?? [])], ["b"]);
  });

  test("what is read while it comes is read on when it has become whole: its nodes and its chunks", async () => {
    const [a, b] = [await machine("a"), await machine("b")];
    const whole = Buffer.concat([...madeUp(5 * chunk + 1, 7)]);
    const { digest, held } = await a.store.addBytes(whole);
    const from = await a.store.openWhole(digest);
    assert.ok(from !== null);
    let shelved: ShelvedArtifact | null = null;
    const brought = await b.store.bring(digest, async (work) => {
      for (let taken = work.take({ countMax: 1 }); taken !== null; taken = work.take({ countMax: 1 })) {
        const [wanted] = taken;
        assert.ok(wanted !== undefined);
        if (wanted.index === 5) {
          shelved = await shelfOfStore(b.store).open(digest);
          assert.ok(shelved !== null);
          assert.notEqual(await shelved.node(digest), null);
        }
        const data =
          wanted.index === null ? await nodeOf(from, wanted.digest) : await from.read(wanted.index, 1);
        assert.ok(data !== null && (await work.give(wanted, data)));
      }
    });
    assert.ok(brought !== null);
    const opened = shelved as ShelvedArtifact | null;
    assert.ok(opened !== null);
    const [node, again, read] = await Promise.all([
      opened.node(digest),
      opened.node(digest),
      opened.read(3, Buffer.alloc(chunk)),
    ]);
    assert.deepEqual([node, again, read], [await nodeOf(from, digest), node, chunk]);
    opened.close();
    await from.close();
    for (const one of [held, brought]) one.release();
  });

  test("what becomes whole while others have it from there is had to its end", async () => {
    for (let round = 0; round < 6; round++) {
      const [a, b, c] = [await machine("a"), await machine("b"), await machine("c")];
      const whole = Buffer.concat([...madeUp(20 * chunk + round, round)]);
      const { digest } = await a.store.addBytes(whole);
      const [second, third] = await Promise.all([fetch(b, digest, [a]), fetch(c, digest, [b])]);
      for (const { fetched } of [second, third]) {
        assert.ok(fetched.kind === "here", JSON.stringify(fetched));
        assert.deepEqual(readFileSync(fetched.held.path), whole);
      }
    }
  });
});
