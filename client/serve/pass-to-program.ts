/** One request passed on to a program on this machine, and its answer back: bounded in time and size. Not when the program runs. */
import { Agent, request as httpRequest, type IncomingMessage } from "node:http";
import { bytesPerMiB } from "../../protocol/byte-unit.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import type { ProgramAnswer, ProgramRequest } from "../../serving/model/program-face.ts";

export interface ForwardLimits {
  readonly answerMaxMs: number;
  readonly answerMaxMiB: number;
}

const forwardLimits: ForwardLimits = { answerMaxMs: 60_000, answerMaxMiB: 64 };

export class Forwarder {
  /** Connections that are kept; a program that is gone closes its own. */
  readonly #agent = new Agent({ keepAlive: true });
  readonly #what: string;
  readonly #limits: ForwardLimits;

  /** `what`: how the program is called in a sentence. */
  constructor(what: string, limits: ForwardLimits = forwardLimits) {
    this.#what = what;
    this.#limits = limits;
  }

  close(): void {
    this.#agent.destroy();
  }

  forward(
    url: string,
    { body, contentType, inferenceHeader, path }: ProgramRequest,
  ): Promise<Outcome<ProgramAnswer>> {
    const { answerMaxMs } = this.#limits;
    return new Promise((resolve) => {
      const fail = (why: string) => resolve(refuse("unavailable", `the program of ${this.#what} ${why}`));
      const sent = httpRequest(`${url}${path}`, {
        method: "POST",
        agent: this.#agent,
        headers: {
          "content-type": contentType,
          "content-length": body.length,
          ...(inferenceHeader === null ? {} : { "inference-header-content-length": inferenceHeader }),
        },
      });
      const late = setTimeout(() => {
        fail(`did not answer within ${answerMaxMs / 1_000} s`);
        sent.destroy();
      }, answerMaxMs);
      sent.once("close", () => clearTimeout(late));
      sent.on("error", () => fail("does not answer just now; it is started again where it has ended"));
      sent.once(
        "response",
        (answer) =>
          void this.#receive(answer, fail).then((whole) => {
            if (whole !== null) resolve(accept(whole));
          }),
      );
      sent.end(body);
    });
  }

  /** Null where it failed, which was said. */
  async #receive(answer: IncomingMessage, fail: (why: string) => void): Promise<ProgramAnswer | null> {
    const { answerMaxMiB } = this.#limits;
    const parts: Buffer[] = [];
    let size = 0;
    try {
      for await (const part of answer) {
        if (!(part instanceof Buffer)) continue;
        size += part.length;
        if (size > answerMaxMiB * bytesPerMiB) {
          fail(`answered with more than ${answerMaxMiB} MiB`);
          answer.destroy();
          return null;
        }
        parts.push(part);
      }
    } catch {
      fail("broke off its answer");
      return null;
    }
    const header = Number(answer.headers["inference-header-content-length"]);
    return {
      status: answer.statusCode ?? 502,
      contentType: answer.headers["content-type"] ?? "application/json",
      inferenceHeader: Number.isSafeInteger(header) ? header : null,
      body: Buffer.concat(parts, size),
    };
  }
}
