/** What an engine says of a model that it does not take, as a sentence for people: its own words have paths and names of its source in them. */

/** `words`: what ONNX Runtime throws while it loads; the sentence begins with what is wrong. */
export function loadFault(words: string): string {
  const operator =
    /No Op registered for (\S+)/.exec(words)?.[1] ??
    /error: (\S+?)(?:\(-?\d+\))? is not a registered/.exec(words)?.[1];
  if (operator !== undefined)
    return `it uses the operator ${shown(operator)}, which ONNX Runtime does not have in the model's version of the operators; export it with an opset that the runtime knows, and without operators of your own`;
  const ir = /IR version: (\d+), max supported IR version: (\d+)/.exec(words);
  if (ir !== null)
    return `it is written in version ${ir[1]} of ONNX's format, and this ONNX Runtime reads up to ${ir[2]}; export it with an older onnx, or set its ir_version`;
  const locale = /construct locale with name:([\w.@-]+)/.exec(words)?.[1];
  if (locale !== undefined)
    return `its operators for texts need the locale ${shown(locale)}, which this machine does not have; install it (locale-gen), or convert the model with another, such as options={TfidfVectorizer: {'locale': 'C'}}`;
  if (/opset/i.test(words))
    return "it is of an opset that is newer than this ONNX Runtime; export it with an older one, such as target_opset=17 or opset_version=17";
  if (/external data/i.test(words))
    return "a file with its weights is missing, or is shorter than the model says; keep it beside the model in the output folder";
  if (/protobuf parsing failed|does not have a graph/i.test(words)) return "it is damaged, or no ONNX model";
  if (/memory|bad_alloc/i.test(words)) return "it needs more memory than there is";
  return "its graph does not add up for ONNX Runtime: an operator's inputs, types or shapes do not fit; onnx.checker.check_model says which";
}

/** Of all outputs of one request. */
export const outputMaxMiB = 64;
/** What is said in the engine's place where it gave more. */
export const tooLarge = "the outputs are too large";

/** What it throws of a request that the model cannot answer. */
export function runFault(words: string): string {
  if (words === tooLarge)
    return `the answer has more than ${outputMaxMiB} MiB; ask about fewer rows, or for fewer outputs`;
  if (/memory|bad_alloc/i.test(words)) return "the answer needs more memory than there is";
  if (/invalid dimensions|invalid rank/i.test(words))
    return "a tensor has a shape that the model does not take";
  return "the model cannot compute an answer from these tensors; their values or shapes do not fit its operations";
}

const shownCharactersMax = 100;

function shown(name: string): string {
  return name.slice(0, shownCharactersMax).replaceAll(/[^\w.:-]/g, "");
}
