/** The first that `main.ts` imports, and so the first that runs: before all else is looked at, the parent is watched. */
import { watchParent } from "../../system/parent.ts";

watchParent();
