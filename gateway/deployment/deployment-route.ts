/**
 * The deployments of a mesh under a gateway's address: every path that `serve` has. Who may ask, the body held and bounded, and the answer passed on with its
 * headers; the rest is a replica's, found by `forward-request.ts`.
 *
 * GATEWAY-4: what a caller sends is bounded as `serve` bounds it, and what is wrong with it is said in the protocol's own form.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Clock } from "../../protocol/time/clock.ts";
import { turnDown, type HttpRefusal } from "../../serving/protocol/http-refusal.ts";
import type { RefusalForm } from "../../serving/protocol/refusal-form.ts";
import { isAsking, keyless } from "../../serving/server/answer-request.ts";
import type { CallerKeys } from "../../serving/server/caller-key.ts";
import { receiveBody, type HeldBytes } from "../../serving/server/receive-body.ts";
import { replyRefusal } from "../../serving/server/reply.ts";
import { readHeaders } from "../../serving/server/request-header.ts";
import type { Route } from "../../serving/server/route.ts";
import type { GatewayRoute } from "../table/route-table.ts";
import { answerOwn, noStats } from "./answer-own.ts";
import { readDeploymentPath, type DeploymentPath } from "./deployment-path.ts";
import type { DeploymentTable, KnownDeployment } from "./deployment-table.ts";
import type { ForwardCounter } from "./forward-counter.ts";
import { forwardRequest, type Forwarded } from "./forward-request.ts";
import { forwardedHeaders } from "./forwarded-header.ts";

export interface DeploymentRouteOptions {
  readonly table: DeploymentTable;
  readonly counter: ForwardCounter;
  readonly clock: Clock;
  readonly draw: () => number;
  /** Null where anybody may ask. */
  readonly keys: CallerKeys | null;
  /** False once the gateway is to end. */
  readonly isOpen: () => boolean;
  readonly patienceMs?: number;
}

export function deploymentRoute(options: DeploymentRouteOptions): GatewayRoute {
  const held: HeldBytes = { bytes: 0 };
  return {
    name: "deployments",
    takes: () => true,
    answer: (request, response) => new DeploymentRequest(options, request, response).answer(held),
  };
}

class DeploymentRequest {
  readonly #options: DeploymentRouteOptions;
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  #form: RefusalForm = "open-inference";

  constructor(options: DeploymentRouteOptions, request: IncomingMessage, response: ServerResponse) {
    this.#options = options;
    this.#request = request;
    this.#response = response;
  }

  answer(held: HeldBytes): void {
    const { clock, keys } = this.#options;
    const { method = "", rawHeaders, socket, url = "" } = this.#request;
    const asked = readDeploymentPath(method, url);
    if (!asked.ok) return this.#refuseUnread(asked.down);
    const { name, route } = asked.value;
    if (route.kind === "invocation") this.#form = "mlflow";
    const { authorization, contentLength } = readHeaders(rawHeaders);
    if (keys !== null && !keyless.includes(route.kind)) {
      const caller = keys.admit(authorization, clock.monotonic(), isAsking(route), socket);
      if (!caller.ok) return this.#refuseUnread(caller.down);
    }
    if (isOwn(route) && name === null) {
      this.#request.resume();
      return void answerOwn(this.#options, route, this.#response);
    }
    if (route.kind === "model-stats" || route.kind === "all-stats") return this.#refuseUnread(noStats.down);
    const length = contentLength === null ? null : Number(contentLength);
    // Packed as it came: the replica unpacks it.
    receiveBody(this.#request, { length, encoding: null }, held, (body) => {
      if (!body.ok) return replyRefusal(this.#response, body.down, this.#form);
      void this.#forward(asked.value, body.value);
    });
  }

  async #forward({ name, path }: DeploymentPath, body: Buffer): Promise<void> {
    const { clock, counter, table } = this.#options;
    const { method = "", rawHeaders } = this.#request;
    const find = () => (name === null ? theOnly(table.deployments) : table.find(name));
    if (name === null && table.deployments.filter(isLive).length > 1)
      return this.#refuse(severalDeployments(table.deployments));
    const started = clock.monotonic();
    const headers = forwardedHeaders(rawHeaders, method === "POST" ? body.length : null, "request");
    const options = { ...this.#options, onRetry: (one: string) => counter.retried(one) };
    const forwarded = await forwardRequest(options, find, { method, path, headers, body }, this.#response);
    if (forwarded.kind === "gone") return;
    const status = this.#reply(forwarded);
    const known = find();
    if (known !== undefined)
      counter.answered(known.deployment, status, (clock.monotonic() - started) / 1_000);
  }

  #reply(forwarded: Exclude<Forwarded, { kind: "gone" }>): number {
    const response = this.#response;
    if (!this.#options.isOpen()) response.shouldKeepAlive = false;
    if (forwarded.kind === "refused") {
      this.#refuse(forwarded.down);
      return forwarded.down.status;
    }
    const { body, headers, rest, status } = forwarded.answer;
    const isHead = this.#request.method === "HEAD";
    const length = rest === null && !isHead ? body.length : lengthIn(headers);
    response.writeHead(status, forwardedHeaders(headers, length, "answer"));
    if (rest === null) response.end(body);
    else {
      response.write(body);
      rest.once("error", () => response.destroy());
      rest.pipe(response);
    }
    return status;
  }

  #refuse(down: HttpRefusal): void {
    replyRefusal(this.#response, down, this.#form);
  }

  #refuseUnread(down: HttpRefusal): void {
    this.#request.resume();
    this.#refuse(down);
  }
}

/** Questions of the server itself. */
function isOwn(route: Route): route is Exclude<Route, { model: string } | { kind: "invocation" }> {
  return !("model" in route) && route.kind !== "invocation";
}

function isLive({ state }: KnownDeployment): boolean {
  return state !== "stopped" && state !== "stopping";
}

function theOnly(deployments: readonly KnownDeployment[]): KnownDeployment | undefined {
  return deployments.find(isLive);
}

function severalDeployments(deployments: readonly KnownDeployment[]): HttpRefusal {
  const names = deployments.filter(isLive).map(({ deployment }) => deployment);
  const [first = ""] = names;
  return turnDown(
    404,
    `this path names no deployment, and there are ${names.length} of them; ask under /deployments/${first}/invocations`,
  ).down;
}

function lengthIn(headers: readonly string[]): number | null {
  const at = headers.findIndex((name, index) => index % 2 === 0 && name.toLowerCase() === "content-length");
  const length = Number(headers[at + 1]);
  return at === -1 || !Number.isFinite(length) ? null : length;
}
