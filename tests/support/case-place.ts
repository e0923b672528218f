/**
 * Inputs that once failed, each with what is right, read from a folder beside the project: not part of it, so tests of them
 * say that they are skipped where it is not there. One case is run as its `run` line says, in a copy of its folder.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join, resolve } from "node:path";
import test, { describe } from "node:test";
import { z } from "zod";
import { killIfThere, processesOf } from "./home-process.ts";
import { findNatsServer } from "./nats-server.ts";
import { mainFile, outcomeOf, type CliResult } from "./run-cli.ts";

const folder = resolve(process.env["TRIALMESH_CASES"] ?? "../shared/cases");
const file = join(folder, "cases.jsonl");

const shape = z.object({ id: z.string(), area: z.string(), run: z.string(), right: z.string() });

export type Case = z.infer<typeof shape>;

export interface CaseResult extends CliResult {
  /** Both, standard output first. */
  readonly all: string;
}

/** A copy of a case's folder with a home of its own and `trialmesh` on the path. */
export class CasePlace {
  readonly #root = mkdtempSync(join(tmpdir(), "trialmesh-case-"));
  readonly home = join(this.#root, "home");
  /** Where the commands run. */
  readonly path: string;
  readonly case: Case;

  constructor(which: Case) {
    this.case = which;
    this.path = join(this.#root, which.area);
    cpSync(join(folder, which.area), this.path, { recursive: true });
    const programs = join(this.#root, "programs");
    mkdirSync(programs);
    const words = [process.execPath, mainFile].map((word) => `"${word}"`).join(" ");
    writeFileSync(join(programs, "trialmesh"), `#!/bin/sh\nexec ${words} "$@"\n`, { mode: 0o755 });
  }

  /** Lines of a shell, by default the case's own. */
  run(lines = this.case.run, more: Readonly<Record<string, string>> = {}): Promise<CaseResult> {
    const programs = join(this.#root, "programs");
    const env = {
      ...process.env,
      CI: "1",
      TRIALMESH_HOME: this.home,
      TRIALMESH_NATS_SERVER: findNatsServer(),
      PATH: `${programs}${delimiter}${process.env["PATH"] ?? ""}`,
      ...more,
    };
    const child = spawn("bash", ["-c", lines], { cwd: this.path, env, stdio: ["ignore", "pipe", "pipe"] });
    return outcomeOf(child).then((result) => ({ ...result, all: result.out + result.err }));
  }

  /** The command lines that the programs got, without the interpreter and the script. */
  seen(name = "seen.txt"): readonly (readonly string[])[] {
    const path = join(this.path, name);
    if (!existsSync(path)) return [];
    const lines = readFileSync(path, "utf8").split("\n").slice(0, -1);
    return lines.map((line) => z.array(z.string()).parse(JSON.parse(line)));
  }

  close(): void {
    for (const pid of processesOf(this.home)) killIfThere(pid);
    rmSync(this.#root, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** Throws where what the product does is not what the case calls right. */
export type Expectation = (place: CasePlace) => Promise<void>;

/** One test for each case; one that nothing is expected of yet is said to be skipped, an expectation of none is a failure. */
export function testCases(area: string, expectations: Readonly<Record<string, Expectation>>): void {
  const skip = existsSync(file) ? false : `there are no cases in ${folder}`;
  describe(`cases of ${area}`, { skip }, () => {
    const cases = skip === false ? casesOf(area) : [];
    test("each expectation is of a case", () => {
      const ids = new Set(cases.map(({ id }) => id));
      assert.deepEqual(
        Object.keys(expectations).filter((id) => !ids.has(id)),
        [],
      );
    });
    for (const one of cases) {
      const expectation = expectations[one.id];
      if (expectation === undefined) {
        test(one.id, { skip: `no test says yet that ${one.right}` });
        continue;
      }
      test(`${one.id}: ${one.right}`, async () => {
        const place = new CasePlace(one);
        try {
          await expectation(place);
        } finally {
          place.close();
        }
      });
    }
  });
}

function casesOf(area: string): readonly Case[] {
  const lines = readFileSync(file, "utf8")
    .split("\n")
    .filter((line) => line !== "");
  return lines.map((line) => shape.parse(JSON.parse(line))).filter((one) => one.area === area);
}
