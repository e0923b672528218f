/** True where the agent is there and its owner and ours let it take new work, busy or not. Whether it fits is `placement/`'s to say. */
import type { Agent } from "./state.ts";

export function takesWork(agent: Agent): boolean {
  return agent.present && agent.closed === null && !agent.draining && !agent.cordoned;
}
