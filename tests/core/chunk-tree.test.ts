/** TREE-1 to 3: an artifact's digest is that of a tree made in one go, and every node says what lies below it. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import test from "node:test";
import fc from "fast-check";
import {
  bytesOfChild,
  childCapacity,
  childrenMax,
  chunkBytesMax,
  chunkDigest,
  nodeMark,
  readNode,
  startsAsNode,
  TreeHash,
  writeNode,
  type TreeNode,
} from "../../artifact/chunk-tree.ts";

/** The digest of chunk `n` where only its name matters. */
function nameOf(n: number): string {
  return createHash("sha256").update(String(n)).digest("hex");
}

function hashOf(bytes: Uint8Array) {
  const tree = new TreeHash();
  for (let at = 0; at < bytes.length; at += chunkBytesMax) tree.add(bytes.subarray(at, at + chunkBytesMax));
  return tree.end();
}

/** The same tree made level by level, all at once. */
function wholeTree(names: readonly string[], bytes: number): string {
  let row = [...names];
  for (let level = 1; ; level++) {
    const up: string[] = [];
    for (let at = 0; at < row.length; at += childrenMax) {
      const each = childCapacity(level + 1);
      const below = Math.min(each, bytes - (at / childrenMax) * each);
      up.push(chunkDigest(writeNode({ level, bytes: below, children: row.slice(at, at + childrenMax) })));
    }
    row = up;
    const [top] = row;
    if (row.length === 1 && top !== undefined) return top;
  }
}

test("TREE-1: an artifact of at most one chunk has the SHA-256 of its bytes", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 2_000 }), (bytes) => {
      const { digest, nodes } = hashOf(bytes);
      assert.equal(digest, createHash("sha256").update(bytes).digest("hex"));
      assert.deepEqual(nodes, []);
    }),
  );
  const full = new Uint8Array(chunkBytesMax).fill(7);
  assert.equal(hashOf(full).digest, chunkDigest(full));
});

test("TREE-2: a node as an artifact is not the tree that it is the node of", () => {
  const children = [nameOf(1), nameOf(2)];
  const node = writeNode({ level: 1, bytes: chunkBytesMax + 5, children });
  const tree = new TreeHash();
  tree.addNamed(nameOf(1), chunkBytesMax, false);
  tree.addNamed(nameOf(2), 5, false);
  assert.equal(tree.end().digest, chunkDigest(node));
  const { bytes, digest, nodes } = hashOf(node);
  assert.notEqual(digest, chunkDigest(node));
  assert.equal(bytes, node.length);
  const [above] = nodes;
  assert.ok(above !== undefined && nodes.length === 1);
  assert.deepEqual(readNode(above.data), { level: 1, bytes: node.length, children: [chunkDigest(node)] });
  assert.ok(startsAsNode(node) && startsAsNode(nodeMark) && !startsAsNode(nodeMark.subarray(1)));
});

test("TREE-3: a stream of chunks and the whole of them have one tree, of one level and of two", () => {
  const counts = fc.oneof(
    fc.integer({ min: 2, max: 50 }),
    fc.constantFrom(childrenMax - 1, childrenMax, childrenMax + 1, 2 * childrenMax, 2 * childrenMax + 1),
  );
  fc.assert(
    fc.property(counts, fc.integer({ min: 1, max: chunkBytesMax }), (count, last) => {
      const names = Array.from({ length: count }, (_, n) => nameOf(n));
      const tree = new TreeHash();
      names.forEach((name, n) => tree.addNamed(name, n === count - 1 ? last : chunkBytesMax, false));
      const { bytes, digest, nodes } = tree.end();
      assert.equal(bytes, (count - 1) * chunkBytesMax + last);
      assert.equal(digest, wholeTree(names, bytes));
      const known = new Map(nodes.map((node) => [node.digest, node.data]));
      assert.deepEqual(leavesBelow(known, digest, bytes), names);
    }),
    { numRuns: 12 },
  );
});

/** All chunks below a node, each node asked what it says of its own size. */
function leavesBelow(known: ReadonlyMap<string, Uint8Array>, digest: string, bytes: number): string[] {
  const data = known.get(digest);
  const node = data === undefined ? null : readNode(data);
  assert.ok(node !== null);
  assert.equal(node.bytes, bytes);
  if (node.level === 1) return [...node.children];
  return node.children.flatMap((child, index) => leavesBelow(known, child, bytesOfChild(node, index)));
}

const nodes = fc
  .record({
    level: fc.integer({ min: 1, max: 2 }),
    count: fc.integer({ min: 1, max: 40 }),
    last: fc.double({ min: 0.000_001, max: 1, noNaN: true }),
  })
  .map(({ count, last, level }): TreeNode => {
    const each = childCapacity(level);
    const bytes = (count - 1) * each + Math.ceil(each * last);
    return { level, bytes, children: Array.from({ length: count }, (_, n) => nameOf(n)) };
  });

test("a node is read as it was written, and with another size, level, length or mark it is none", () => {
  fc.assert(
    fc.property(nodes, fc.nat(), (node, at) => {
      const data = writeNode(node);
      assert.deepEqual(readNode(data), node);
      assert.equal(readNode(data.subarray(0, data.length - 1)), null);
      const wrong = Uint8Array.from(data);
      const changed = at % 24;
      wrong[changed] = (wrong[changed] ?? 0) ^ 0x41;
      assert.equal(readNode(wrong), null, `byte ${changed} was changed`);
      assert.equal(readNode(Buffer.concat([data, Buffer.alloc(32)])), null);
    }),
  );
});

test("a chunk after one that was not full is refused", () => {
  const short = new TreeHash();
  short.add(new Uint8Array(3));
  assert.throws(() => short.add(new Uint8Array(1)), RangeError);
  const empty = new TreeHash();
  empty.add(new Uint8Array(0));
  assert.throws(() => empty.add(new Uint8Array(1)), RangeError);
  assert.throws(() => new TreeHash().add(new Uint8Array(chunkBytesMax + 1)), RangeError);
});
