/**
 * Every command with words that are wrong: each option and argument reads its word by a parser that says what is right.
 * The commands themselves are replaced, so that what is heard is the command line's own.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { CommanderError, type Argument, type Command, type Option } from "commander";
import fc from "fast-check";
import { program } from "../../cli/command-tree.ts";
import type { NumberRange } from "../../cli/shell/range.ts";
import { openTerminal } from "../../cli/shell/terminal.ts";

interface Heard {
  /** Null where the words were taken, and the command would run. */
  readonly code: number | null;
  readonly said: string;
}

/** One option or argument that takes a word. */
interface Place {
  readonly path: readonly string[];
  readonly name: string;
  readonly isVariadic: boolean;
  readonly parse: ((word: string, before: unknown) => unknown) | undefined;
  readonly choices: readonly string[] | undefined;
  /** The command line with this word in its place. */
  readonly words: (word: string) => readonly string[];
}

/** What an argument that stands before another one is given while that one is tried. */
const right: Readonly<Record<string, string>> = {
  sweep: "s1",
  trial: "s1-1",
  trials: "s1-1",
  tags: "+good",
  text: "a text",
  tokens: "5",
  parameters: "lr=1",
  role: "agent",
  code: "tm3.x@h:1",
};

function rightFor(argument: Argument): string {
  const some = argument.description.startsWith("name@") ? "some-name@1" : "some-name";
  return argument.argChoices?.[0] ?? right[argument.name()] ?? some;
}

function hear(words: readonly string[]): Heard {
  let said = "";
  let code: number | null = null;
  const terminal = openTerminal({
    environment: {},
    interactive: false,
    columns: 100,
    writeOut: (text) => void (said += text),
    writeErr: (text) => void (said += text),
    finish: (status) => void (code = status),
  });
  const root = program(terminal);
  for (const { command } of commandsOf(root)) command.action(() => undefined);
  try {
    root.parse(["node", "trialmesh", ...words]);
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    code = 2;
  }
  return { code, said };
}

function commandsOf(
  command: Command,
  path: readonly string[] = [],
): { readonly command: Command; readonly path: readonly string[] }[] {
  const below = command.commands.flatMap((child) => commandsOf(child, [...path, child.name()]));
  return [{ command, path }, ...below];
}

function places(): Place[] {
  const root = program(
    openTerminal({
      environment: {},
      interactive: false,
      columns: 100,
      writeOut: () => undefined,
      writeErr: () => undefined,
      finish: () => undefined,
    }),
  );
  return commandsOf(root).flatMap(({ command, path }) => {
    const required = command.registeredArguments.filter((argument) => argument.required).map(rightFor);
    const options = command.options
      .filter((option) => option.required || option.optional)
      .map((option) => optionPlace(path, option, required));
    return [
      ...options,
      ...command.registeredArguments.map((one, at) => argumentPlace(path, command, one, at)),
    ];
  });
}

function optionPlace(path: readonly string[], option: Option, required: readonly string[]): Place {
  return {
    path,
    name: option.long ?? option.flags,
    isVariadic: option.variadic,
    parse: option.parseArg,
    choices: option.argChoices,
    words: (word) => [...path, ...required, `${option.long}=${word}`],
  };
}

function argumentPlace(path: readonly string[], command: Command, argument: Argument, at: number): Place {
  const others = command.registeredArguments;
  return {
    path,
    name: argument.name(),
    isVariadic: argument.variadic,
    parse: argument.parseArg,
    choices: argument.argChoices,
    words: (word) => [
      ...path,
      "--",
      ...others.slice(0, at).map(rightFor),
      word,
      ...others
        .slice(at + 1)
        .filter((one) => one.required)
        .map(rightFor),
    ],
  };
}

function rangeOf({ parse }: Place): NumberRange | null {
  if (parse === undefined || !("range" in parse)) return null;
  return parse.range as NumberRange;
}

const titleOf = ({ name, path }: Place) => `${path.join(" ")} ${name}`;

