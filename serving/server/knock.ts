/**
 * SERVED-2. A server on loopback that is not for everybody on its machine: whoever connects says a secret first, of which the server says with one
 * byte that it is right. The one byte also keeps what follows apart from the secret. Who has the secret is for who made it.
 */
import { timingSafeEqual } from "node:crypto";
import { connect, type Socket } from "node:net";
import { refuse, accept, type Outcome } from "../../protocol/refusal.ts";

/** Nobody guesses it. */
export const secretBytes = 32;
const right = Buffer.from("+");
/** From the connection to the end of the secret, and to its answer, ms. */
const knockMs = 5_000;

/** Calls `take` once the other side has said the secret; ends a connection that says another, or is slow. */
export function answerKnock(socket: Socket, secret: Buffer, take: (socket: Socket) => void): void {
  const heard: Buffer[] = [];
  let bytes = 0;
  const end = () => void socket.destroy();
  const late = setTimeout(end, knockMs);
  socket.on("error", end);
  socket.once("close", () => clearTimeout(late));
  const hear = (part: Buffer) => {
    heard.push(part);
    bytes += part.length;
    if (bytes < secret.length) return;
    const said = Buffer.concat(heard, bytes);
    if (said.length !== secret.length || !timingSafeEqual(said, secret)) return end();
    clearTimeout(late);
    socket.off("data", hear);
    socket.off("error", end);
    socket.pause();
    socket.write(right);
    take(socket);
    socket.resume();
  };
  socket.on("data", hear);
}

/** A connection to the server at this port of loopback, past the knock. */
export function knock(port: number, secret: Buffer): Promise<Outcome<Socket>> {
  return new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port, noDelay: true });
    const fail = () => {
      clearTimeout(late);
      socket.destroy();
      resolve(refuse("unavailable", "the replica does not answer"));
    };
    const late = setTimeout(fail, knockMs);
    socket.once("connect", () => socket.write(secret));
    socket.once("error", fail);
    socket.once("close", fail);
    socket.once("data", () => {
      clearTimeout(late);
      socket.off("error", fail);
      socket.off("close", fail);
      socket.pause();
      resolve(accept(socket));
    });
  });
}
