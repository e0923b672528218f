/** Keys while a sweep's insight lies over the screen: what the curve is drawn over, and scrolling. It changes nothing of the mesh. */
import { over } from "./move.ts";
import { insightScales, type Insight, type Ui } from "./ui.ts";

/** No terminal needs more rows below its first. */
const offsetMost = 80;
const pageRows = 10;

export function openInsight(ui: Ui, sweep: string): Ui {
  return over(ui, { kind: "insight", sweep, scale: "trials", offset: 0 });
}

export function insightKey(ui: Ui, insight: Insight, key: string): Ui {
  const scroll = (by: number) =>
    over(ui, { ...insight, offset: Math.min(offsetMost, Math.max(0, insight.offset + by)) });
  const turn = (by: number) => {
    const at = insightScales.indexOf(insight.scale) + by + insightScales.length;
    return over(ui, { ...insight, scale: insightScales[at % insightScales.length] ?? "trials" });
  };
  switch (key) {
    case "tab":
    case "right":
    case "l":
      return turn(1);
    case "shift+tab":
    case "left":
    case "h":
      return turn(-1);
    case "down":
    case "j":
      return scroll(1);
    case "up":
    case "k":
      return scroll(-1);
    case "pagedown":
    case "ctrl+d":
      return scroll(pageRows);
    case "pageup":
    case "ctrl+u":
      return scroll(-pageRows);
    case "escape":
    case "q":
    case "i":
      return { ...ui, overlay: null };
    default:
      return ui;
  }
}
