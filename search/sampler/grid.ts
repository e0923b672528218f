/** Every combination that can occur, in the stated order, the last parameter fastest. A position is an index into the walk. */
import type { SearchSampler, Suggestion } from "./ask.ts";
import { admit } from "./admit.ts";
import { levels } from "../space/axis.ts";
import { sizeOf } from "./leftover.ts";
import { walkOf } from "../space/walk.ts";

/** One call looks at no more combinations than this; the next goes on behind them. */
const lookedAtMax = 100_000;

export const gridSampler: SearchSampler = {
  name: "grid",
  learns: false,
  size: sizeOf,

  unsuited({ space }) {
    for (const [parameter, distribution] of Object.entries(space)) {
      if (levels(distribution) === null) {
        const message = `a grid cannot list ${distribution.distribution}; give a choice, an int, or a uniform with a step`;
        return { parameter, message };
      }
    }
    if (walkOf(space) !== null) return null;
    const parameter = Object.keys(space)[0] ?? "";
    return { parameter, message: "a grid cannot list a range of many numbers that others depend on" };
  },

  ask({ count, isKnown, position, problem }) {
    const walk = walkOf(problem.space);
    const suggestions: Suggestion[] = [];
    let at = position;
    const end = Math.min(walk?.count ?? 0, position + lookedAtMax);
    while (walk !== null && at < end && suggestions.length < count) {
      const params = walk.at(at);
      at++;
      if (params !== null && admit(problem, params, isKnown)) suggestions.push({ params, parent: null });
    }
    return { suggestions, position: at, note: null };
  },
};
