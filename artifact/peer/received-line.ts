/** What came from whom, and who was left, in lines for people. */
import type { Digest } from "../../protocol/id.ts";
import { plural } from "../../protocol/plural.ts";
import { formatBytes, shortDigest } from "../../text/figure.ts";
import type { Received } from "./download.ts";

export function receivedLines(artifact: Digest, { bytes, dropped, from }: Received): readonly string[] {
  const what = `artifact ${shortDigest(artifact)}`;
  const whom = [...from.keys()].join(", ");
  return [
    ...(from.size === 0
      ? []
      : [`${what}: ${formatBytes(bytes)} from ${plural(from.size, "agent")}: ${whom}`]),
    ...dropped.map(({ fault, peer }) => `${what}: agent ${peer} was left: ${fault.message}`),
  ];
}
