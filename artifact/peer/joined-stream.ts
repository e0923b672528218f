/**
 * The side of a machine on which replicas run: whoever may is joined, on a connection of the door for peers, to the replica of a fence. What goes over
 * it then is the two's own. Not here: who may and where the replica is asked (whoever gives `placeOf`), and the other side (`join-stream.ts`).
 *
 * SERVED-3: nobody is joined but those who may ask the replica, by certificates that the mesh signed; PEER-4 holds for what was joined too.
 */
import type { X509Certificate } from "node:crypto";
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import type { Outcome } from "../../protocol/refusal.ts";
import type { Clock } from "../../protocol/time/clock.ts";
import { notMine, type PeerLink } from "./peer-link.ts";
import { writeMessage, type PeerRefusal } from "./peer-message.ts";

/** Connections that are joined at once, in all and of one who asks: each carries one request at a time. */
const joinedMax = 256;
const joinedOfOneMax = 128;
/** What was said last may still leave, ms. */
const farewellMs = 500;

export interface JoinedStreamsOptions {
  readonly clock: Clock;
  /** Whether a peer may ask the replica of a fence, and then a connection to it. */
  readonly placeOf: (peer: string, fence: number) => (() => Promise<Outcome<Socket>>) | PeerRefusal;
}

interface Joined {
  readonly peer: string;
  readonly fence: number;
  readonly certificate: X509Certificate | undefined;
  readonly far: TLSSocket;
  readonly near: Socket;
}

export class JoinedStreams {
  readonly #options: JoinedStreamsOptions;
  readonly #joined = new Set<Joined>();
  #joining = 0;

  constructor(options: JoinedStreamsOptions) {
    this.#options = options;
  }

  /** Answers who asks on this link. */
  serve(link: PeerLink): void {
    link.attach({
      message: (message) => {
        if (message.kind === "join") void this.#join(link, message.fence);
        return null;
      },
      place: () => notMine,
      bulk: () => {},
      closed: () => {},
    });
  }

  /** Nothing more goes to or from that replica on connections of before. */
  cut(fence: number): void {
    for (const joined of this.#joined) if (joined.fence === fence) end(joined);
  }

  /** PEER-4: whom the mesh trusts has changed. */
  recheck(trusts: (certificate: X509Certificate) => string | null): void {
    for (const joined of this.#joined)
      if (joined.certificate === undefined || trusts(joined.certificate) !== joined.peer) end(joined);
  }

  close(): void {
    for (const joined of this.#joined) end(joined);
  }

  async #join(link: PeerLink, fence: number): Promise<void> {
    const refuseIt = (reason: PeerRefusal) => link.send({ kind: "refused", id: 0, reason, waitMs: 0 });
    const place = this.#options.placeOf(link.peer, fence);
    if (typeof place === "string") return refuseIt(place);
    const ofOne = [...this.#joined].filter(({ peer }) => peer === link.peer).length;
    if (this.#joined.size + this.#joining >= joinedMax || ofOne >= joinedOfOneMax) return refuseIt("busy");
    this.#joining++;
    const near = await place();
    this.#joining--;
    if (!near.ok) return refuseIt("not-here");
    if (link.fault !== null) return void near.value.destroy();
    this.#hold(link, fence, near.value);
  }

  #hold(link: PeerLink, fence: number, near: Socket): void {
    const far = link.takeSocket();
    const joined = { peer: link.peer, fence, certificate: far.getPeerX509Certificate(), far, near };
    this.#joined.add(joined);
    far.write(writeMessage({ kind: "connected" }));
    far.pipe(near);
    near.pipe(far);
    far.on("error", () => near.destroy());
    near.on("error", () => far.destroy());
    far.once("close", () => {
      this.#joined.delete(joined);
      near.destroy();
    });
    // What it said last is still on its way to the other side.
    near.once("close", () => this.#options.clock.setTimer(farewellMs, () => far.destroy()));
  }
}

function end({ far, near }: Joined): void {
  near.destroy();
  far.destroy();
}
