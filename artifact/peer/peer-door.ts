/**
 * A machine's door to the others: one port on which they connect, and the way out to theirs. Both ways end in a `PeerLink`.
 * Not here: what links are used for.
 *
 * PEER-4: what is revoked is cut off at once, in both directions, and let in no more.
 */
import type { X509Certificate } from "node:crypto";
import type { Duplex } from "node:stream";
import { connect, createServer, type Server, type TLSSocket } from "node:tls";
import { errorSentence } from "../../protocol/error-sentence.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import type { Clock } from "../../protocol/time/clock.ts";
import { dialPlaces } from "./dial-places.ts";
import { peerFault, type PeerFault } from "./peer-fault.ts";
import {
  certificateSentence,
  identityOf,
  peerApplication,
  secureOptions,
  type PeerIdentity,
} from "./peer-identity.ts";
import { LinkReader, notMine, PeerLink } from "./peer-link.ts";
import { writeMessage } from "./peer-message.ts";

/** Connections in all, and of one machine. */
const linksMax = 128;
const linksOfOneMax = 8;
/** With those that carry something else by now (`joined-stream.ts`, `relay.ts`). */
const socketsMax = 512;
/** From the first byte of a connection to the end of its handshake, ms. */
const handshakeMs = 5_000;
const dialMs = 8_000;
/** At the end what is told may still leave, ms. */
const farewellMs = 500;

/** Where another machine can be reached, as the tracker says; nothing of it is believed until its certificate says the name. */
export interface Peer {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  /** Other places where it may be, tried in turn. */
  readonly others?: readonly { readonly host: string; readonly port: number }[];
  /** Machines that pass on to it, where it cannot be reached itself. */
  readonly via?: readonly Peer[];
}

/** One that nobody can connect to but through others. */
export type HiddenPeer = Pick<Peer, "name"> & { readonly via: readonly Peer[]; readonly host?: undefined };
export type FarPeer = Peer | HiddenPeer;

export interface PeerDoorOptions {
  readonly identity: PeerIdentity;
  readonly clock: Clock;
  /** Where to listen; null for a machine that only dials out. */
  readonly listen: { readonly host: string; readonly port: number } | null;
  /** A link of either direction is there; both sides may ask on it. */
  readonly onLink: (link: PeerLink) => void;
  readonly say: (line: string) => void;
}

export class PeerDoor {
  readonly #options: PeerDoorOptions;
  readonly #links = new Set<PeerLink>();
  readonly #certificates = new Map<PeerLink, X509Certificate>();
  /** Of whatever came to the port, also what carries something else by now. */
  readonly #sockets = new Set<Duplex>();
  #identity: PeerIdentity;
  #server: Server | null = null;
  #revoked: ReadonlySet<string> = new Set();
  #isClosed = false;

  constructor(options: PeerDoorOptions) {
    this.#options = options;
    this.#identity = options.identity;
  }

