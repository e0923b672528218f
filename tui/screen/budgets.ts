/** Screen 6: each requester's account and place in the queue, and the statement of the selected one. */
import type { LedgerLineView } from "../../protocol/view.ts";
import { accountBar } from "../../text/canvas/account-bar.ts";
import { answerTo } from "../model/mesh-data.ts";
import {
  accountsOf,
  budgetWant,
  linesOf,
  presentOf,
  selectedAccount,
  selectedIndex,
  type AccountView,
} from "../model/list.ts";
import { arrange } from "../part/arrange.ts";
import { heading } from "../part/pane.ts";
import { pair, position, table, type TableColumn } from "../part/screen-table.ts";
import { ahead, clockTime, duration, short, tokens } from "../../text/format.ts";
import { line, span, type Line } from "../../text/line.ts";
import { turnText } from "../../text/turn.ts";
import { listPane } from "./list-pane.ts";
import type { View } from "../part/screen-view.ts";

const lineBarWidth = 10;
/** Below this many rows the statement has the pane to itself. */
const factsFromRows = 14;

export function budgetsScreen(view: View): readonly Line[] {
  const accounts = accountsOf(view.ui, view.data);
  return arrange(view, {
    list: (width, height) => accountList(view, accounts, width, height),
    detail: (width, height) => statement(view, width, height),
    third: null,
    listShare: 0.5,
    listRows: accounts.length + 2,
  });
}

function accountList(
  view: View,
  accounts: readonly AccountView[],
  width: number,
  height: number,
): readonly Line[] {
  const { ui, glyphs } = view;
  const columns: readonly TableColumn<AccountView>[] = [
    { title: "REQUESTER", width: 10, grow: 12, rank: 0, text: (a) => a.requester },
    { title: "LEFT", width: 7, align: "right", rank: 0, text: (a) => tokens(a.available) },
    {
      title: "USED",
      width: 8,
      rank: 4,
      text: (a) => accountBar(a, 8, glyphs),
      tone: () => "accent",
    },
    { title: "GRANTED", width: 7, align: "right", rank: 1, text: (a) => tokens(a.granted) },
    { title: "SPENT", width: 7, align: "right", rank: 2, text: (a) => tokens(a.posted) },
    { title: "RESERVED", width: 8, align: "right", rank: 3, text: (a) => tokens(a.pending) },
    { title: "QUEUED", width: 6, align: "right", rank: 3, text: (a) => String(a.queued) },
    { title: "WEIGHT", width: 6, align: "right", rank: 5, text: (a) => short(a.weight) },
    { title: "TURN", width: 8, align: "right", rank: 6, text: (a) => short(a.startTag) },
  ];
  return listPane(view, {
    title: "Accounts",
    rows: accounts,
    idOf: (account) => account.requester,
    selection: ui.selections.accounts,
    known: view.data.answers.budget.size > 0,
    want: budgetWant,
    empty: "no account",
    columns,
    width,
    height,
  });
}

/** What stands above the statement: the account as one bar, its refill, its limit, its turn. */
function accountFacts(view: View, account: AccountView, width: number): readonly Line[] {
  const { glyphs } = view;
  const { available, granted, pending, posted, refill, requester, sweepCap, weight } = account;
  const all = answerTo(view.data, budgetWant)?.accounts ?? [];
  const room = Math.max(4, Math.min(40, width - 14));
  return [
    heading(`Account of ${requester}`, width, false, glyphs),
    line(
      span("granted     ", "dim"),
      span(accountBar(account, room, glyphs), "accent"),
      ` ${tokens(granted)}`,
    ),
    pair("", `${tokens(posted)} posted, ${tokens(pending)} held, ${tokens(available)} left`),
    pair("refill", refill === null ? "none" : refillText(view, refill)),
    pair("per sweep", sweepCap === null ? "no limit" : `at most ${tokens(sweepCap)}`),
    pair("turn", `${turnText(account, all)}, weight ${short(weight)}`),
  ];
}

function refillText(view: View, refill: NonNullable<AccountView["refill"]>): string {
  const present = presentOf(view.data);
  const next = present === null || refill.nextAt < present ? "" : `, next ${ahead(refill.nextAt - present)}`;
  return `${tokens(refill.amount)} every ${periodText(refill.everyMs)} up to ${tokens(refill.upTo)}${next}`;
}

/** A period without its empty smaller unit: `1 d`, not `1 d 0 h`. */
function periodText(ms: number): string {
  return duration(ms).replace(/ 0+ [hms]$/, "");
}

function statement(view: View, width: number, height: number): readonly Line[] {
  const { ui, data, glyphs } = view;
  const account = selectedAccount(ui, data);
  if (account === null) return [];
  const lines = linesOf(ui, data);
  const selected = selectedIndex(
    ui.selections.lines,
    lines.map((_, index) => String(lines.length - index)),
  );
  const columns: readonly TableColumn<LedgerLineView>[] = [
    { title: "TIME", width: 8, rank: 2, text: (l) => clockTime(l.at) },
    { title: "KIND", width: 8, rank: 0, text: (l) => l.kind },
    { title: "AMOUNT", width: 7, align: "right", rank: 0, text: (l) => tokens(l.amount) },
    {
      title: "LEFT",
      width: 7,
      align: "right",
      rank: 1,
      text: (l) => tokens(l.granted - l.posted - l.pending),
    },
    { title: "POSTED", width: 7, align: "right", rank: 6, text: (l) => tokens(l.posted) },
    { title: "HELD", width: 7, align: "right", rank: 7, text: (l) => tokens(l.pending) },
    {
      title: "OF GRANTED",
      width: lineBarWidth,
      rank: 4,
      text: (l) => accountBar(l, lineBarWidth, glyphs),
      tone: () => "accent",
    },
    { title: "TRIAL", width: 8, rank: 3, text: (l) => l.trial ?? "-" },
    { title: "AGENT", width: 8, grow: 8, rank: 5, text: (l) => l.agent ?? "-" },
    { title: "NOTE", width: 10, grow: 40, rank: 8, text: (l) => l.note },
  ];
  const facts = height >= factsFromRows ? accountFacts(view, account, width) : [];
  return [
    ...facts,
    heading(
      `Statement of ${account.requester} ${position(selected, lines.length)}`,
      width,
      ui.focus === 1,
      glyphs,
    ),
    ...table({
      columns,
      rows: lines,
      selected: ui.focus === 1 ? selected : -1,
      focused: ui.focus === 1,
      width,
      height: height - 1 - facts.length,
      glyphs,
      empty: "no line",
    }),
  ];
}
