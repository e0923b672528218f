/** A replica asked over its own port of loopback, past the knock, by HTTP/1.1 on one kept connection. */
import { Agent, request } from "node:http";
import type { Duplex } from "node:stream";
import { knock } from "../../serving/server/knock.ts";

interface Place {
  readonly port: number;
  readonly secret: string;
}

export interface Answered {
  readonly status: number;
  readonly text: string;
}

/** One request on a connection of its own. */
export async function askReplica({ port, secret }: Place, path: string, body?: unknown): Promise<Answered> {
  const socket = await knock(port, Buffer.from(secret, "hex"));
  if (!socket.ok) return { status: 0, text: socket.refusal.message };
  return askOver(socket.value, path, body);
}

export function askOver(socket: Duplex, path: string, body?: unknown): Promise<Answered> {
  const agent = new Agent({ keepAlive: false });
  agent.createConnection = () => socket;
  return new Promise((resolve, reject) => {
    const asked = request({ agent, path, method: body === undefined ? "GET" : "POST" }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (part: string) => (text += part));
      response.on("end", () => resolve({ status: response.statusCode ?? 0, text }));
      response.on("error", reject);
    });
    asked.on("error", reject);
    socket.resume();
    asked.end(body === undefined ? undefined : JSON.stringify(body));
  });
}
