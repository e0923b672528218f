/** At which address a machine that is added reaches the mesh, told from how its ssh server sees this one. Nothing is asked of anybody. */
import { isIP } from "node:net";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";

const everywhere = new Set(["0.0.0.0", "::"]);

export interface AddressFacts {
  readonly destination: string;
  /** Address of this machine as the other one sees it; null: unknown. */
  readonly seenFrom: string | null;
  /** Where the mesh's server listens; null where it is another one's. */
  readonly listen: string | null;
  /** Address of the mesh as this machine reaches it. */
  readonly url: string;
  /** Addresses of this machine. */
  readonly own: readonly string[];
}

/** Undefined: whatever an invitation would name. */
export function meshAddress({
  destination,
  listen,
  own,
  seenFrom,
  url,
}: AddressFacts): Outcome<string | undefined> {
  const port = url.split(":").at(-1) ?? "";
  const isHere = seenFrom !== null && isLoopbackHost(seenFrom);
  if (isLoopbackUrl(url) && listen !== null && !everywhere.has(listen) && !isHere)
    return refuse(
      "unavailable",
      `the mesh listens on ${url}, which ${destination} does not reach; end it with \`trialmesh down\` and start it with \`trialmesh up --listen 0.0.0.0:${port}\`, then add the machine`,
    );
  if (isHere) return accept(isLoopbackUrl(url) || listen === null ? url : undefined);
  const mayUse =
    listen !== null &&
    everywhere.has(listen) &&
    seenFrom !== null &&
    own.includes(seenFrom) &&
    isIP(seenFrom) === 4;
  return accept(mayUse ? `nats://${seenFrom}:${port}` : undefined);
}

function isLoopbackUrl(url: string): boolean {
  return /^[a-z]+:\/\/(?:127\.|localhost|\[::1\])/u.test(url);
}

function isLoopbackHost(address: string): boolean {
  return address.startsWith("127.") || address === "::1";
}
