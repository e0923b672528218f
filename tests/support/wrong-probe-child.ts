/** A probe's child whose backend `cpu` takes a wrong hyperbolic tangent; all else of it is as it should be. */
import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-backend-cpu";

const right = tf.getKernel("Sigmoid", "cpu");
tf.unregisterKernel("Tanh", "cpu");
tf.registerKernel({ ...right, kernelName: "Tanh", backendName: "cpu" });
await import("../../agent/capability/probe-child.ts");
