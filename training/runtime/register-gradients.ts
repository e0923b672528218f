/**
 * Lets TensorFlow.js's own differentiation (`tf.grad`, its optimizers) work on the script backends: the bundle
 * Node loads leaves out the gradients of the operations, and the files that hold them name each other in a way
 * that only bundlers follow. Our own models write their gradients out and do not need this.
 */
import * as modules from "node:module";
import { pathToFileURL } from "node:url";

const entry = "@tensorflow/tfjs-core/dist/register_all_gradients.js";
const folder = "/@tensorflow/tfjs-core/dist/";

/** Registers them for every backend of this process; the registry is one, whichever copy of the core asks. */
export async function registerGradients(): Promise<void> {
  const hooks = modules.registerHooks({
    resolve: (specifier, context, next) => {
      const relative = specifier.startsWith(".") && context.parentURL?.includes(folder) === true;
      return next(relative && !specifier.endsWith(".js") ? `${specifier}.js` : specifier, context);
    },
  });
  try {
    await import(pathToFileURL(modules.createRequire(import.meta.url).resolve(entry)).href);
  } finally {
    hooks.deregister();
  }
}
