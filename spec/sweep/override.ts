/**
 * What a command line or the launch form says in place of a sweep file's own words. It is put into
 * the file's value before anything is checked, so that the same refusals come out of it.
 */
import type { LocatedYaml } from "../yaml/located-yaml.ts";

export interface SweepOverrides {
  readonly trials?: number;
  readonly seed?: number;
  /** Keep these models only; one the file does not name takes its default space. */
  readonly models?: readonly string[];
  /** Epochs at most. */
  readonly max?: number;
  readonly budgetTokens?: number;
  readonly priority?: number;
  readonly weight?: number;
  readonly beyondBudget?: boolean;
}

export function overridden(yaml: LocatedYaml, overrides: SweepOverrides): LocatedYaml {
  if (!isMapping(yaml.value)) return yaml;
  const value: Record<string, unknown> = { ...yaml.value };
  const put = (section: string, key: string, given: unknown) => {
    if (given === undefined) return;
    const present = value[section];
    if (present === undefined || isMapping(present)) value[section] = { ...present, [key]: given };
  };
  put("search", "trials", overrides.trials);
  put("search", "seed", overrides.seed);
  put("stopping", "max", overrides.max);
  put("budget", "tokens", overrides.budgetTokens);
  for (const key of ["priority", "weight", "beyondBudget"] as const) {
    if (overrides[key] !== undefined) value[key] = overrides[key];
  }
  if (overrides.models !== undefined) {
    const present = isMapping(value["models"]) ? value["models"] : {};
    value["models"] = Object.fromEntries(overrides.models.map((model) => [model, present[model] ?? {}]));
  }
  return {
    value,
    notes: yaml.notes,
    lineOf: (path) => yaml.lineOf(path),
    nodeAt: (path) => yaml.nodeAt(path),
    replaced: (replace) => overridden(yaml.replaced(replace), overrides),
  };
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}
