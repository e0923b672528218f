/**
 * A way to this process for a program that has a network of its own with nothing in it: a process in there listens, hands the
 * listening socket over, and becomes the program (`loopback-door-child.ts`). Nothing is passed on by anybody afterwards.
 */
import type { ChildProcess } from "node:child_process";
import { Server as NetServer } from "node:net";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import type { Server } from "node:http";

/** The words that listen at this port in there, and then start what follows them. */
export function doorWords(port: number): string[] {
  const here = fileURLToPath(import.meta.url);
  const entry = fileURLToPath(new URL(`./loopback-door-child${extname(here)}`, import.meta.url));
  return [process.execPath, entry, String(port)];
}

/** SANDBOX-2. Takes the socket, once; who knocks there is answered by `server`. What gives it stays open until it is closed. */
export function answerDoor(child: ChildProcess, server: Server): void {
  child.once("message", (_message, handle) => {
    if (!(handle instanceof NetServer)) return;
    handle.unref();
    handle.on("error", () => undefined);
    handle.on("connection", (socket) => server.emit("connection", socket));
    server.once("close", () => handle.close());
    child.once("exit", () => handle.close());
  });
}
