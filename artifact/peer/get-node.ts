/** Asks a machine for one node of an artifact's tree, or for the only chunk of a small one, and verifies it. */
import type { Bytes } from "../../protocol/bus/bus.ts";
import type { Digest } from "../../protocol/id.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import type { Clock } from "../../protocol/time/clock.ts";
import { chunkDigest } from "../chunk-tree.ts";
import { peerFault } from "./peer-fault.ts";
import { notMine, type PeerLink } from "./peer-link.ts";
import { Silence } from "./peer-pace.ts";

const lookMs = 500;

/** FETCH-3: what has another digest ends the link, and so does silence. */
export function getNode(
  link: PeerLink,
  artifact: Digest,
  node: Digest,
  clock: Clock,
): Promise<Outcome<Bytes>> {
  const id = link.nextId();
  const named = `${artifact.slice(0, 12)} from "${link.peer}"`;
  return new Promise((resolve) => {
    const end = (outcome: Outcome<Bytes>) => {
      stopLooking();
      detach();
      resolve(outcome);
    };
    const silence = new Silence();
    const look = () => {
      const fault = silence.look(link.received, clock.monotonic(), false);
      if (fault === null) stopLooking = clock.setTimer(lookMs, look);
      else link.close(fault);
    };
    let stopLooking = clock.setTimer(lookMs, look);
    let detach = () => {};
    detach = link.attach({
      message: (message) => {
        if (message.kind === "refused" && message.id === id)
          end(refuse("unavailable", `${named}: it says "${message.reason}"`));
        return null;
      },
      place: (head) =>
        head.kind === "node" && head.id === id ? Buffer.allocUnsafeSlow(head.bytes) : notMine,
      bulk: (head, data) => {
        if (head.kind !== "node" || head.id !== id) return;
        if (chunkDigest(data) === node) return end(accept(data));
        link.close(peerFault("wrong-bytes", `it sent other bytes than ${node.slice(0, 12)} names`));
      },
      closed: (fault) => end(refuse("unavailable", `${named}: ${fault.message}`)),
    });
    link.send({ kind: "get", id, artifact, node });
  });
}
