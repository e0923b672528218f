/** The formats a model can be exported in, by the names that people give. What each writes is `export-format.ts`. */
export const modelFormats = ["safetensors", "onnx", "tfjs", "mlflow"] as const;
export type ModelFormat = (typeof modelFormats)[number];
