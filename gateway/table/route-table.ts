/** What a gateway has under its address: routes, of which the first that takes a path gets the request. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { turnDown } from "../../serving/protocol/http-refusal.ts";
import { replyRefusal } from "../../serving/server/reply.ts";

export interface GatewayRoute {
  /** For people. */
  readonly name: string;
  /** Whether a path, with its query, is its own. */
  readonly takes: (path: string) => boolean;
  readonly answer: (request: IncomingMessage, response: ServerResponse) => void;
}

export function answerByTable(
  routes: readonly GatewayRoute[],
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const route = routes.find(({ takes }) => takes(request.url ?? "/"));
  if (route !== undefined) return route.answer(request, response);
  request.resume();
  const names = routes.map(({ name }) => name).join(", ");
  replyRefusal(
    response,
    turnDown(404, `there is nothing of this name here; there are ${names}`).down,
    "open-inference",
  );
}
