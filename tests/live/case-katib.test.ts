/** Inputs of the kind "katib" that once failed: see tests/support/case-place.ts. */
import { testCases } from "../support/case-place.ts";

testCases("katib", {});
