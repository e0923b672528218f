/**
 * One address for everything of a mesh that answers: opens it, and asks its routes in turn whose a request is. Who may start it and with which words is the command's.
 *
 * GATEWAY-7: without keys and TLS only this machine may ask.
 */
import type { Connected } from "../client/connect/connect-mesh.ts";
import { exposedRefusal } from "../client/serve/exposed-address.ts";
import { accept, type Outcome } from "../protocol/refusal.ts";
import type { Clock } from "../protocol/time/clock.ts";
import type { CallerKeys } from "../serving/server/caller-key.ts";
import {
  openHttpDoor,
  type HttpDoor,
  type ServingAddress,
  type ServingTls,
} from "../serving/server/http-door.ts";
import { deploymentRoute } from "./deployment/deployment-route.ts";
import { DeploymentTable, type KnownDeployment } from "./deployment/deployment-table.ts";
import { ForwardCounter } from "./deployment/forward-counter.ts";
import { ReplicaWay, type ConnectReplica } from "./deployment/replica-way.ts";
import { answerByTable } from "./table/route-table.ts";

export interface GatewayOptions {
  readonly address: ServingAddress;
  readonly keys: CallerKeys | null;
  /** Null for plain HTTP. */
  readonly tls: ServingTls | null;
  readonly clock: Clock;
  readonly draw: () => number;
  /** How long a request waits for a replica, ms. */
  readonly patienceMs?: number;
}

/** Where a gateway learns of deployments, and how it comes to their replicas. */
export interface GatewaySource {
  readonly ask: () => Promise<Outcome<readonly KnownDeployment[]>>;
  readonly connect: ConnectReplica;
  readonly close: () => Promise<void>;
}

export interface Gateway extends Pick<HttpDoor, "url" | "renewTls"> {
  /** Takes no more, answers what was asked, and ends; `maxMs` later it cuts off what is left. */
  readonly drain: (maxMs: number) => Promise<void>;
}

/** What the person of this connection may ask. */
export function gatewaySource(connected: Connected): GatewaySource {
  const { client } = connected;
  const way = new ReplicaWay(connected);
  return {
    ask: async () => {
      const told = await client.query("deployments", {});
      if (!told.ok) return told;
      // Replicas of others do not let a requester in.
      const mine = told.value.deployments.filter(
        ({ requester }) => client.role === "owner" || requester === client.who,
      );
      return accept(mine);
    },
    connect: (agent, fence) => way.connect(agent, fence),
    close: () => way.close(),
  };
}

export async function openGateway(source: GatewaySource, options: GatewayOptions): Promise<Outcome<Gateway>> {
  const { address, clock, tls } = options;
  const exposed = exposedRefusal(options);
  if (exposed !== null) return exposed;
  let isOpen = true;
  const table = new DeploymentTable({ ask: source.ask, connect: source.connect, clock });
  const counter = new ForwardCounter();
  const routes = [deploymentRoute({ ...options, table, counter, isOpen: () => isOpen })];
  const door = await openHttpDoor({
    ...{ address, tls },
    listener: (request, response) => {
      if (!isOpen) response.shouldKeepAlive = false;
      answerByTable(routes, request, response);
    },
  });
  if (!door.ok) {
    await source.close();
    return door;
  }
  void table.start();
  const { renewTls, url } = door.value;
  return accept({
    ...{ renewTls, url },
    drain: async (maxMs) => {
      isOpen = false;
      await door.value.close(maxMs);
      table.stop();
      await source.close();
    },
  });
}
