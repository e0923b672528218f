/** Screen 1: the agents, what each is and runs, and the newest events beside where there is room. */
import type { AgentView } from "../../protocol/view.ts";
import { agentsOf, eventsOf, selectedAgent, selectedIndex } from "../model/list.ts";
import { arrange } from "../part/arrange.ts";
import { fitHeight, heading } from "../part/pane.ts";
import { position, table, type TableColumn } from "../part/screen-table.ts";
import { clockTime, gib, rate } from "../../text/format.ts";
import type { Glyphs } from "../../text/glyph.ts";
import { line, span, type Line } from "../../text/line.ts";
import { agentDetail } from "./agent-detail.ts";
import { agentState, bestRate, loadText } from "./agent-word.ts";
import { isTwoPaned, waitingFor, type View } from "../part/screen-view.ts";

export function meshScreen(view: View): readonly Line[] {
  const agents = agentsOf(view.ui, view.data);
  return arrange(view, {
    list: (width, height) => {
      if (!isTwoPaned(view)) return agentList(view, agents, width, height);
      const rows = Math.min(agents.length + 2, Math.ceil(height * 0.7));
      const list = fitHeight(agentList(view, agents, width, rows), rows + 1);
      return [...list, ...newestEvents(view, width, height - list.length)];
    },
    detail: (width, height) => {
      const agent = selectedAgent(view.ui, view.data);
      if (agent === null) return [];
      return [
        heading(agent.agent, width, false, view.glyphs),
        ...agentDetail(view, agent, width, height - 1),
      ];
    },
    third: (width, height) => newestEvents(view, width, height),
    listShare: 0.55,
    listRows: agents.length + 2,
  });
}

function agentList(view: View, agents: readonly AgentView[], width: number, height: number): readonly Line[] {
  const selected = selectedIndex(
    view.ui.selections.agents,
    agents.map((each) => each.agent),
  );
  const head = heading(`Agents ${position(selected, agents.length)}`, width, true, view.glyphs);
  if (agents.length === 0) {
    const text = view.ui.filters.mesh === "" ? "no agent has joined yet" : "no agent matches the filter";
    const known = view.data.answers.mesh.size > 0;
    return [head, known ? line("  ", span(text, "dim")) : waitingFor(view, "agents", null)];
  }
  const rows = table({
    columns: columns(view.glyphs),
    rows: agents,
    selected,
    focused: true,
    width,
    height: height - 1,
    glyphs: view.glyphs,
    empty: "",
  });
  return [head, ...rows];
}

function columns(glyphs: Glyphs): readonly TableColumn<AgentView>[] {
  return [
    { title: "AGENT", width: 10, grow: 12, rank: 0, text: (a) => a.agent },
    {
      title: "STATE",
      width: 11,
      rank: 0,
      text: (a) => agentState(a, glyphs).text,
      tone: (a) => agentState(a, glyphs).tone,
    },
    { title: "SLOTS", width: 5, align: "right", rank: 1, text: (a) => `${a.running.length}/${a.slots}` },
    {
      title: "CPU",
      width: 4,
      align: "right",
      rank: 2,
      text: (a) => loadText(a.cpuLoad),
    },
    { title: "FREE", width: 5, align: "right", rank: 3, text: (a) => gib(a.memFreeGiB) },
    {
      title: "TOK/S",
      width: 5,
      align: "right",
      rank: 4,
      text: (a) => rate(bestRate(a)),
    },
    {
      title: "BACKENDS",
      width: 10,
      grow: 16,
      rank: 5,
      text: (a) =>
        a.backends
          .filter((each) => each.works && each.name !== "none")
          .map((each) => each.name)
          .join(",") || "none",
    },
    {
      title: "GPU",
      width: 8,
      grow: 20,
      rank: 6,
      text: (a) => a.host.gpus.map((each) => each.model).join(",") || "-",
    },
    { title: "CORES", width: 5, align: "right", rank: 7, text: (a) => String(a.host.cores) },
  ];
}

function newestEvents(view: View, width: number, height: number): readonly Line[] {
  const events = eventsOf(view.ui, view.data).slice(0, height - 1);
  return [
    heading("Newest events", width, false, view.glyphs),
    ...events.map((each) => line(span(clockTime(each.at), "dim"), ` ${each.text}`)),
  ];
}
