/** Inputs of the kind "data" that once failed: see tests/support/case-place.ts. */
import { testCases } from "../support/case-place.ts";

testCases("data", {});
