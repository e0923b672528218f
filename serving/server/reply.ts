/** Writes one answer of HTTP: status, headers, body, in one piece where it can be. Nothing here decides what is answered. */
import type { ServerResponse } from "node:http";
import type { HttpRefusal } from "../protocol/http-refusal.ts";
import { refusalJson, type RefusalForm } from "../protocol/refusal-form.ts";
import type { WrittenAnswer } from "../protocol/written-answer.ts";

/** For every answer: what is not a page is not to be taken for one. */
const guard = ["x-content-type-options", "nosniff"] as const;

/** `headers`: names and values in turn. */
export function replyWith(
  response: ServerResponse,
  { body, contentType, inferenceHeader, isAscii, status = 200 }: WrittenAnswer,
  headers: readonly string[],
): void {
  const length = String(typeof body === "string" && !isAscii ? Buffer.byteLength(body) : body.length);
  const all = ["content-type", contentType, "content-length", length, ...headers];
  if (inferenceHeader !== null) all.push("inference-header-content-length", String(inferenceHeader));
  response.writeHead(status, all);
  if (typeof body === "string") response.end(body, isAscii ? "latin1" : "utf8");
  else response.end(body);
}

export function replyText(
  response: ServerResponse,
  contentType: string,
  text: string,
  headers: readonly string[] = [],
): void {
  const length = String(Buffer.byteLength(text));
  response.writeHead(200, ["content-type", contentType, "content-length", length, ...guard, ...headers]);
  response.end(text);
}

export function replyJson(response: ServerResponse, status: number, value: unknown): void {
  const text = JSON.stringify(value);
  const length = String(Buffer.byteLength(text));
  response.writeHead(status, ["content-type", "application/json", "content-length", length]);
  response.end(text);
}

export function replyRefusal(response: ServerResponse, down: HttpRefusal, form: RefusalForm): void {
  const text = refusalJson(down, form);
  const headers = ["content-type", "application/json", "content-length", String(Buffer.byteLength(text))];
  if (down.retryAfterSeconds !== undefined) headers.push("retry-after", String(down.retryAfterSeconds));
  if (down.allow !== undefined) headers.push("allow", down.allow);
  if (down.status === 401) headers.push("www-authenticate", 'Bearer realm="trialmesh"');
  // What is left of a body that was not read would be taken for the next request.
  if (down.status === 413) headers.push("connection", "close");
  response.writeHead(down.status, headers);
  response.end(text);
}
