// The one table of commands: keys, palette, help and footer come from it, so it must not contradict itself.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { commandIds, commandOfKey, commandTable, paletteOf } from "../../tui/model/command-table.ts";
import { keyNames } from "../../tui/key-press.ts";
import { screens, startUi } from "../../tui/model/ui.ts";

const noKey = {
  upArrow: false,
  downArrow: false,
  leftArrow: false,
  rightArrow: false,
  pageDown: false,
  pageUp: false,
  home: false,
  end: false,
  return: false,
  escape: false,
  ctrl: false,
  shift: false,
  tab: false,
  backspace: false,
  delete: false,
  meta: false,
  super: false,
  hyper: false,
  capsLock: false,
  numLock: false,
};

describe("the command table", () => {
  it("holds every command once", () => {
    assert.deepEqual(commandTable.map((each) => each.id).toSorted(), [...commandIds].toSorted());
  });
  for (const screen of screens) {
    it(`gives each key one meaning on ${screen}`, () => {
      const ui = startUi(false, { screen });
      const here = commandTable.filter((each) => each.screens === null || each.screens.includes(screen));
      const keys = here.flatMap((each) => each.keys);
      assert.equal(new Set(keys).size, keys.length);
      for (const each of here) for (const key of each.keys) assert.equal(commandOfKey(key, ui)?.id, each.id);
    });
  }
  it("uses no function keys", () => {
    assert.ok(commandTable.every((each) => each.keys.every((key) => !/^f\d+$/.test(key))));
  });
  it("offers nothing in the palette that read-only forbids", () => {
    assert.ok(paletteOf("", startUi(true)).every((each) => !each.writes));
    assert.ok(paletteOf("", startUi(false)).some((each) => each.writes));
  });
});

describe("names of keys", () => {
  const table: readonly [string, Partial<typeof noKey>, readonly string[]][] = [
    ["", { upArrow: true }, ["up"]],
    ["", { return: true }, ["enter"]],
    ["p", { ctrl: true }, ["ctrl+p"]],
    ["", { tab: true, shift: true }, ["shift+tab"]],
    ["G", { shift: true }, ["G"]],
    ["", { delete: true }, ["backspace"]],
    ["12\r", {}, ["1", "2", "enter"]],
    ["x", { meta: true }, []],
  ];
  for (const [input, key, names] of table) {
    it(`${JSON.stringify(input)} ${JSON.stringify(key)} is ${names.join(" ") || "nothing"}`, () => {
      assert.deepEqual(keyNames(input, { ...noKey, ...key }), names);
    });
  }
});
