/** Single operations on tensors, as ONNX defines them: a type, a shape, and numbers row after row. */

const elementwise = {
  Add: (a, b) => a + b,
  Sub: (a, b) => a - b,
  Mul: (a, b) => a * b,
  Div: (a, b) => a / b,
  Max: Math.max,
  Min: Math.min,
  Less: (a, b) => (a < b ? 1 : 0),
  Greater: (a, b) => (a > b ? 1 : 0),
  Equal: (a, b) => (a === b ? 1 : 0),
};
const comparisons = new Set(["Less", "Greater", "Equal"]);
const unary = {
  Relu: (x) => Math.max(0, x),
  Tanh: Math.tanh,
  Sigmoid: (x) => 1 / (1 + Math.exp(-x)),
  Exp: Math.exp,
  Log: Math.log,
  Sqrt: Math.sqrt,
  Reciprocal: (x) => 1 / x,
};

export function scalarTensor({ type, value }) {
  return { type, shape: [], data: Float64Array.of(type === "float32" ? Math.fround(value) : value) };
}

export function compute(node, given) {
  const [a, b] = given;
  switch (node.op) {
    case "MatMul":
      return matmul(a, b);
    case "Gather":
      return gather(a, b);
    case "CumSum":
      return runningSum(a, node.axis);
    case "Softmax":
      return softmax(a);
    case "Cast":
      return tensor(node.to, a.shape, (at) => a.data[at]);
    case "Reshape":
      return { ...a, shape: wholeShape(node.shape, a.data.length) };
    case "Transpose":
      return picked(
        a,
        node.permutation.map((axis) => a.shape[axis]),
        node.permutation.map((axis) => stridesOf(a.shape)[axis]),
        0,
      );
    case "Slice":
      return slice(a, node);
    case "Concat":
      return concat(given, node.axis);
    case "ReduceSum":
    case "ReduceMean":
    case "ReduceMax":
    case "ReduceMin":
      return reduce(a, node);
    default:
      if (unary[node.op] !== undefined) return tensor(a.type, a.shape, (at) => unary[node.op](a.data[at]));
      if (elementwise[node.op] !== undefined) return broadcast(node.op, a, b);
      throw new Error(`graph.json has an operation ${node.op} that this program does not know`);
  }
}

function numbersOf(type, length) {
  if (type === "float32") return new Float32Array(length);
  return type === "float64" ? new Float64Array(length) : new Int32Array(length);
}

const sizeOf = (shape) => shape.reduce((product, length) => product * length, 1);

function stridesOf(shape) {
  const strides = shape.map(() => 1);
  for (let axis = shape.length - 2; axis >= 0; axis--) strides[axis] = strides[axis + 1] * shape[axis + 1];
  return strides;
}

function tensor(type, shape, of) {
  const data = numbersOf(type, sizeOf(shape));
  for (let at = 0; at < data.length; at++) data[at] = of(at);
  return { type, shape, data };
}

function wholeShape(shape, size) {
  const known = shape.reduce((product, length) => (length === -1 ? product : product * length), 1);
  return shape.map((length) => (length === -1 ? size / known : length));
}

/** Calls `visit(place)` for each cell of a shape, with the place that it has by the strides. */
function walk(shape, strides, from, visit) {
  const counts = shape.map(() => 0);
  let place = from;
  for (let at = sizeOf(shape); at > 0; at--) {
    visit(place);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      place += strides[axis];
      if (++counts[axis] < shape[axis]) break;
      place -= strides[axis] * shape[axis];
      counts[axis] = 0;
    }
  }
}

/** A tensor of cells of another, which lie there by these strides. */
function picked(x, shape, strides, from) {
  const data = numbersOf(x.type, sizeOf(shape));
  let at = 0;
  walk(shape, strides, from, (place) => (data[at++] = x.data[place]));
  return { type: x.type, shape, data };
}

function stretched({ shape }, to) {
  const strides = stridesOf(shape);
  const lack = to.length - shape.length;
  return to.map((_, axis) => (axis < lack || shape[axis - lack] === 1 ? 0 : strides[axis - lack]));
}

function broadcast(op, a, b) {
  const rank = Math.max(a.shape.length, b.shape.length);
  const shape = Array.from({ length: rank }, (_, axis) => {
    const left = a.shape[axis - rank + a.shape.length] ?? 1;
    return left === 1 ? (b.shape[axis - rank + b.shape.length] ?? 1) : left;
  });
  const places = new Int32Array(sizeOf(shape));
  let at = 0;
  walk(shape, stretched(b, shape), 0, (place) => (places[at++] = place));
  const of = elementwise[op];
  const data = numbersOf(comparisons.has(op) ? "bool" : a.type, places.length);
  at = 0;
  walk(shape, stretched(a, shape), 0, (place) => {
    data[at] = of(a.data[place], b.data[places[at]]);
    at++;
  });
  return { type: comparisons.has(op) ? "bool" : a.type, shape, data };
}

