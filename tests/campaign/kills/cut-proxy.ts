/**
 * A way to the server that can be cut, held up, slowed down or closed in one direction only: what stands between a part and
 * the rest of the mesh. What was said while it was held up arrives afterwards, as over a network that sends again.
 */
import { connect, createServer, type Server, type Socket } from "node:net";
import { once } from "node:events";
import * as z from "zod";

/** `up`: from the part to the server; `down`: back. */
export type ProxyMode = "open" | "cut" | "stall" | "stall-up" | "stall-down" | "slow";

const slowMs = 200;

interface Pair {
  readonly part: Socket;
  readonly server: Socket;
}

export class CutProxy {
  readonly port: number;
  readonly #server: Server;
  readonly #pairs = new Set<Pair>();
  #mode: ProxyMode = "open";

  private constructor(server: Server, port: number) {
    this.#server = server;
    this.port = port;
  }

  /** `target`: where the server is just now, asked for each connection. */
  static async open(target: () => number): Promise<CutProxy> {
    const server = createServer();
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = z.object({ port: z.number() }).parse(server.address());
    const proxy = new CutProxy(server, port);
    server.on("connection", (part) => proxy.#join(part, target()));
    return proxy;
  }

  get mode(): ProxyMode {
    return this.#mode;
  }

  set(mode: ProxyMode): void {
    this.#mode = mode;
    for (const pair of this.#pairs) this.#obey(pair);
  }

  close(): void {
    this.set("cut");
    this.#server.close();
  }

  #join(part: Socket, port: number): void {
    const server = connect(port, "127.0.0.1");
    const pair = { part, server };
    this.#pairs.add(pair);
    const end = (): void => {
      this.#pairs.delete(pair);
      part.destroy();
      server.destroy();
    };
    for (const socket of [part, server]) {
      socket.setNoDelay(true);
      socket.on("error", end);
      socket.on("close", end);
    }
    part.on("data", (bytes) => this.#pass(bytes, server));
    server.on("data", (bytes) => this.#pass(bytes, part));
    this.#obey(pair);
  }

  #pass(bytes: Buffer, to: Socket): void {
    if (this.#mode !== "slow") to.write(bytes);
    else setTimeout(() => to.destroyed || to.write(bytes), slowMs);
  }

  #obey({ part, server }: Pair): void {
    const mode = this.#mode;
    if (mode === "cut") {
      part.destroy();
      server.destroy();
      return;
    }
    for (const [socket, direction] of [
      [part, "stall-up"],
      [server, "stall-down"],
    ] as const)
      if (mode === "stall" || mode === direction) socket.pause();
      else socket.resume();
  }
}
