/** SERVE-9, SERVE-10. The server that answers with models, and its end, which answers what was asked. What is answered is `answer-request.ts`. */
import { accept, type Outcome } from "../../protocol/refusal.ts";
import { answerRequest, type RequestContext } from "./answer-request.ts";
import { ParquetReader } from "./parquet-body.ts";
import { openHttpDoor, type HttpDoorOptions, type ServingTls } from "./http-door.ts";

export interface ServingDoorOptions
  extends Omit<RequestContext, "held" | "isOpen" | "parquet">, Omit<HttpDoorOptions, "listener"> {
  /** Told of the end of each request that has a body, with its status. */
  readonly onEnd?: (status: number) => void;
}

export interface ServingDoor {
  readonly url: string;
  readonly port: number;
  /** What connections from now on are shown. */
  readonly renewTls: (tls: ServingTls) => void;
  /** Takes no more connections, answers what was asked, and frees the models; `maxMs` later it cuts off what is left. */
  drain(maxMs: number): Promise<void>;
}

export async function openServingDoor(options: ServingDoorOptions): Promise<Outcome<ServingDoor>> {
  const { address, limits, onEnd, secret, table, tls } = options;
  let isOpen = true;
  const context: RequestContext = {
    ...options,
    held: { bytes: 0 },
    parquet: new ParquetReader(),
    isOpen: () => isOpen,
  };
  const door = await openHttpDoor({
    ...{ address, tls, secret },
    ...(limits === undefined ? {} : { limits }),
    listener: (request, response) => {
      if (!isOpen) response.shouldKeepAlive = false;
      if (onEnd !== undefined && request.method === "POST")
        response.once("finish", () => onEnd(response.statusCode));
      answerRequest(context, request, response);
    },
  });
  if (!door.ok) return door;
  const { port, renewTls, url } = door.value;
  return accept({
    ...{ port, renewTls, url },
    drain: async (maxMs) => {
      isOpen = false;
      await door.value.close(maxMs);
      await table.retireAll();
    },
  });
}