function assertRefused(place: Place, word: string): void {
  const { code, said } = hear(place.words(word));
  const about = `${titleOf(place)} with ${JSON.stringify(word.slice(0, 80))}: ${said}`;
  assert.equal(code, 2, about);
  assert.ok(said.includes(place.name), about);
  assert.equal(said.trimEnd().split("\n").length, 1, about);
  assert.ok(said.length < 800, about);
  assert.doesNotMatch(
    said,
    /fault in trialmesh|\n\s+at |undefined|NaN,|Too (?:small|big)|Invalid input/u,
    about,
  );
}

const huge = "9".repeat(400);
/** Right nowhere. */
const wrongEverywhere = ["x".repeat(100_000), "a\u0000b"];
/** Right only where a text may be empty. */
const blanks = ["", " ", "\t"];
const noNumber = [
  ...wrongEverywhere,
  ...blanks,
  "ten",
  "NaN",
  "-Infinity",
  "Infinity",
  "1e999",
  huge,
  `-${huge}`,
  "0x10",
  "1,5",
  "1 2",
  "٣",
  "½",
  "--",
  "1_000",
  "🦊",
];
const noName = ["-a", "A", "a b", "ä", "a.b", "a/b", "x".repeat(32), "🦊"];

describe("words of the command line", () => {
  test("CLI-6: every option and argument that takes a word has a parser, or a list of what it may be", () => {
    const bare = places().filter(({ choices, parse }) => choices === undefined && parse === undefined);
    assert.deepEqual(bare.map(titleOf), []);
  });

  for (const place of places()) {
    const range = rangeOf(place);
    if (range === null) continue;
    test(`CLI-6: ${titleOf(place)} says its range of whatever is outside, and takes what is inside`, () => {
      for (const word of noNumber) assertRefused(place, word);
      const { above = false, least, most, whole = false } = range;
      const outside = fc
        .oneof(
          fc.double({ max: least, maxExcluded: !above, noNaN: true, noDefaultInfinity: true }),
          fc.double({ min: most, minExcluded: true, noNaN: true, noDefaultInfinity: true }),
        )
        .filter((value) => !Object.is(value, -0));
      fc.assert(
        fc.property(outside, (value) => assertRefused(place, String(value))),
        { numRuns: 20 },
      );
      if (whole) for (const word of ["1.5", "0.999"]) assertRefused(place, word);
      const inside = whole
        ? fc.integer({ min: Math.max(least, -(2 ** 31)), max: Math.min(most, 2 ** 31 - 1) })
        : fc.double({ min: least, max: most, minExcluded: above, noNaN: true });
      fc.assert(
        fc.property(inside, (value) => {
          const { code, said } = hear(place.words(String(value)));
          assert.equal(code, null, said);
        }),
        { numRuns: 20 },
      );
      for (const word of range.words ?? []) assert.equal(hear(place.words(word)).code, null);
    });
  }

  test("CLI-6: no option or argument takes a word that is far too long or holds a NUL; only texts may be empty", () => {
    const mayBeEmpty = new Set<string>();
    for (const place of places()) {
      for (const word of wrongEverywhere) assertRefused(place, word);
      for (const word of blanks) {
        if (hear(place.words(word)).code === null) mayBeEmpty.add(`${place.name} ${JSON.stringify(word)}`);
        else assertRefused(place, word);
      }
    }
    assert.deepEqual([...mayBeEmpty].toSorted(), ['--note ""', '--why ""', 'text ""']);
  });

  test("CLI-6: what names somebody or something takes no other word", () => {
    const named = new Set(["--as", "--name", "--mesh", "requester", "agent", "alias"]);
    const found = places().filter(({ name }) => named.has(name));
    assert.ok(found.length > 20);
    for (const place of found) for (const word of noName) assertRefused(place, word);
  });

  const noId = ["1", "s", "s0", "s-1", "S1", "s1.5", `s${huge}`, "s1-0", "s1-", "s١", "🦊"];
  test("CLI-6: ids of sweeps and trials look like ids", () => {
    for (const place of places().filter(({ name }) => name === "sweep" || name === "trial"))
      for (const word of noId) assertRefused(place, word);
  });

  test("CLI-6: the port's range is said with what 0 means", () => {
    const { code, said } = hear(["up", "--port", "99999"]);
    assert.equal(code, 2);
    assert.match(said, /^trialmesh: --port is 1 to 65535 \(or 0 for a free one\), not 99999 \(/u);
  });
});
