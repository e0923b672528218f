/** Changes of pace, place and money: a sweep's pause, a sweep's priority and weight, an account's weight and grants. Each offers a few usual figures. */
import { milliTokensPerToken } from "../../protocol/token.ts";
import { tokens } from "../../text/format.ts";
import { withAlternatives, type Confirm } from "./confirm.ts";
import type { AccountView } from "./list.ts";
import { cliLine, type MeshRequest } from "./request.ts";

const priorities = [10, 100, 0, -10, -100];
const weights = [2, 4, 8, 1, 0.5, 0.25];
const grants = [100, 500, 1000, 5000, 50, 10];

export function pauseSweep(sweep: string, running: number): Confirm {
  const none = "Nothing of it runs now.";
  const goesOn = "What runs goes on to its next rung, and then waits.";
  const leaves = "What runs leaves at its next checkpoint, and later goes on from there.";
  return withAlternatives(
    [false, true].map((now) =>
      plainChange(
        now ? `Pause ${sweep} at once` : `Pause ${sweep}`,
        [`No trial of ${sweep} starts until it is resumed.`, running === 0 ? none : now ? leaves : goesOn],
        { name: "sweep-pause", body: { sweep, now } },
        `${sweep} is paused`,
      ),
    ),
  );
}

export function resumeSweep(sweep: string): Confirm {
  return plainChange(
    `Resume ${sweep}`,
    [`${sweep} goes on where it is.`],
    { name: "sweep-resume", body: { sweep } },
    `${sweep} goes on`,
  );
}

export function prioritise(sweep: string): Confirm {
  return withAlternatives(
    priorities.map((priority) =>
      plainChange(
        `Priority ${priority} for ${sweep}`,
        [
          `${sweep} is served ${priority === 0 ? "in its usual place (priority 0)" : `at priority ${priority}`} among the sweeps of its requester.`,
          "Higher goes first; equal ones share by their weights. Other requesters are not concerned.",
        ],
        { name: "sweep-tune", body: { sweep, priority } },
        `${sweep} has priority ${priority}`,
      ),
    ),
  );
}

export function weighSweep(sweep: string): Confirm {
  return withAlternatives(
    weights.map((weight) =>
      plainChange(
        `Weight ${weight} for ${sweep}`,
        [`${sweep} gets ${weight} parts of its requester's turn; 1 is usual.`],
        { name: "sweep-tune", body: { sweep, weight } },
        `${sweep} has weight ${weight}`,
      ),
    ),
  );
}

export function weighAccount({ requester, weight: from }: AccountView): Confirm {
  return withAlternatives(
    weights
      .filter((weight) => weight !== from)
      .map((weight) =>
        plainChange(
          `Weight ${weight} for ${requester}`,
          [`${requester}: weight ${from} -> ${weight} beside others who wait.`],
          { name: "account-set", body: { requester, weight } },
          `${requester} has weight ${weight}`,
        ),
      ),
  );
}

export function grantTokens({ available, granted, requester }: AccountView): Confirm {
  return withAlternatives(
    grants.map((whole) => {
      const amount = whole * milliTokensPerToken;
      return plainChange(
        `Grant ${requester} ${whole} tokens`,
        [
          `granted: ${tokens(granted)} -> ${tokens(granted + amount)}`,
          `available: ${tokens(available)} -> ${tokens(available + amount)}`,
        ],
        { name: "budget-grant", body: { requester, amount, note: "" } },
        `${requester} has been granted ${whole} tokens`,
      );
    }),
  );
}

/** One that loads no model and is not taken back by `u`. */
function plainChange(title: string, change: readonly string[], request: MeshRequest, done: string): Confirm {
  return {
    title,
    change,
    does: { kind: "command", request },
    cli: cliLine(request),
    done,
    undo: null,
    alternatives: [],
  };
}
