/** The files that make an agent a service of its user, read as systemd and launchd read them. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { darwin } from "../../client/machine/platform/darwin.ts";
import { linux } from "../../client/machine/platform/linux.ts";

const home = "/home/me";
const program = `${home}/.local/share/trialmesh/current/bin/trialmesh`;
const anyWord = fc.string({ unit: fc.constantFrom(..."ab %$\\\"'&<>=-é") });
const anyWords = fc.array(anyWord);

/** systemd.service(5), "Command lines", and systemd.unit(5), "Specifiers": double quotes, \\ and \", %% and $$. */
function systemdWords(line: string): readonly string[] {
  return [...line.matchAll(/"((?:[^"\\]|\\.)*)"/gu)].map(([, word = ""]) =>
    word
      .replaceAll(/\\(.)/gu, "$1")
      .replaceAll("%%", "%")
      .replaceAll(/\$\$/gu, () => "$"),
  );
}

/** `<string>` elements of a property list, with XML's own entities. */
function plistStrings(text: string): readonly string[] {
  const array = /<array>([\s\S]*?)<\/array>/u.exec(text)?.[1] ?? "";
  return [...array.matchAll(/<string>([^<]*)<\/string>/gu)].map(([, word = ""]) =>
    word.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&"),
  );
}

describe("ADD-7: an agent as a service", () => {
  test("systemd starts exactly the words that were asked for", () => {
    fc.assert(
      fc.property(anyWords, (words) => {
        const { path, text } = linux.file("attic", home, words);
        assert.equal(path, ".config/systemd/user/trialmesh-agent-attic.service");
        const line = /^ExecStart=(.*)$/mu.exec(text)?.[1] ?? "";
        assert.deepEqual(systemdWords(line), [program, ...words]);
        // A `%` or `$` that stands alone would be taken for something else.
        assert.doesNotMatch(line.replaceAll("%%", "").replaceAll(/\$\$/gu, ""), /[%$]/u);
      }),
    );
  });

  test("launchd starts exactly the words that were asked for", () => {
    fc.assert(
      fc.property(anyWords, (words) => {
        const { path, text } = darwin.file("attic", home, words);
        assert.equal(path, "Library/LaunchAgents/trialmesh.agent.attic.plist");
        assert.deepEqual(plistStrings(text), [program, ...words]);
        assert.match(text, /<key>RunAtLoad<\/key>\s*<true\/>/u);
      }),
    );
  });

  test("both start again what ended, and name the file that they enable", () => {
    assert.match(linux.file("attic", home, []).text, /^Restart=always$/mu);
    assert.match(darwin.file("attic", home, []).text, /<key>KeepAlive<\/key>\s*<true\/>/u);
    assert.match(linux.enable("attic"), /restart trialmesh-agent-attic\.service/u);
    assert.match(
      darwin.enable("attic"),
      /bootstrap .*Library\/LaunchAgents\/trialmesh\.agent\.attic\.plist/u,
    );
  });
});
