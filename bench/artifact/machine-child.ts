/**
 * One machine of the bench, in a process (and where asked in a network) of its own: it serves a folder, receives into one, or
 * does the same over bare TLS. Told what to do in one word of JSON; says its port and what it measured, a line of JSON each.
 */
import { readFileSync } from "node:fs";
import { connect, createServer } from "node:tls";
import * as z from "zod";
import { fetchArtifact } from "../../artifact/cache/fetch-artifact.ts";
import type { Received } from "../../artifact/peer/download.ts";
import { PeerDoor } from "../../artifact/peer/peer-door.ts";
import { PeerSource } from "../../artifact/peer/peer-source.ts";
import { shelfOfStore } from "../../artifact/peer/store-shelf.ts";
import { secureOptions, type PeerIdentity } from "../../artifact/peer/peer-identity.ts";
import { Upload } from "../../artifact/peer/upload.ts";
import { serveUploads } from "../../artifact/peer/upload-session.ts";
import { openArtifactStore } from "../../artifact/store/open-artifact-store.ts";
import { longText } from "../../protocol/bound.ts";
import { bytesPerMiB } from "../../protocol/byte-unit.ts";
import { systemClock } from "../../protocol/time/system-clock.ts";
import { valueOf } from "../shared/value-of.ts";
import { joinTracker, serveBenchTracker, type Tracked } from "./bench-tracker.ts";
import { machineOrderSchema } from "./machine-order.ts";
import { nameIn } from "./peer-certificate.ts";

const identitySchema = z.object({ key: longText, certificate: longText, authority: longText });
const order = machineOrderSchema.parse(JSON.parse(process.argv[2] ?? ""));
const identity: PeerIdentity = {
  ...identitySchema.parse(JSON.parse(readFileSync(order.identity, "utf8"))),
  trusts: (certificate) => nameIn(certificate, new Set()),
};

// So that a profile is written.
process.once("SIGTERM", () => process.exit());
switch (order.role) {
  case "serve":
  case "receive":
    await transfer();
    break;
  case "track":
    await serveBenchTracker(order.server);
    say({ port: 0 });
    break;
  case "raw-serve":
    rawServe();
    break;
  case "raw-take":
    rawTake();
    break;
}

function say(line: object): void {
  console.log(JSON.stringify(line));
}

/** So far, of this process, s. */
function processorSeconds(): number {
  const { system, user } = process.cpuUsage();
  return (system + user) / 1e6;
}

function maxRssMiB(): number {
  return process.resourceUsage().maxRSS / 1_024;
}

async function transfer(): Promise<void> {
  const { artifact, folder } = order;
  const store = valueOf(openArtifactStore({ folder, clock: systemClock, quotaBytes: null }));
  const limits = { slots: order.slots, bytesPerSecond: null };
  const upload = new Upload({ shelf: shelfOfStore(store), clock: systemClock, limits });
  const door = new PeerDoor({
    ...{ identity, clock: systemClock, listen: { host: order.host, port: order.port } },
    onLink: (link) => serveUploads(link, upload),
    say: (line) => console.error(line),
  });
  await door.open();
  // An agent has read what it holds when it gives it; what that takes is not part of the transfer.
  await (await store.openWhole(artifact))?.close();
  const tracked = await others(door.port ?? 0);
  say({ port: door.port });
  process.on("SIGUSR2", () => {
    say({ sent: upload.sentBytes, rssMiB: maxRssMiB(), processorSeconds: processorSeconds() });
  });
  if (order.role === "serve") return;
  // All begin at one word.
  await new Promise((resolve) => process.stdin.once("data", resolve));
  const [began, before] = [performance.now(), processorSeconds()];
  let received: Received | null = null;
  tracked.teller?.added({ digest: artifact, part: true });
  const source = new PeerSource({
    peersOf: tracked.peersOf,
    reach: (peer) => door.reach(peer),
    ...{ clock: systemClock, random: Math.random, bytesMax: Number.MAX_SAFE_INTEGER },
    onReceived: (one) => (received = one),
  });
  const fetched = await fetchArtifact(store, artifact, {
    ...{ sources: [source], signal: new AbortController().signal },
    readPlain: () => Promise.resolve({ kind: "missing" }),
    say: (line) => console.error(line),
  });
  if (fetched.kind !== "here") throw new Error(fetched.kind === "failed" ? fetched.message : fetched.kind);
  const seconds = (performance.now() - began) / 1_000;
  say({
    ...{ seconds, bytes: fetched.held.bytes, rssMiB: maxRssMiB() },
    ...spareAndFrom(received),
    processorSeconds: processorSeconds() - before,
  });
}

/** As the server says, or as this machine was told when it started. */
async function others(port: number): Promise<Pick<Tracked, "peersOf"> & Partial<Tracked>> {
  const { artifact, host, name, peers, role, server } = order;
  if (server === "") return { peersOf: () => Promise.resolve(peers.filter((peer) => peer.name !== name)) };
  const all = role === "serve" ? [{ digest: artifact }] : [];
  return joinTracker(server, { name, address: `${host}:${port}`, all });
}

function spareAndFrom(received: Received | null) {
  return {
    spareBytes: received?.spareBytes ?? 0,
    from: Object.fromEntries(received?.from ?? []),
  };
}

/** As fast as Node goes: one buffer, written again and again. */
function rawServe(): void {
  const piece = Buffer.alloc(bytesPerMiB, 0x5a);
  const server = createServer({ ...secureOptions(identity), requestCert: true }, (socket) => {
    socket.setNoDelay(true);
    socket.on("error", () => {});
    let left = order.bytes;
    const more = () => {
      if (left <= 0) return void socket.end();
      const part = piece.subarray(0, Math.min(left, piece.length));
      left -= part.length;
      socket.write(part, more);
    };
    more();
  });
  server.listen(order.port, order.host, () => {
    const address = server.address();
    say({ port: typeof address === "object" ? address?.port : null });
  });
}

/** Into one buffer, which nobody looks at. */
function rawTake(): void {
  const [peer] = order.peers;
  if (peer === undefined) throw new Error("nobody to take it from");
  let bytes = 0;
  let began = 0;
  const room = Buffer.alloc(bytesPerMiB);
  const took = (count: number): boolean => {
    bytes += count;
    if (bytes >= order.bytes) socket.end();
    return true;
  };
  const socket = connect({
    ...secureOptions(identity),
    ...{ host: peer.host, port: peer.port, checkServerIdentity: () => undefined },
    ...{ onread: { buffer: room, callback: took } },
  });
  let before = 0;
  socket.on("secureConnect", () => {
    [began, before] = [performance.now(), processorSeconds()];
  });
  socket.on("close", () => {
    const seconds = (performance.now() - began) / 1_000;
    say({ seconds, bytes, rssMiB: maxRssMiB(), processorSeconds: processorSeconds() - before });
  });
}
