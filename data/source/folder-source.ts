/**
 * A folder with a folder per label and a text file per example, as rows of label and text in the order of their paths.
 * A row's line is its place in that order. Files elsewhere in the folder are not part of it.
 */
import { isUtf8 } from "node:buffer";
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import type { Encoding } from "../declaration/source.ts";
import type { Engine } from "../engine/sql-engine.ts";
import { headBytes, kindOfHead } from "./file-kind.ts";
import type { FolderListing } from "./folder-listing.ts";
import type { Located } from "./locate-source.ts";
import type { Prepared } from "./prepared.ts";

const rowsPerFlush = 2000;

export async function prepareFolder(
  engine: Engine,
  { name, path }: Located,
  { examples, notes }: FolderListing,
  encoding: Encoding,
  index: number,
): Promise<Outcome<Prepared>> {
  const table = `folder_${index}`;
  await engine.run(`CREATE TABLE ${table} (label VARCHAR, text VARCHAR, __why VARCHAR)`);
  const appender = await engine.connection.createAppender(table);
  const digest = new FolderDigest();
  let [records, bytes, latin1Lines] = [0, 0, 0];
  for (const { file, label, path: own } of examples) {
    const content = await readFile(own);
    digest.add(label, file, content);
    const kind = kindOfHead(content.subarray(0, headBytes));
    // A pointer is good text: all of a folder's would be read as examples.
    if (kind?.isPointer === true) {
      appender.closeSync();
      return refuse("invalid", `${own} is ${kind.what}; ${kind.advice}`);
    }
    const read = kind === null ? decode(content, encoding) : fault(`it is ${kind.what}`);
    if (read.latin1) latin1Lines++;
    appender.appendVarchar(label);
    if (read.text === null) appender.appendNull();
    else appender.appendVarchar(read.text);
    if (read.why === null) appender.appendNull();
    else appender.appendVarchar(`${label}/${file}: ${read.why}`);
    appender.endRow();
    records++;
    bytes += content.length;
    if (records % rowsPerFlush === 0) appender.flushSync();
  }
  appender.closeSync();
  if (records === 0)
    return refuse(
      "invalid",
      `${path} holds no example; it should have a folder for each label with text files in it${notes.map((note) => ` (${note})`).join("")}`,
    );
  return accept({
    name,
    path,
    digest: digest.hex(),
    bytes,
    records,
    badCount: 0,
    bad: [],
    latin1Lines,
    notes,
    shifts: [{ record: 0, shift: 1 }],
    relation: () => `SELECT * FROM ${table}`,
    columns: ["label", "text"],
    types: new Map([
      ["label", "text"],
      ["text", "text"],
    ]),
    hasWhy: true,
  });
}

/** Of the names and the bytes of all files. Throws what the file system throws. */
export async function folderDigest({ examples }: FolderListing): Promise<string> {
  const digest = new FolderDigest();
  for (const { file, label, path } of examples) digest.add(label, file, await readFile(path));
  return digest.hex();
}

class FolderDigest {
  readonly #hash = createHash("sha256");

  add(label: string, file: string, content: Uint8Array): void {
    this.#hash.update(`${label}/${file}\n${createHash("sha256").update(content).digest("hex")}\n`);
  }

  hex(): string {
    return this.#hash.digest("hex");
  }
}

interface Read {
  readonly text: string | null;
  readonly why: string | null;
  readonly latin1: boolean;
}

function fault(why: string): Read {
  return { text: null, why, latin1: false };
}

function decode(content: Buffer, encoding: Encoding): Read {
  if (encoding === "utf-16" || (encoding === "auto" && content[0] === 0xff && content[1] === 0xfe))
    return { text: new TextDecoder("utf-16le").decode(content), why: null, latin1: false };
  if (content.includes(0)) return fault("it holds a NUL byte; this is not a text file");
  if (encoding !== "iso-8859-1" && isUtf8(content))
    return { text: new TextDecoder("utf-8").decode(content), why: null, latin1: false };
  if (encoding === "utf-8") return fault("it is not UTF-8; give the encoding, as in encoding: iso-8859-1");
  return { text: content.toString("latin1"), why: null, latin1: encoding === "auto" };
}
