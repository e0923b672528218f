/** The side of whoever asks a replica: a connection to the door of the machine that it runs on, joined to it there (`joined-stream.ts`). */
import type { TLSSocket } from "node:tls";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import type { Clock } from "../../protocol/time/clock.ts";
import { peerFault } from "./peer-fault.ts";
import { notMine, type PeerLink } from "./peer-link.ts";

/** From the question to the answer, ms. */
const joinMs = 8_000;

const sentences: Readonly<Partial<Record<string, string>>> = {
  busy: "it has as many connections as it may",
  "not-here": "it does not run there just now",
  "not-allowed": "it may not be asked by this user",
};

/** `link`: a new one that may carry something else (`PeerReach.reachBare`); it is over with this. */
export async function joinStream(link: PeerLink, fence: number, clock: Clock): Promise<Outcome<TLSSocket>> {
  await link.settled();
  return new Promise((resolve) => {
    const fail = (why: string) => {
      late();
      link.close(peerFault("done", "it is not needed any more"));
      resolve(refuse("unavailable", `the replica at "${link.peer}" cannot be asked: ${why}`));
    };
    const late = clock.setTimer(joinMs, () => fail("it does not answer"));
    const detach = link.attach({
      message: (message) => {
        if (message.kind === "refused") {
          detach();
          fail(sentences[message.reason] ?? "it does not let anybody in");
        }
        if (message.kind !== "connected") return null;
        late();
        detach();
        resolve(accept(link.takeSocket()));
        return null;
      },
      place: () => notMine,
      bulk: () => {},
      closed: (fault) => fail(fault.message),
    });
    link.send({ kind: "join", fence });
  });
}
