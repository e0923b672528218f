/** What a method and a path ask for. Not who answers it, nor whether there is such a model. */
import { quoted, turnDown, type Reading } from "../protocol/http-refusal.ts";

type AskingKind = "infer" | "plain";
type ModelQuestionKind =
  | "model-ready"
  | "model-metadata"
  | "model-config"
  | "model-stats"
  | "model-profile"
  | "model-rollout";
type ServerQuestionKind =
  | "server-live"
  | "server-ready"
  | "server-metadata"
  | "repository-index"
  | "all-stats"
  | "mlflow-ping"
  | "mlflow-version"
  | "metrics"
  | "openapi"
  | "form";

interface OfModel<K> {
  readonly kind: K;
  readonly model: string;
  readonly version: string | null;
}

/** Wants rows answered. */
export type AskingRoute = OfModel<AskingKind> | { readonly kind: "invocation" };
export type ModelQuestion = OfModel<ModelQuestionKind>;
export interface ServerQuestion {
  readonly kind: ServerQuestionKind;
}
/** Says what the truth of an answer was. */
export interface FeedbackRoute {
  readonly kind: "feedback";
  readonly model: string;
}
export type Route = AskingRoute | ModelQuestion | ServerQuestion | FeedbackRoute;

/** By path without a slash at its end. */
const fixed: ReadonlyMap<string, readonly ["GET" | "POST", ServerQuestionKind | "invocation"]> = new Map([
  ["", ["GET", "form"]],
  ["/openapi.json", ["GET", "openapi"]],
  ["/metrics", ["GET", "metrics"]],
  ["/ping", ["GET", "mlflow-ping"]],
  ["/health", ["GET", "mlflow-ping"]],
  ["/version", ["GET", "mlflow-version"]],
  ["/invocations", ["POST", "invocation"]],
  ["/v2", ["GET", "server-metadata"]],
  ["/v2/health/live", ["GET", "server-live"]],
  ["/v2/health/ready", ["GET", "server-ready"]],
  ["/v2/models/stats", ["GET", "all-stats"]],
  ["/v2/repository/index", ["POST", "repository-index"]],
]);

const actions: ReadonlyMap<string, readonly ["GET" | "POST", ModelQuestionKind | "infer"]> = new Map([
  ["", ["GET", "model-metadata"]],
  ["ready", ["GET", "model-ready"]],
  ["config", ["GET", "model-config"]],
  ["stats", ["GET", "model-stats"]],
  ["profile", ["GET", "model-profile"]],
  ["rollout", ["GET", "model-rollout"]],
  ["infer", ["POST", "infer"]],
]);

const modelsPrefix = "/v2/models/";
const plainPrefix = "/predict/";
const profilePrefix = "/profile/";
const feedbackPrefix = "/feedback/";

export function routeOf(method: string, url: string): Reading<Route> {
  const query = url.indexOf("?");
  const whole = query === -1 ? url : url.slice(0, query);
  const path = whole.endsWith("/") ? whole.slice(0, -1) : whole;
  const known = fixed.get(path);
  if (known !== undefined) return allowed(method, known[0], path) ?? { ok: true, value: { kind: known[1] } };
  if (path.startsWith(modelsPrefix)) return modelRoute(method, path);
  if (path.startsWith(plainPrefix)) return namedRoute(method, path, plainPrefix, ["POST", "plain"]);
  if (path.startsWith(profilePrefix))
    return namedRoute(method, path, profilePrefix, ["GET", "model-profile"]);
  if (path.startsWith(feedbackPrefix)) return feedbackRoute(method, path);
  return noPath(path);
}

function modelRoute(method: string, path: string): Reading<Route> {
  const [name = "", ...words] = path.slice(modelsPrefix.length).split("/");
  const version = words[0] === "versions" ? (words[1] ?? "") : null;
  const rest = version === null ? words : words.slice(2);
  const action = rest.length > 1 ? undefined : actions.get(rest[0] ?? "");
  const model = decoded(name);
  const at = version === null ? null : decoded(version);
  if (
    action === undefined ||
    model === null ||
    model === "" ||
    (version !== null && (at === null || at === ""))
  )
    return noPath(path);
  return allowed(method, action[0], path) ?? { ok: true, value: { kind: action[1], model, version: at } };
}

/** `/predict/NAME` or `/predict/NAME@VERSION`, and the like. */
function namedRoute(
  method: string,
  path: string,
  prefix: string,
  [wanted, kind]: readonly ["GET" | "POST", "plain" | "model-profile"],
): Reading<Route> {
  const given = decoded(path.slice(prefix.length));
  if (given === null || given === "" || given.includes("/")) return noPath(path);
  const at = given.indexOf("@");
  const model = at === -1 ? given : given.slice(0, at);
  const version = at === -1 ? null : given.slice(at + 1);
  return allowed(method, wanted, path) ?? { ok: true, value: { kind, model, version } };
}

function feedbackRoute(method: string, path: string): Reading<Route> {
  const model = decoded(path.slice(feedbackPrefix.length));
  if (model === null || model === "" || model.includes("/")) return noPath(path);
  return allowed(method, "POST", path) ?? { ok: true, value: { kind: "feedback", model } };
}

function decoded(word: string): string | null {
  // Few names need it, and it costs as much as all else here.
  if (!word.includes("%")) return word;
  try {
    return decodeURIComponent(word);
  } catch {
    return null;
  }
}

function allowed(method: string, wanted: "GET" | "POST", path: string): Reading<Route> | null {
  if (method === wanted || (wanted === "GET" && method === "HEAD")) return null;
  const message = `${quoted(path === "" ? "/" : path)} is asked with ${wanted}, not with ${quoted(method)}`;
  return { ok: false, down: { status: 405, message, allow: wanted === "GET" ? "GET, HEAD" : wanted } };
}

function noPath(path: string): Reading<Route> {
  return turnDown(404, `there is no ${quoted(path)} here; /openapi.json lists what there is`);
}
