/** The transfer between machines over real connections on loopback: what arrives, and what is refused. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { PeerAuthority } from "../../bench/artifact/peer-certificate.ts";
import { valueOf } from "../../bench/shared/value-of.ts";
import { madeUp, PeerMachine, type MachineOptions } from "../support/peer-machine.ts";

const chunk = 2 ** 20;

describe("transfer", () => {
  let authority: PeerAuthority;
  const machines: PeerMachine[] = [];
  before(() => {
    authority = new PeerAuthority();
  });
  after(async () => {
    for (const machine of machines) await machine.close();
    authority.close();
  });

  async function machine(name: string, options: MachineOptions = {}): Promise<PeerMachine> {
    const made = await PeerMachine.open(name, authority.identity(name), options);
    machines.push(made);
    return made;
  }

  for (const bytes of [0, 1, chunk - 1, chunk, chunk + 1, 7 * chunk, 20 * chunk + 5])
    test(`an artifact of ${bytes} bytes arrives as it was`, async () => {
      const [from, to] = [await machine("from"), await machine("to")];
      const digest = await from.shelf.add(madeUp(bytes));
      const received = valueOf(await to.receive(digest, [from]));
      assert.equal(received.bytes, bytes);
      assert.deepEqual(readFileSync(join(to.folder, digest)), readFileSync(join(from.folder, digest)));
      assert.deepEqual(received.dropped, []);
      assert.equal(received.spareBytes, 0);
    });

  test("FETCH-1: several machines give their parts, and what they give is given on", async () => {
    const sources = [await machine("a"), await machine("b"), await machine("c")];
    let digest = "";
    for (const source of sources) digest = await source.shelf.add(madeUp(40 * chunk));
    const to = await machine("to");
    const received = valueOf(await to.receive(digest, sources));
    assert.ok(received.from.size >= 2, `from ${[...received.from.keys()].join(", ")}`);
    assert.equal(
      [...received.from.values()].reduce((sum, bytes) => sum + bytes, 0),
      40 * chunk,
    );
    const next = await machine("next");
    valueOf(await next.receive(digest, [to]));
  });

  test("UPLOAD-3: many receive at once and serve each other while they receive", async () => {
    const source = await machine("source", { limits: { slots: 8, bytesPerSecond: 20 * chunk } });
    const digest = await source.shelf.add(madeUp(24 * chunk));
    const all = await Promise.all(["r1", "r2", "r3", "r4", "r5", "r6"].map((name) => machine(name)));
    const received = await Promise.all(
      all.map((one) => one.receive(digest, [source, ...all.filter((other) => other !== one)])),
    );
    for (const one of received) valueOf(one);
    // Six times the artifact arrived; whoever has it first sent far less than that.
    assert.ok(source.upload.sentBytes < 4 * 24 * chunk, `${source.upload.sentBytes / chunk} chunks`);
  });

  test("FETCH-4: many slow machines at once, each in the middle of a chunk, keep nobody waiting and are not dropped", async () => {
    const limits = { slots: 8, bytesPerSecond: chunk };
    const pieces = [...madeUp(70 * chunk, 9)];
    const from = await Promise.all(
      Array.from({ length: 18 }, async (_, index) => {
        const one = await machine(`slow-${index}`, { limits });
        await one.shelf.add(pieces);
        return one;
      }),
    );
    const digest = await from[0]?.shelf.add(pieces);
    const to = await machine("patient");
    const { dropped, from: givers } = valueOf(await to.receive(digest ?? "", from));
    assert.deepEqual(dropped, []);
    assert.ok(givers.size > 12, `${givers.size} gave`);
  });

  test("UPLOAD-1: what the owner allows is held over a connection, and may be changed under way", async () => {
    const perSecond = 8 * chunk;
    const from = await machine("from", { limits: { slots: 8, bytesPerSecond: perSecond } });
    const digest = await from.shelf.add(madeUp(12 * chunk));
    const to = await machine("to");
    const began = performance.now();
    valueOf(await to.receive(digest, [from]));
    const seconds = (performance.now() - began) / 1_000;
    assert.ok(seconds > 12 / 8 - 0.1, `${seconds} s`);
    // At the old rate this one would not be over in its time: a busy machine may be slow, but not that much.
    from.upload.change({ slots: 8, bytesPerSecond: 1 });
    const other = await machine("other");
    const again = other.receive(digest, [from]);
    await sleep(300);
    from.upload.change({ slots: 8, bytesPerSecond: null });
    valueOf(await again);
  });

  test("FETCH-1: what was kept when a machine was stopped is not asked for again", async () => {
    const from = await machine("from", { limits: { slots: 8, bytesPerSecond: 20 * chunk } });
    const digest = await from.shelf.add(madeUp(30 * chunk));
    const to = await machine("to");
    const sent = () => from.upload.sentBytes;
    for (let stops = 0; ; stops++) {
      const stop = new AbortController();
      const chunksBefore = sent() / chunk;
      const outcome = await to.receive(digest, [from], {
        signal: stop.signal,
        onProgress: ({ keptChunks }) => keptChunks >= chunksBefore + 6 && stop.abort(),
      });
      if (outcome.ok) break;
      assert.match(outcome.refusal.message, /was stopped/);
      assert.ok(stops < 10);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    assert.equal(to.shelf.writtenBytes, 30 * chunk);
  });
});
