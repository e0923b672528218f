/** PEER-2 to 4, FETCH-3 and 4: machines that lie, stall, flood, vanish, or are not who they say: each found, dropped, told. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { connect as connectPlain } from "node:net";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { connect } from "node:tls";
import { secureOptions } from "../../artifact/peer/peer-identity.ts";
import { notMine, type PeerLink } from "../../artifact/peer/peer-link.ts";
import { writeBulkHead, writeMessage, type PeerMessage } from "../../artifact/peer/peer-message.ts";
import { PeerAuthority, type Validity } from "../../bench/artifact/peer-certificate.ts";
import { valueOf } from "../../bench/shared/value-of.ts";
import { madeUp, PeerMachine, type MachineOptions } from "../support/peer-machine.ts";

const chunk = 2 ** 20;
const size = 12 * chunk + 77;

/** What a machine does in place of sending a chunk that it was asked for. */
type Deed = (link: PeerLink, id: number, index: number) => void;

function chunkFrame(id: number, index: number, bytes: number): Buffer {
  const frame = Buffer.alloc(13 + bytes, 0x5a);
  writeBulkHead(frame, "chunk", id, index, bytes);
  return frame;
}

const bytesOf = (index: number) => Math.min(chunk, size - index * chunk);

const deeds: Readonly<
  Record<string, { readonly does: Deed; readonly code: string; readonly asks?: RegExp }>
> = {
  "sends other bytes": {
    does: (link, id, index) => void link.sendBulk(chunkFrame(id, index, bytesOf(index)), null),
    code: "wrong-bytes",
  },
  "sends fewer bytes than the chunk has": {
    does: (link, id, index) => void link.sendBulk(chunkFrame(id, index, bytesOf(index) - 1), null),
    code: "malformed",
  },
  "sends a chunk that nobody asked for": {
    does: (link, id) => void link.sendBulk(chunkFrame(id, 4_000_000, 9), null),
    code: "not-asked",
  },
  "sends to a question that nobody asked": {
    does: (link, id, index) => void link.sendBulk(chunkFrame(id + 77, index, bytesOf(index)), null),
    code: "not-asked",
  },
  "says a length of 4 GiB": {
    does: (link) => void link.sendBulk(Buffer.from("ffffffff0f", "hex"), null),
    code: "malformed",
  },
  "sends noise": { does: (link) => void link.sendBulk(Buffer.alloc(5_000, 0xee), null), code: "malformed" },
  "sends half a chunk and stops": {
    // The second half of one is the first of the next, and then nothing comes.
    does: (link, id, index) =>
      void link.sendBulk(chunkFrame(id, index, bytesOf(index)).subarray(0, chunk / 4), null),
    code: "stalled",
  },
  "says that it will and sends nothing": { does: () => {}, code: "stalled" },
  "goes away": {
    does: (link) => link.close({ code: "done", message: "I have to go" }),
    code: "closed",
    asks: /I have to go/,
  },
};

/** Says that it holds all, chooses what is asked for, and does a deed at the first chunk. */
function misbehave(does: Deed) {
  return (link: PeerLink): void => {
    const answer = (message: PeerMessage): null => {
      if (message.kind === "watch")
        link.send({ kind: "holds", id: message.id, ranges: [{ first: 0, count: Math.ceil(size / chunk) }] });
      if (message.kind === "get")
        link.send({ kind: "refused", id: message.id, reason: "not-here", waitMs: 0 });
      if (message.kind === "ask") {
        const { first } = message.ranges[0] ?? { first: 0 };
        link.send({ kind: "chosen", id: message.id, ranges: [{ first, count: 1 }] });
        does(link, message.id, first);
      }
      return null;
    };
    link.attach({ message: answer, place: () => notMine, bulk: () => {}, closed: () => {} });
  };
}

