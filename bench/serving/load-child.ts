/**
 * The load, from a process of its own: bare sockets that post prepared bodies and read answers by their length. An order a line on
 * standard input, a result a line on standard output, both JSON. Closed loop, or at a fixed rate, where the time that a request was
 * due counts, not when it could be sent.
 */
import { connect, type Socket } from "node:net";
import { createInterface } from "node:readline";
import { performance } from "node:perf_hooks";
import { loadOrderSchema, type LoadOrder, type LoadResult } from "./load-order.ts";

class Caller {
  readonly #socket: Socket;
  readonly #onAnswer: (caller: Caller, status: number, ms: number) => void;
  #heard = "";
  #since = 0;
  isFree = true;

  constructor(
    port: number,
    onAnswer: (caller: Caller, status: number, ms: number) => void,
    onLost: () => void,
  ) {
    this.#onAnswer = onAnswer;
    this.#socket = connect({ port, host: "127.0.0.1", noDelay: true });
    this.#socket.setEncoding("latin1");
    this.#socket.on("data", (text: string) => this.#hear(text));
    this.#socket.on("error", onLost);
  }

  send(request: Buffer, since: number): void {
    this.isFree = false;
    this.#since = since;
    this.#socket.write(request);
  }

  end(): void {
    this.#socket.destroy();
  }

  #hear(text: string): void {
    this.#heard += text;
    const head = this.#heard.indexOf("\r\n\r\n");
    if (head < 0) return;
    const length = Number(/content-length: *(\d+)/i.exec(this.#heard.slice(0, head))?.[1]);
    if (this.#heard.length < head + 4 + length) return;
    const status = Number(this.#heard.slice(9, 12));
    this.#heard = "";
    this.isFree = true;
    this.#onAnswer(this, status, performance.now() - this.#since);
  }
}

function load({ bodies, connections, path, port, rate, seconds, token }: LoadOrder): Promise<LoadResult> {
  const requests = bodies.map((body) => {
    const head = [
      `POST ${path} HTTP/1.1`,
      "host: 127.0.0.1",
      "content-type: application/json",
      `content-length: ${Buffer.byteLength(body)}`,
    ];
    if (token !== null) head.push(`authorization: Bearer ${token}`);
    return Buffer.from(`${head.join("\r\n")}\r\n\r\n${body}`);
  });
  return new Promise((resolve) => {
    const times: number[] = [];
    let failed = 0;
    let next = 0;
    const began = performance.now();
    const until = began + seconds * 1_000;
    const take = () => requests[next++ % requests.length] ?? Buffer.alloc(0);
    const waiting: number[] = [];
    const callers = Array.from(
      { length: connections },
      () =>
        new Caller(
          port,
          (caller, status, ms) => {
            times.push(ms);
            if (status !== 200) failed++;
            const due = rate === null ? performance.now() : waiting.shift();
            if (due !== undefined && performance.now() < until) caller.send(take(), due);
          },
          () => failed++,
        ),
    );
    let sent = 0;
    const timer =
      rate === null
        ? null
        : setInterval(() => {
            for (; sent < ((performance.now() - began) * rate) / 1_000; sent++) {
              const due = began + (sent * 1_000) / rate;
              const free = callers.find((caller) => caller.isFree);
              if (free === undefined) waiting.push(due);
              else free.send(take(), due);
            }
          }, 1);
    if (rate === null) for (const caller of callers) caller.send(take(), performance.now());
    setTimeout(() => {
      if (timer !== null) clearInterval(timer);
      const wall = (performance.now() - began) / 1_000;
      for (const caller of callers) caller.end();
      times.sort((a, b) => a - b);
      const at = (share: number) => times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? 0;
      resolve({ requests: times.length, seconds: wall, p50Ms: at(0.5), p99Ms: at(0.99), failed });
    }, seconds * 1_000);
  });
}

for await (const line of createInterface({ input: process.stdin }))
  console.log(JSON.stringify(await load(loadOrderSchema.parse(JSON.parse(line)))));