/** [..., m, k] by [..., k, n], or by [k, n] for all of them. */
function matmul(a, b) {
  const [m, k] = a.shape.slice(-2);
  const n = b.shape.at(-1);
  const lead = a.shape.slice(0, -2);
  const shared = b.shape.length === 2;
  const data = numbersOf(a.type, sizeOf(lead) * m * n);
  const sums = new Float64Array(n);
  for (let part = 0; part < sizeOf(lead); part++) {
    const right = shared ? 0 : part * k * n;
    for (let row = 0; row < m; row++) {
      sums.fill(0);
      for (let inner = 0; inner < k; inner++) {
        const left = a.data[(part * m + row) * k + inner];
        if (left === 0) continue;
        for (let column = 0; column < n; column++) sums[column] += left * b.data[right + inner * n + column];
      }
      data.set(sums, (part * m + row) * n);
    }
  }
  return { type: a.type, shape: [...lead, m, n], data };
}

function gather(table, rows) {
  const width = sizeOf(table.shape.slice(1));
  const data = numbersOf(table.type, rows.data.length * width);
  rows.data.forEach((row, at) => data.set(table.data.subarray(row * width, (row + 1) * width), at * width));
  return { type: table.type, shape: [...rows.shape, ...table.shape.slice(1)], data };
}

function runningSum(x, axis) {
  const data = x.data.slice();
  const inner = sizeOf(x.shape.slice(axis + 1));
  const span = inner * x.shape[axis];
  for (let at = 0; at < data.length; at++) if (at % span >= inner) data[at] += data[at - inner];
  return { ...x, data };
}

function softmax(x) {
  const width = x.shape.at(-1);
  const data = numbersOf(x.type, x.data.length);
  for (let from = 0; from < data.length; from += width) {
    const row = Float64Array.from(x.data.subarray(from, from + width));
    const most = row.reduce((one, other) => Math.max(one, other), -Infinity);
    const risen = row.map((value) => Math.exp(value - most));
    const sum = risen.reduce((one, other) => one + other, 0);
    data.set(
      risen.map((value) => value / sum),
      from,
    );
  }
  return { ...x, data };
}

function slice(x, { axes, ends, starts }) {
  const shape = [...x.shape];
  const strides = stridesOf(x.shape);
  let from = 0;
  axes.forEach((axis, at) => {
    const length = x.shape[axis];
    const bounded = (place) => Math.min(length, place < 0 ? place + length : place);
    shape[axis] = bounded(ends[at]) - bounded(starts[at]);
    from += bounded(starts[at]) * strides[axis];
  });
  return picked(x, shape, strides, from);
}

function concat(parts, axis) {
  const [first] = parts;
  const lead = sizeOf(first.shape.slice(0, axis));
  const length = parts.reduce((sum, part) => sum + part.shape[axis], 0);
  const shape = first.shape.map((one, at) => (at === axis ? length : one));
  const data = numbersOf(first.type, sizeOf(shape));
  let to = 0;
  for (let outer = 0; outer < lead; outer++)
    for (const part of parts) {
      const span = part.data.length / lead;
      data.set(part.data.subarray(outer * span, (outer + 1) * span), to);
      to += span;
    }
  return { type: first.type, shape, data };
}

function reduce(x, { axes, keepAxes, op }) {
  const strides = stridesOf(x.shape);
  const kept = [...x.shape.keys()].filter((axis) => !axes.includes(axis));
  const inner = axes.map((axis) => x.shape[axis]);
  const innerStrides = axes.map((axis) => strides[axis]);
  const count = sizeOf(inner);
  const shape = kept.map((axis) => x.shape[axis]);
  const data = numbersOf(x.type, sizeOf(shape));
  const of = { ReduceMax: Math.max, ReduceMin: Math.min }[op] ?? ((one, other) => one + other);
  let at = 0;
  walk(
    shape,
    kept.map((axis) => strides[axis]),
    0,
    (from) => {
      let value = null;
      walk(inner, innerStrides, from, (place) => {
        value = value === null ? x.data[place] : of(value, x.data[place]);
      });
      data[at++] = op === "ReduceMean" ? value / count : value;
    },
  );
  const whole = x.shape.map((length, axis) => (axes.includes(axis) ? 1 : length));
  return { type: x.type, shape: keepAxes ? whole : shape, data };
}
