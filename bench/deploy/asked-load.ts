/** Callers who ask an address for all they are given, each on one kept connection; what came of each request, and how long it took. */
import { Agent, request } from "node:http";
import { versionOf, type HeardAnswer, type MixedRequest } from "./mixed-request.ts";

export interface Load {
  /** Answered so far, rightly or not. */
  readonly done: () => number;
  readonly failed: () => number;
  readonly mixedUp: () => number;
  /** When the newest request began that a version answered, by `performance.now`; 0 where none was. */
  readonly lastOf: (version: number) => number;
  /** Ms of each request. */
  readonly times: Float64Array;
  /** What went wrong first. */
  readonly faults: readonly string[];
  readonly ended: Promise<void>;
}

const faultsMax = 10;

/** `make`: the request of a number. */
export function beginLoad(
  url: string,
  count: number,
  callers: number,
  make: (at: number) => MixedRequest,
): Load {
  const agent = new Agent({ keepAlive: true, maxSockets: callers });
  const times = new Float64Array(count);
  const faults: string[] = [];
  const newest = new Map<number, number>();
  let [next, done, failed, mixedUp] = [0, 0, 0, 0];
  const note = (fault: string): void => {
    if (faults.length < faultsMax) faults.push(fault);
  };
  const caller = async (): Promise<void> => {
    for (let at = next++; at < count; at = next++) {
      const one = make(at);
      const began = performance.now();
      const answer = await ask(agent, url, one).catch((fault: unknown) => String(fault));
      times[at] = performance.now() - began;
      done++;
      if (typeof answer === "string" || answer.status !== 200) {
        failed++;
        note(typeof answer === "string" ? answer : `${answer.status} ${answer.bytes.toString("utf8")}`);
        continue;
      }
      const version = versionOf(answer);
      newest.set(version, Math.max(began, newest.get(version) ?? 0));
      try {
        one.check(answer);
      } catch (fault) {
        mixedUp++;
        note(`${one.path}: ${String(fault)}`);
      }
    }
  };
  const ended = Promise.all(Array.from({ length: callers }, caller)).then(() => agent.destroy());
  const counts = { done: () => done, failed: () => failed, mixedUp: () => mixedUp };
  const lastOf = (version: number) => newest.get(version) ?? 0;
  return { ...counts, lastOf, times, faults, ended };
}

function ask(agent: Agent, url: string, { body, headers, path }: MixedRequest): Promise<HeardAnswer> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const all = { ...headers, "content-length": String(body.length) };
    const sent = request({ agent, hostname, port, path, method: "POST", headers: all }, (response) => {
      const parts: Buffer[] = [];
      response.on("data", (part: Buffer) => parts.push(part));
      response.on("error", reject);
      response.on("end", () => {
        const { headers: heard, statusCode: status = 0 } = response;
        resolve({ status, headers: heard, bytes: Buffer.concat(parts) });
      });
    });
    sent.on("error", reject);
    sent.end(body);
  });
}
