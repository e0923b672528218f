/**
 * Scalars and documents read beside the real loaders: PyYAML, which W&B reads with, and sigs.k8s.io/yaml, which Kubernetes
 * reads with. The rules that need neither are in core/yaml-scalar.test.ts.
 */
import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { kubernetes, pyyaml, type Dialect } from "../../spec/yaml/dialect.ts";
import { exactJson } from "../../spec/yaml/exact-json.ts";
import { parseDocuments } from "../../spec/yaml/located-yaml.ts";
import type { YamlNode } from "../../spec/yaml/yaml-tree.ts";
import { documents, plainScalar } from "../support/yaml-text.ts";
import { kubernetesPeer, pyyamlPeer } from "../support/yaml-peer.ts";

const scalarsMade = 1_000;
const seed = 20_240_117;

/** Null where the text is refused. */
function rootOf(text: string, dialect: Dialect): YamlNode | null {
  const parsed = parseDocuments(text);
  const document = parsed.ok && parsed.documents.length === 1 ? parsed.documents[0] : undefined;
  const read = document?.read(dialect);
  return read?.ok === true ? read.yaml.nodeAt([]) : null;
}

const scalars = [...new Set(fc.sample(plainScalar, { numRuns: 3 * scalarsMade, seed }))].slice(
  0,
  scalarsMade,
);
const texts = [...scalars.flatMap((scalar) => [`v: ${scalar}\n`, `v: [${scalar}]\n`]), ...documents];

const python = pyyamlPeer();

test(
  "YAML-1: a thousand scalars mean to us what PyYAML makes of them, and so do documents",
  { skip: python.ok ? false : python.why },
  () => {
    assert.ok(python.ok);
    assert.equal(scalars.length, scalarsMade);
    const theirs = python.read(texts);
    const differing = texts.flatMap((text, index) => {
      const root = rootOf(text, pyyaml);
      const our = root === null ? null : exactJson(root);
      return our === theirs[index] ? [] : [{ text, our, theirs: theirs[index] }];
    });
    assert.deepEqual(differing, []);
  },
);

const go = kubernetesPeer();

test(
  "YAML-2: a thousand scalars mean to us what sigs.k8s.io/yaml makes of them, and so do documents",
  { skip: go.ok ? false : go.why },
  () => {
    assert.ok(go.ok);
    const theirs = go.read(texts);
    const differing = texts.flatMap((text, index) => {
      const root = rootOf(text, kubernetes);
      const our = root === null ? null : exactJson(root);
      const their = theirs[index] ?? null;
      return sameJson(our, their) ? [] : [{ text, our, their }];
    });
    assert.deepEqual(differing, []);
  },
);

/** Whatever the order of names, and however floats are written; whole numbers digit for digit. */
function sameJson(our: string | null, their: string | null): boolean {
  if (our === null || their === null) return our === their;
  const [ours, theirs] = [leavesOf(our), leavesOf(their)];
  return (
    ours.size === theirs.size &&
    [...ours].every(([path, leaf]) => {
      const other = theirs.get(path);
      if (other === undefined) return false;
      // A float of ours has a dot or an exponent; Go writes a whole one as it likes.
      return (
        leaf === other || (/^-?\d.*[.e]/.test(leaf) && /^-?\d/.test(other) && Number(leaf) === Number(other))
      );
    })
  );
}

/** Every scalar's own JSON by its path. */
function leavesOf(json: string): ReadonlyMap<string, string> {
  const leaves = new Map<string, string>();
  const value: unknown = JSON.parse(
    json,
    (_key: string, one: unknown, context?: { readonly source?: string }) =>
      typeof one === "object" && one !== null ? one : (context?.source ?? JSON.stringify(one)),
  );
  const walk = (one: unknown, path: string) => {
    if (typeof one === "object" && one !== null) {
      leaves.set(path, Array.isArray(one) ? "list" : "mapping");
      for (const [name, inner] of Object.entries(one)) walk(inner, `${path}/${name}`);
    } else
      leaves.set(
        path,
        typeof one === "string" && one.startsWith('"') ? JSON.stringify(JSON.parse(one)) : String(one),
      );
  };
  walk(value, "");
  return leaves;
}
