/** Expectations as bytes of the mesh, so that they are checked where a version is built. Their report is another thing. */
import { storedList } from "../../protocol/bound.ts";
import { parseOutside, refuse, type Outcome } from "../../protocol/refusal.ts";
import { expectationSchema, type Expectation } from "./expectation.ts";

export function expectationBytes(expectations: readonly Expectation[]): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(expectations));
}

export function readExpectations(text: string): Outcome<readonly Expectation[]> {
  let given: unknown;
  try {
    given = JSON.parse(text);
  } catch {
    return refuse("invalid", "the expectations of the dataset are no JSON; add the dataset again");
  }
  return parseOutside(storedList(expectationSchema), given, "the expectations of the dataset");
}
