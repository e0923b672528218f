/**
 * The two ends of a way that a relay passes on (`relay.ts`): whoever asks for one, and whoever answers when somebody asks for it. What follows on it
 * is a connection of theirs like any other, with certificates of both, so the one between can neither read it nor speak for either.
 */
import type { TLSSocket } from "node:tls";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import type { Clock } from "../../protocol/time/clock.ts";
import { peerFault } from "./peer-fault.ts";
import type { FarPeer, Peer, PeerDoor } from "./peer-door.ts";
import { notMine, type PeerLink } from "./peer-link.ts";
import { answerMs } from "./relay.ts";

/** Calls of one relay that are answered at once. */
const answersMax = 8;

/** A link with `peer` by way of a machine that both reach. */
export async function reachThrough(
  door: PeerDoor,
  relay: Peer,
  peer: FarPeer,
  clock: Clock,
): Promise<Outcome<PeerLink>> {
  const way = await door.dialAny(relay, "bare");
  if (!way.ok) return way;
  const socket = await wayThrough(way.value, peer.name, clock);
  return socket.ok ? door.dial(peer, socket.value) : socket;
}

async function wayThrough(way: PeerLink, name: string, clock: Clock): Promise<Outcome<TLSSocket>> {
  await way.settled();
  return new Promise((resolve) => {
    const fail = (why: string) => {
      late();
      way.close(peerFault("done", "it is not needed any more"));
      resolve(refuse("unavailable", `"${name}" cannot be reached through "${way.peer}": ${why}`));
    };
    const late = clock.setTimer(2 * answerMs, () => fail("it does not answer"));
    const detach = way.attach({
      message: (message) => {
        if (message.kind === "refused") {
          detach();
          fail(refusedSentence[message.reason] ?? "it does not pass on");
        }
        if (message.kind !== "connected") return null;
        late();
        detach();
        resolve(accept(way.takeSocket()));
        return null;
      },
      place: () => notMine,
      bulk: () => {},
      closed: (fault) => fail(fault.message),
    });
    way.send({ kind: "connect", name });
  });
}

const refusedSentence: Readonly<Partial<Record<string, string>>> = {
  busy: "it passes on for as many as it may",
  "not-here": "it is not connected there",
  "not-allowed": "its owner lets it pass nothing on",
};

/**
 * Answers calls that come on this link, by a connection to the relay, of which others are then taken as if they had come here. `placeOf`: where
 * the relay is; null where that is not known, which nobody then waits for.
 */
export function answerCalls(link: PeerLink, door: PeerDoor, placeOf: (relay: string) => Peer | null): void {
  let answering = 0;
  const answer = async (relay: Peer, token: string): Promise<void> => {
    const way = await door.dialAny(relay, "bare");
    if (!way.ok) return;
    await way.value.settled();
    if (way.value.fault !== null) return;
    way.value.send({ kind: "answer", token });
    door.arrive(way.value.takeSocket());
  };
  link.attach({
    message: (message) => {
      if (message.kind !== "called") return null;
      const relay = placeOf(link.peer);
      if (relay === null || answering >= answersMax) return null;
      answering++;
      void answer(relay, message.token).finally(() => answering--);
      return null;
    },
    place: () => notMine,
    bulk: () => {},
    closed: () => {},
  });
}