  /** Throws the system's error where the port cannot be had. */
  async open(): Promise<void> {
    const { listen } = this.#options;
    const server = createServer({
      ...secureOptions(this.#identity),
      ALPNProtocols: [peerApplication],
      requestCert: true,
      // A certificate that is wrong is told so in a frame, and gets nothing else: see `#arrived`.
      rejectUnauthorized: false,
      handshakeTimeout: handshakeMs,
    });
    server.maxConnections = socketsMax;
    server.on("connection", (socket: Duplex) => {
      this.#sockets.add(socket);
      socket.once("close", () => this.#sockets.delete(socket));
    });
    server.on("secureConnection", (socket) => this.#arrived(socket));
    server.on("tlsClientError", (_error, socket) => socket.destroy());
    this.#server = server;
    // It still takes what a relay brings.
    if (listen === null) return;
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(listen.port, listen.host, () => resolve());
    });
    server.on("error", (error) =>
      this.#options.say(`the port for transfers has trouble: ${errorSentence(error)}`),
    );
  }

  /** The port that it listens on; null where it does not. */
  get port(): number | null {
    const address = this.#server?.address();
    return typeof address === "object" && address !== null ? address.port : null;
  }

  get links(): ReadonlySet<PeerLink> {
    return this.#links;
  }

  /** A new certificate, from the next connection on. */
  renew(identity: PeerIdentity): void {
    this.#identity = identity;
    this.#server?.setSecureContext(secureOptions(identity));
  }

  /** Whom the identity trusts has changed: every connection is looked at again. */
  recheck(): void {
    for (const [link, certificate] of this.#certificates)
      if (this.#identity.trusts(certificate) !== link.peer)
        link.close(peerFault("revoked", `"${link.peer}" is revoked in this mesh`));
  }

  /** All names that are revoked. */
  revoke(names: ReadonlySet<string>): void {
    this.#revoked = names;
    for (const link of this.#links)
      if (names.has(link.peer)) link.close(peerFault("revoked", `"${link.peer}" is revoked in this mesh`));
  }

  /** The connection that there is with a machine, whoever began it; else a new one, to the first of its places where it is. */
  async reach(peer: FarPeer): Promise<Outcome<PeerLink>> {
    const known = [...this.#links].find((link) => link.peer === peer.name);
    return known === undefined ? this.dialNew(peer) : accept(known);
  }

  /** A new one, where it takes any. */
  async dialNew(peer: FarPeer): Promise<Outcome<PeerLink>> {
    if (peer.host === undefined)
      return refuse(
        "unavailable",
        `"${peer.name}" takes no connections, and has opened none to this machine`,
      );
    return this.dialAny(peer);
  }

  /** A new one, to the first of its places where it is; "bare": as `dial` has it. */
  dialAny(peer: Peer, how: "bare" | null = null): Promise<Outcome<PeerLink>> {
    const { name, others = [] } = peer;
    const dial = (place: { readonly host: string; readonly port: number }) =>
      this.dial({ name, host: place.host, port: place.port }, how);
    return dialPlaces([peer, ...others], dial, this.#options.clock);
  }

  /**
   * A connection to a machine that shows itself to be the one that is meant; `through` carries it where given, and
   * where it is "bare" the connection may carry something else later.
   */
  async dial(peer: FarPeer, through: TLSSocket | "bare" | null = null): Promise<Outcome<PeerLink>> {
    const reader = new LinkReader();
    const dialled = await this.#handshake(peer, reader, through);
    if (!dialled.ok) return dialled;
    const socket = dialled.value;
    const name = this.#nameOf(socket);
    if (name.ok && name.value === peer.name) return this.#linked(name.value, socket, reader);
    const why = name.ok ? `it is "${name.value}"` : name.refusal.message;
    socket.destroy();
    return refuse("forbidden", `"${peer.name}" was not found ${whereOf(peer)}: ${why}`);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const link of this.#links) link.close(peerFault("done", "this machine stops"));
    const server = this.#server;
    this.#options.clock.setTimer(farewellMs, () => {
      for (const socket of this.#sockets) socket.destroy();
    });
    if (server?.listening === true) await new Promise<void>((resolve) => server.close(() => resolve()));
  }

  /** A connection that a relay has brought, as if it had come to the port. */
  arrive(socket: TLSSocket): void {
    this.#server?.emit("connection", socket);
  }

  #handshake(
    peer: FarPeer,
    reader: LinkReader,
    through: TLSSocket | "bare" | null,
  ): Promise<Outcome<TLSSocket>> {
    const isOver = through !== null && through !== "bare";
    const place = isOver ? { socket: through } : placeOf(peer);
    const onread = { buffer: () => reader.frames.room, callback: (bytes: number) => takeInto(reader, bytes) };
    const socket = connect({
      ...secureOptions(this.#identity),
      ...place,
      ...(through === null ? { onread } : {}),
      ALPNProtocols: [peerApplication],
      // The name in a certificate is a machine's, not an address: `dial` compares it.
      checkServerIdentity: () => undefined,
    });
    if (through !== null) socket.on("data", (bytes: Buffer) => reader.feed(bytes));
    socket.setNoDelay(true);
    return new Promise((resolve) => {
      const late = this.#options.clock.setTimer(dialMs, () => fail("it does not answer"));
      const fail = (why: string) => {
        late();
        socket.destroy();
        resolve(refuse("unavailable", `"${peer.name}" cannot be reached ${whereOf(peer)}: ${oneLine(why)}`));
      };
      socket.once("secureConnect", () => {
        late();
        socket.removeAllListeners("error");
        socket.on("error", () => {});
        resolve(accept(socket));
      });
      socket.on("error", (error: NodeJS.ErrnoException) => fail(dialSentence(error)));
    });
  }

  #arrived(socket: TLSSocket): void {
    socket.on("error", () => {});
    const name = this.#nameOf(socket);
    const ofOne = [...this.#links].filter((link) => name.ok && link.peer === name.value).length;
    if (!name.ok) return turnAway(socket, name.refusal.message);
    if (this.#links.size >= linksMax || ofOne >= linksOfOneMax)
      return turnAway(socket, "this machine has as many connections as it may");
    socket.setNoDelay(true);
    const reader = new LinkReader();
    socket.on("data", (bytes: Buffer) => reader.feed(bytes));
    this.#linked(name.value, socket, reader);
  }

  #nameOf(socket: TLSSocket): Outcome<string> {
    if (this.#isClosed) return refuse("unavailable", "this machine stops");
    const name = identityOf(socket, this.#identity);
    if (name.ok && this.#revoked.has(name.value))
      return refuse("forbidden", `"${name.value}" is revoked in this mesh`);
    return name;
  }

  #linked(peer: string, socket: TLSSocket, reader: LinkReader): Outcome<PeerLink> {
    const link = new PeerLink({ peer, socket, clock: this.#options.clock, reader });
    this.#links.add(link);
    const certificate = socket.getPeerX509Certificate();
    if (certificate !== undefined) this.#certificates.set(link, certificate);
    link.attach({
      message: () => null,
      place: () => notMine,
      bulk: () => {},
      closed: (fault: PeerFault) => this.#gone(link, fault),
    });
    this.#options.onLink(link);
    return accept(link);
  }

  #gone(link: PeerLink, fault: PeerFault): void {
    this.#links.delete(link);
    this.#certificates.delete(link);
    if (fault.code !== "done" && fault.code !== "closed" && fault.code !== "idle")
      this.#options.say(`the connection with "${link.peer}" was closed: ${fault.message}`);
  }
}

function placeOf(peer: FarPeer): { readonly host: string; readonly port: number } {
  if (peer.host === undefined) throw new Error(`${peer.name} can be reached through others only`);
  return { host: peer.host, port: peer.port };
}

function whereOf(peer: FarPeer): string {
  return peer.host === undefined ? "through others" : `at ${peer.host}:${peer.port}`;
}

function takeInto(reader: LinkReader, bytes: number): boolean {
  reader.took(bytes);
  return true;
}

/** The last thing it hears. */
function turnAway(socket: TLSSocket, reason: string): void {
  socket.end(writeMessage({ kind: "closing", reason }));
  socket.setTimeout(handshakeMs, () => socket.destroy());
  // What it sends meanwhile is read by nobody.
  socket.resume();
}

function dialSentence(error: NodeJS.ErrnoException): string {
  const { code } = error;
  if (code === "ECONNREFUSED") return "nothing listens there";
  if (code === "ECONNRESET") return "it closed the connection during the handshake";
  return code !== undefined && /^[A-Z_]*(CERT|SIGNATURE)[A-Z_]*$/.test(code)
    ? certificateSentence(code)
    : errorSentence(error);
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, " ");
}
