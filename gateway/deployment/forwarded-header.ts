/** Of the headers of a request or an answer, those that are for the other end; names and values in turn. */

/** Between two ends of one connection, or made anew here. */
const own: ReadonlySet<string> = new Set([
  ...["connection", "keep-alive", "proxy-connection", "proxy-authenticate", "proxy-authorization", "te"],
  ...["trailer", "transfer-encoding", "upgrade", "expect", "content-length", "date"],
]);
/** A caller's key is for the gateway. */
const secret = "authorization";

/** With the length of the body that goes out with them; null where that is not known. */
export function forwardedHeaders(
  raw: readonly string[],
  length: number | null,
  direction: "request" | "answer",
): string[] {
  const kept: string[] = [];
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const name = (raw[at] ?? "").toLowerCase();
    if (own.has(name) || (direction === "request" && name === secret)) continue;
    kept.push(raw[at] ?? "", raw[at + 1] ?? "");
  }
  if (length !== null) kept.push("content-length", String(length));
  return kept;
}
