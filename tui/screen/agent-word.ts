/** An agent's state, load and speed in a word each, the same in the table and the detail. */
import { percent } from "../../text/figure.ts";
import type { AgentView } from "../../protocol/view.ts";
import type { Glyphs } from "../../text/glyph.ts";
import type { Tone } from "../../text/line.ts";

const agentTones: Readonly<Record<AgentView["state"], Tone>> = {
  present: "good",
  silent: "bad",
  closed: "warn",
  draining: "warn",
  cordoned: "warn",
};

export function agentState(agent: AgentView, glyphs: Glyphs): { readonly text: string; readonly tone: Tone } {
  // Closed says that nothing new comes; what of the owner's policy makes it so says more.
  const availability = agent.owner?.stance ?? "open";
  const word = agent.state === "closed" && availability !== "open" ? availability : agent.state;
  return { text: `${glyphs.agent[agent.state]} ${word}`, tone: agentTones[agent.state] };
}

export function bestRate(agent: AgentView): number | null {
  return agent.rates.length === 0 ? null : Math.max(...agent.rates.map((each) => each.tokensPerSecond));
}

/** The share of the machine's processors in use. */
export function loadText(load: number | null): string {
  return load === null ? "-" : percent(load);
}
