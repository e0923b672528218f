/** A headless Chromium with one page, driven through its DevTools protocol. Nothing of it stays behind. */
import { spawn, type ChildProcess } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { createInterface } from "node:readline";
import * as z from "zod";

const names = ["chromium", "chromium-browser", "google-chrome"];
const startMs = 30_000;
const answerMs = 20_000;

/** Its path; null where this machine has none. TRIALMESH_CHROMIUM names another. */
export function findChromium(): string | null {
  const named = process.env["TRIALMESH_CHROMIUM"];
  if (named !== undefined && named !== "") return named;
  for (const folder of (process.env["PATH"] ?? "").split(delimiter)) {
    for (const name of names) if (existsSync(join(folder, name))) return join(folder, name);
  }
  return null;
}

const messageSchema = z.object({
  id: z.number().optional(),
  method: z.string().optional(),
  params: z.unknown().optional(),
  result: z.unknown().optional(),
  error: z.object({ message: z.string() }).optional(),
});
const targetSchema = z.array(z.object({ type: z.string(), webSocketDebuggerUrl: z.string() }));
const evaluatedSchema = z.object({
  result: z.object({ value: z.unknown().optional() }),
  exceptionDetails: z.unknown().optional(),
});
const requestSchema = z.object({ request: z.object({ url: z.string() }) });

export class Browser {
  /** What the page complained of: thrown errors and console errors, as JSON. */
  readonly complaints: string[] = [];
  /** Every address the page asked for. */
  readonly requested: string[] = [];
  readonly #child: ChildProcess;
  readonly #folder: string;
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, (message: z.infer<typeof messageSchema>) => void>();
  readonly #events = new Map<string, () => void>();
  #count = 0;

  private constructor(child: ChildProcess, folder: string, socket: WebSocket) {
    this.#child = child;
    this.#folder = folder;
    this.#socket = socket;
    socket.addEventListener("message", ({ data }) => this.#hear(String(data)));
  }

  static async open(program: string, width: number, height: number): Promise<Browser> {
    const folder = mkdtempSync(join(tmpdir(), "trialmesh-browser-"));
    const words = [
      "--headless=new",
      "--no-sandbox",
      "--disable-gpu",
      "--remote-debugging-port=0",
      `--user-data-dir=${folder}`,
      `--window-size=${width},${height}`,
      "about:blank",
    ];
    const child = spawn(program, words, { stdio: ["ignore", "ignore", "pipe"] });
    try {
      const port = await debuggingPort(child);
      const answer = await fetch(`http://127.0.0.1:${port}/json/list`);
      const page = targetSchema.parse(await answer.json()).find(({ type }) => type === "page");
      if (page === undefined) throw new Error("the browser has no page");
      const socket = new WebSocket(page.webSocketDebuggerUrl);
      await new Promise((resolve, reject) => {
        socket.addEventListener("open", resolve);
        socket.addEventListener("error", reject);
      });
      const browser = new Browser(child, folder, socket);
      for (const domain of ["Page", "Runtime", "Network", "Log"]) await browser.send(`${domain}.enable`);
      return browser;
    } catch (error) {
      child.kill("SIGKILL");
      throw error;
    }
  }

  async go(url: string): Promise<void> {
    const loaded = new Promise<void>((resolve) => this.#events.set("Page.loadEventFired", resolve));
    await this.send("Page.navigate", { url });
    await loaded;
  }

  /** What an expression is in the page. */
  async evaluate<T>(schema: z.ZodType<T>, expression: string): Promise<T> {
    const answer = await this.send("Runtime.evaluate", { expression, returnByValue: true });
    const { exceptionDetails, result } = evaluatedSchema.parse(answer);
    if (exceptionDetails !== undefined) throw new Error(JSON.stringify(exceptionDetails));
    return schema.parse(result.value);
  }

  /** Presses the mouse at the first point, moves it to the last over some between, and lets go. In page pixels. */
  async drag(from: readonly [number, number], to: readonly [number, number]): Promise<void> {
    const steps = 8;
    await this.#mouse("mouseMoved", from, 0);
    await this.#mouse("mousePressed", from, 1);
    for (let step = 1; step <= steps; step++) {
      const at = (axis: 0 | 1) => from[axis] + ((to[axis] - from[axis]) * step) / steps;
      await this.#mouse("mouseMoved", [at(0), at(1)], 1);
    }
    await this.#mouse("mouseReleased", to, 0);
  }

  async click(at: readonly [number, number]): Promise<void> {
    await this.#mouse("mousePressed", at, 1);
    await this.#mouse("mouseReleased", at, 0);
  }

  send(method: string, params: object = {}): Promise<unknown> {
    const id = ++this.#count;
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => reject(new Error(`the browser does not answer ${method}`)), answerMs);
      this.#waiting.set(id, ({ error, result }) => {
        clearTimeout(late);
        if (error === undefined) resolve(result);
        else reject(new Error(`${method}: ${error.message}`));
      });
      this.#socket.send(JSON.stringify({ id, method, params }));
    });
  }

  async close(): Promise<void> {
    const ended = new Promise((resolve) => this.#child.once("close", resolve));
    this.#socket.close();
    this.#child.kill("SIGKILL");
    await ended;
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 5 });
  }

  async #mouse(type: string, [x, y]: readonly [number, number], buttons: number): Promise<void> {
    const button = type === "mouseMoved" && buttons === 0 ? "none" : "left";
    await this.send("Input.dispatchMouseEvent", { type, x, y, button, buttons, clickCount: 1 });
  }

  #hear(data: string): void {
    const message = messageSchema.parse(JSON.parse(data));
    if (message.id !== undefined) {
      this.#waiting.get(message.id)?.(message);
      this.#waiting.delete(message.id);
      return;
    }
    const { method, params } = message;
    if (method === undefined) return;
    if (method === "Runtime.exceptionThrown" || method === "Log.entryAdded") {
      this.complaints.push(JSON.stringify(params));
    }
    if (method === "Network.requestWillBeSent") this.requested.push(requestSchema.parse(params).request.url);
    this.#events.get(method)?.();
    this.#events.delete(method);
  }
}

function debuggingPort(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error("the browser did not start")), startMs);
    child.once("error", reject);
    child.once("close", (code) => reject(new Error(`the browser ended with ${code}`)));
    if (child.stderr === null) return;
    createInterface({ input: child.stderr }).on("line", (line) => {
      const port = /DevTools listening on ws:\/\/127\.0\.0\.1:(\d+)/.exec(line)?.[1];
      if (port === undefined) return;
      clearTimeout(late);
      resolve(port);
    });
  });
}
