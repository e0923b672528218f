/**
 * Which deployment a path asks, and what of it the replica is asked. Everything that `serve` has is here under its own path, by the deployment's name or its model's;
 * `/deployments/NAME/…` is the same for protocols that name no model.
 */
import { turnDown, type Reading } from "../../serving/protocol/http-refusal.ts";
import { routeOf, type Route } from "../../serving/server/route.ts";

export interface DeploymentPath {
  /** Null where the path names none. */
  readonly name: string | null;
  readonly route: Route;
  /** For the replica, with the query. */
  readonly path: string;
}

const prefix = "/deployments/";

export function readDeploymentPath(method: string, url: string): Reading<DeploymentPath> {
  if (!url.startsWith(prefix)) return named(method, url, null);
  const [word = "", ...rest] = url.slice(prefix.length).split("/");
  const [name = "", query] = word.split("?");
  const path = rest.length > 0 ? `/${rest.join("/")}` : query === undefined ? "/" : `/?${query}`;
  // Names are of letters, digits, dots, dashes.
  if (name === "") return turnDown(404, "a deployment's name belongs after /deployments/");
  return named(method, path, name);
}

function named(method: string, path: string, deployment: string | null): Reading<DeploymentPath> {
  const route = routeOf(method, path);
  if (!route.ok) return route;
  const name = deployment ?? ("model" in route.value ? route.value.model : null);
  return { ok: true, value: { name, route: route.value, path } };
}