describe("hostile machines", () => {
  let authority: PeerAuthority;
  const machines: PeerMachine[] = [];
  before(() => {
    authority = new PeerAuthority();
  });
  after(async () => {
    for (const machine of machines) await machine.close();
    authority.close();
  });

  async function machine(
    name: string,
    options: MachineOptions = {},
    validity: Validity = {},
  ): Promise<PeerMachine> {
    const made = await PeerMachine.open(name, authority.identity(name, new Set(), validity), options);
    machines.push(made);
    return made;
  }

  for (const [deed, { asks, code, does }] of Object.entries(deeds))
    test(`FETCH-4, PEER-2: a machine that ${deed} is dropped within one chunk and told, and the others give all`, async () => {
      const right = await machine("right", { limits: { slots: 8, bytesPerSecond: 40 * chunk } });
      const digest = await right.shelf.add(madeUp(size));
      const bad = await machine("bad", { serve: misbehave(does) });
      const to = await machine("to");
      const received = valueOf(await to.receive(digest, [right, bad]));
      assert.deepEqual(readFileSync(join(to.folder, digest)), readFileSync(join(right.folder, digest)));
      assert.deepEqual([...received.from.keys()], ["right"]);
      assert.equal(to.shelf.writtenBytes, size);
      // Whoever is only slow to begin may be overtaken before it is found out.
      if (code === "stalled" && received.dropped.length === 0) return;
      assert.deepEqual(
        received.dropped.map(({ fault, peer }) => [peer, fault.code]),
        [["bad", code]],
      );
      if (asks !== undefined) assert.match(received.dropped[0]?.fault.message ?? "", asks);
      if (code !== "closed" && code !== "stalled")
        assert.match(to.said.join("\n"), /"bad" was closed: (it sent|chunk)/);
    });

  test("FETCH-4: one that answers nothing at all is found where nobody else has it, and the refusal says why", async () => {
    const silent = await machine("silent", { serve: () => {} });
    const to = await machine("to");
    const began = performance.now();
    const outcome = await to.receive("ab".repeat(32), [silent], { giveUpMs: 300 });
    assert.ok(!outcome.ok);
    assert.match(
      outcome.refusal.message,
      /cannot be had: "silent": it owed an answer and sent no byte of one for 4 s/,
    );
    assert.ok(performance.now() - began < 60_000);
  });

  test("FETCH-4: one that answers nothing holds up nobody where another has it", async () => {
    const silent = await machine("silent", { serve: () => {} });
    const right = await machine("right");
    const digest = await right.shelf.add(madeUp(size));
    const to = await machine("to");
    const began = performance.now();
    valueOf(await to.receive(digest, [silent, right]));
    assert.ok(performance.now() - began < 30_000);
  });

  test("FETCH-3: a node that is not what its digest names ends the link, and no size is believed", async () => {
    const digest = "ab".repeat(32);
    const liar = await machine("liar", {
      serve: (link) => {
        link.attach({
          message: (message) => {
            if (message.kind !== "get") return null;
            const frame = Buffer.alloc(13 + 100, 1);
            writeBulkHead(frame, "node", message.id, 0, 100);
            void link.sendBulk(frame, null);
            return null;
          },
          place: () => notMine,
          bulk: () => {},
          closed: () => {},
        });
      },
    });
    const to = await machine("to");
    const outcome = await to.receive(digest, [liar], { giveUpMs: 200 });
    assert.ok(!outcome.ok && /sent other bytes than abab/.test(outcome.refusal.message));
    const source = await machine("source");
    const large = await source.shelf.add(madeUp(3 * chunk));
    const refused = await to.receive(large, [source], { bytesMax: 2 * chunk });
    assert.ok(!refused.ok && /3145728 bytes, where 2097152 are the most/.test(refused.refusal.message));
    assert.equal(to.shelf.writtenBytes, 0);
  });

  test("PEER-3: foreign, expired and revoked certificates, and none, are told apart and get nothing", async () => {
    const server = await machine("server");
    const digest = await server.shelf.add(madeUp(2 * chunk));
    const other = new PeerAuthority("another mesh");
    const refusedWith = async (name: string, identity: Parameters<typeof PeerMachine.open>[1]) => {
      const stranger = await PeerMachine.open(name, identity);
      machines.push(stranger);
      const outcome = await stranger.receive(digest, [server], { giveUpMs: 300 });
      assert.ok(!outcome.ok);
      assert.equal(stranger.shelf.writtenBytes, 0);
      return outcome.refusal.message;
    };
    assert.match(await refusedWith("foreign", other.identity("foreign")), /not signed by this mesh/);
    // It trusts this mesh, and this mesh does not trust it.
    const half = { ...other.identity("half"), authority: authority.certificate };
    assert.match(await refusedWith("half", half), /not signed by this mesh/);
    const old = authority.identity("old", new Set(), { days: -1 });
    assert.match(await refusedWith("old", old), /has expired, or one of the two clocks is wrong/);
    server.door.revoke(new Set(["gone"]));
    assert.match(await refusedWith("gone", authority.identity("gone")), /"gone" is revoked/);
    const named = authority.identity("named");
    const nobody = { ...named, trusts: () => null };
    assert.match(await refusedWith("suspicious", nobody), /revoked, or none of an agent/);
    other.close();
  });

  test("PEER-3: a machine at the address of another is not taken for it", async () => {
    const [right, wrong, to] = [await machine("right"), await machine("wrong"), await machine("to")];
    const outcome = await to.door.dial({ ...wrong.peer, name: right.name });
    assert.ok(!outcome.ok && /"right" was not found at .*: it is "wrong"/.test(outcome.refusal.message));
  });

  test("PEER-4: revoked, a machine is cut off in the middle of a transfer, from both sides, within 2 s", async () => {
    for (const side of ["server", "client"]) {
      const server = await machine("server", { limits: { slots: 8, bytesPerSecond: chunk } });
      const digest = await server.shelf.add(madeUp(20 * chunk));
      const client = await machine("client");
      const transfer = client.receive(digest, [server], { giveUpMs: 3_000 });
      await new Promise((resolve) => setTimeout(resolve, 1_500));
      if (side === "server") server.door.revoke(new Set(["client"]));
      else client.door.revoke(new Set(["server"]));
      assert.equal(
        [...server.door.links, ...client.door.links].filter(({ peer }) => peer !== side).length,
        0,
      );
      const sent = server.upload.sentBytes;
      const outcome = await transfer;
      assert.ok(!outcome.ok && /revoked/.test(outcome.refusal.message), JSON.stringify(outcome));
      assert.ok(server.upload.sentBytes <= sent + chunk);
    }
  });

  test("PEER-2: what says nothing, drips, or speaks another version or something else is closed in time", async () => {
    const server = await machine("server");
    const port = server.door.port ?? 0;
    const identity = authority.identity("drip");
    const hello = writeMessage({ kind: "hello", version: 1 });
    const cases: Readonly<
      Record<string, readonly [first: Uint8Array, drip: Uint8Array | null, told: RegExp]>
    > = {
      silent: [new Uint8Array(0), null, /did not greet/],
      drip: [hello.subarray(0, 3), null, /did not greet|did not end a frame|no byte/],
      "drip after greeting": [
        hello,
        writeMessage({ kind: "ping", id: 1 }).subarray(0, 1),
        /did not end a frame|unknown kind/,
      ],
      version: [writeMessage({ kind: "hello", version: 9 }), null, /version 9 of the transfer protocol/],
      question: [writeMessage({ kind: "ping", id: 1 }), null, /before its greeting/],
      http: [Buffer.from("GET / HTTP/1.1\r\n\r\n"), null, /frame/],
    };
    await Promise.all(
      Object.entries(cases).map(async ([name, [first, drip, told]]) => {
        const socket = connect({
          ...secureOptions(identity),
          host: "127.0.0.1",
          port,
          checkServerIdentity: () => undefined,
        });
        const heard: Buffer[] = [];
        socket.on("data", (bytes: Buffer) => heard.push(bytes));
        socket.on("error", () => {});
        socket.on("secureConnect", () => socket.write(first));
        const dripping = setInterval(() => drip !== null && socket.writable && socket.write(drip), 300);
        const began = performance.now();
        await new Promise((resolve) => socket.once("close", resolve));
        clearInterval(dripping);
        assert.ok(performance.now() - began < 60_000, `${name}: ${performance.now() - began} ms`);
        assert.match(Buffer.concat(heard).toString(), told, name);
      }),
    );
    // Not even a handshake.
    const plain = connectPlain(port, "127.0.0.1");
    plain.on("error", () => {});
    await new Promise((resolve) => plain.once("close", resolve).resume());
  });
});
