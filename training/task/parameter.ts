/** Checks given parameters against a declaration and fills in defaults. It samples nothing. */
import { suggestion } from "../../protocol/name.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import type { Params, Value } from "../../protocol/value.ts";
import type { ModelDeclaration, ParameterSpec } from "./task.ts";

/** Every declared parameter with its value; a refusal names the parameter and the nearest known name. */
export function resolveParams(
  declaration: Pick<ModelDeclaration, "model" | "parameters">,
  given: Params,
): Outcome<Params> {
  const { model, parameters } = declaration;
  for (const [name, value] of Object.entries(given)) {
    const spec = parameters[name];
    if (spec === undefined) {
      const hint = suggestion(name, Object.keys(parameters));
      return refuse("invalid", `model ${model} has no parameter "${name}"; ${hint}`, [name]);
    }
    const wrong = faultOf(spec, value);
    if (wrong !== null)
      return refuse("invalid", `parameter ${name} of ${model} is ${JSON.stringify(value)}; ${wrong}`, [name]);
  }
  const entries = Object.entries(parameters).map(([name, spec]): [string, Value] => [
    name,
    given[name] ?? spec.default,
  ]);
  return accept(Object.fromEntries(entries));
}

/** What a value should have been, or null when it is right. */
export function faultOf(spec: ParameterSpec, value: Value): string | null {
  if (spec.type === "choice") {
    return spec.choices.includes(value)
      ? null
      : `it may be ${spec.choices.map((choice) => JSON.stringify(choice)).join(", ")}`;
  }
  const range = `it must be ${spec.type === "int" ? "a whole number" : "a number"} from ${spec.min} to ${spec.max}`;
  if (typeof value !== "number" || !Number.isFinite(value)) return range;
  if (spec.type === "int" && !Number.isInteger(value)) return range;
  return value < spec.min || value > spec.max ? range : null;
}

/** A number among resolved parameters; a missing one is a fault of the declaration. */
export function numberParam(params: Params, name: string): number {
  const value = params[name];
  if (typeof value !== "number") throw new Error(`parameter ${name} is not a number after it was resolved`);
  return value;
}
