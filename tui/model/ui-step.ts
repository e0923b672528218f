/**
 * One key: what it makes of the screens' state, and what must then be done outside. A plain function; the
 * sending, copying and leaving is the store's.
 */
import { actionOf, copyCli, still, type StepContext } from "./command-action.ts";
import { applies, commandOfKey, paletteOf, type Command } from "./command-table.ts";
import { cliInsight, cliLaunch } from "./cli-line.ts";
import { nextAlternative, type Confirm } from "./confirm.ts";
import type { Step } from "./ui-effect.ts";
import { insightKey } from "./insight-key.ts";
import { launchKey } from "./launch-key.ts";
import { ask, over, say } from "./move.ts";
import type { Overlay, Ui } from "./ui.ts";

const filterCharactersMax = 100;

export function step(before: Ui, key: string, context: StepContext): Step {
  const ui: Ui = { ...before, notice: null };
  const overlay = ui.overlay;
  if (overlay === null) {
    const command = commandOfKey(key, ui);
    return command === null ? still(ui) : run(ui, command, context);
  }
  switch (overlay.kind) {
    case "help":
      return still(helpKey(ui, overlay, key));
    case "cli":
      return still({ ...ui, overlay: null });
    case "filter":
      return still(filterKey(ui, overlay, key));
    case "palette":
      return paletteKey(ui, overlay, key, context);
    case "confirm":
      return confirmKey(ui, overlay.confirm, key);
    case "insight":
      return key === "Y" ? copyCli(ui, cliInsight(overlay.sweep)) : still(insightKey(ui, overlay, key));
    case "launch":
      return key === "Y" && overlay.form.field === "file"
        ? copyCli(ui, cliLaunch(overlay.form.draft))
        : launchKey(ui, overlay.form, key);
  }
}

function run(ui: Ui, command: Command, context: StepContext): Step {
  if (!applies(command, ui)) return still(say(ui, "this session is read-only (R changes that)", "bad"));
  return actionOf(command.id)(ui, context);
}

function helpKey(ui: Ui, overlay: Extract<Overlay, { kind: "help" }>, key: string): Ui {
  if (key === "down" || key === "j") return over(ui, { ...overlay, offset: overlay.offset + 1 });
  if (key === "up" || key === "k") return over(ui, { ...overlay, offset: Math.max(0, overlay.offset - 1) });
  return { ...ui, overlay: null };
}

/** One visible character, as against the name of a key. */
export function isCharacter(key: string): boolean {
  return [...key].length === 1;
}

function filterKey(ui: Ui, overlay: Extract<Overlay, { kind: "filter" }>, key: string): Ui {
  const filter = ui.filters[ui.screen];
  const put = (text: string): Ui => ({ ...ui, filters: { ...ui.filters, [ui.screen]: text } });
  if (key === "enter") return { ...ui, overlay: null };
  if (key === "escape") return { ...put(overlay.before), overlay: null };
  if (key === "backspace") return put([...filter].slice(0, -1).join(""));
  if (key === "ctrl+u") return put("");
  return isCharacter(key) ? put((filter + key).slice(0, filterCharactersMax)) : ui;
}

function paletteKey(
  ui: Ui,
  overlay: Extract<Overlay, { kind: "palette" }>,
  key: string,
  context: StepContext,
): Step {
  const found = paletteOf(overlay.text, ui);
  const put = (text: string) => still(over(ui, { kind: "palette", text, index: 0 }));
  const at = (index: number) =>
    still(over(ui, { ...overlay, index: Math.min(found.length - 1, Math.max(0, index)) }));
  if (key === "escape") return still({ ...ui, overlay: null });
  if (key === "down" || key === "tab") return at(overlay.index + 1);
  if (key === "up" || key === "shift+tab") return at(overlay.index - 1);
  if (key === "backspace") return put([...overlay.text].slice(0, -1).join(""));
  if (key === "ctrl+u") return put("");
  if (key === "enter") {
    const command = found[overlay.index];
    return command === undefined ? still(ui) : run({ ...ui, overlay: null }, command, context);
  }
  return isCharacter(key) ? put((overlay.text + key).slice(0, filterCharactersMax)) : still(ui);
}

function confirmKey(ui: Ui, confirm: Confirm, key: string): Step {
  if (key === "y") return { ui: { ...ui, overlay: null }, effects: [{ kind: "send", confirm }] };
  if (key === "n" || key === "escape" || key === "q")
    return still(say({ ...ui, overlay: null }, "nothing was changed", "plain"));
  if (key === "left" || key === "h") return still(ask(ui, nextAlternative(confirm, -1)));
  if (key === "right" || key === "l" || key === "tab") return still(ask(ui, nextAlternative(confirm, 1)));
  if (key === "Y") return copyCli(ui, confirm.cli);
  return still(ui);
}
